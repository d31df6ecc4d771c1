"""A list of words becomes a set: names that files can have, the best of several, the same whatever the batch."""

import dataclasses
from pathlib import Path

import psutil
import pytest
import torch

import drc
from drc.bench.collapse.likelihood import scores_of_codes
from drc.complete.cache import DrawnCache
from drc.complete.meaning import Meanings
from drc.complete.names import LONGEST, MOST, Item, items_of
from drc.complete.run import Completion
from drc.complete.settings import Settings
from drc.drawings import Drawings, semantics
from drc.instruction import Dials
from drc.lmm.generate import Sampling
from drc.names import check_name
from scripts.lib.tiny import LABELS, write_tiny
from scripts.lib.tiny_drawings import write_tiny_drawings

WARM = Settings(drawings=0, dials=Dials(temperature=1.0))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return drc.load(write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors"))


@pytest.fixture(scope="module")
def pictures():
    return torch.rand(4, 32, 32, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def style(model, pictures):
    return model.style(model.tokenize(pictures[:3], "pictures"))


def codes_by_name(completion, items) -> dict[str, list[int]]:
    return {drawn.asked.item.name: drawn.codes.tolist() for drawn in completion.draw(items)}


@pytest.mark.parametrize(
    ("words", "names", "notes"),
    [
        ("cat\ndog", ["cat", "dog"], []),
        ("\ufeff cat \r\n\n\t\nbig  dog\n", ["cat", "big-dog"], ["2 empty lines left out"]),
        ("cat\ncat\ncat", ["cat"], ["drawn once, though more than one line says it: cat"]),
        ("KEY!\nkey\n'Key.'", ["KEY"], ["drawn once, though more than one line says it: KEY!"]),
        ("C\nC++\nc\nC#\n!\n?", ["C", "C-2", "C-3", "picture", "picture-2"], [
            "drawn once, though more than one line says it: C",
            "names that files cannot share have a number: C-2 (C++), C-3 (C#), picture-2 (?)",
        ]),
        ("a/b\n../etc/passwd\nC:\\x\n.hidden\n...\ncon\nCOM1.x", [
            "a-b", "etc-passwd", "C-x", "hidden", "picture", "_con", "_COM1.x"
        ], []),
        ("\u732b\n\u043a\u043e\u0442\n\u0939\u093f\u0928\u094d\u0926\u0940", [
            "\u732b", "\u043a\u043e\u0442", "\u0939\u093f\u0928\u094d\u0926\u0940"
        ], []),
        ("c\u202eat\n\u732b" + "\u732b" * 98, ["cat", "\u732b" * 66], []),
        ("con.png\ncat.PNG\ncat\nv1.5\n.svg", ["_con", "cat", "v1.5", "svg"], [
            "drawn once, though more than one line says it: cat"
        ]),
        ("\ufb01re\nfire", ["\ufb01re"], ["drawn once, though more than one line says it: \ufb01re"]),
    ],
)  # fmt: skip
def test_lines_become_names_of_files(words, names, notes):
    items, told = items_of(words)
    assert ([item.name for item in items], told) == (names, notes)
    for item in items:
        check_name(item.name, "name")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "",
            "words is empty and there is no reference; write what to draw, one thing on each line, or give references",
        ),
        ("\n \n", "words is empty"),
        ("cat\n" + "x" * 300, f"line 2 of words has 300 letters, expected at most {LONGEST}; name one thing on each"),
        ("cat\n" * (MOST + 1), "words has 10,001 lines, expected at most 10,000; make several sets of it"),
    ],
)
def test_lists_that_are_none(words, sentence):
    with pytest.raises(ValueError) as error:
        items_of(words)
    assert str(error.value).startswith(sentence)


def test_ten_thousand_lines_are_a_list():
    items, _ = items_of("\n".join(f"{number}!" if number % 2 else "!" * (number // 200 + 1) for number in range(MOST)))
    assert len(items) == len({item.name for item in items}) == MOST // 2 + 50


def test_where_a_file_is_called_otherwise_its_line_is_told():
    items, _ = items_of("red apple\n..\n\n\U0001f6b2\nC++", [("a", Path("A (1).png")), ("b", torch.zeros(1))])
    told = ["red-apple", "picture (..)", "picture-2 (\U0001f6b2)", "C (C++)", "a (A (1))", "b"]
    assert [item.told for item in items] == told and [item.line for item in items] == [1, 2, 4, 5, 0, 0]


def test_references_serve_the_words_that_they_are_called_by():
    sun, cat, other, more = (Path(name) for name in ("sun", "cat", "other", "more"))
    references = [("Big-Sun", sun), ("cat", cat), ("cat", other), ("more", more)]
    items, _ = items_of("cat\nbig sun\ndog", references)
    assert items == [
        Item("cat", "cat", cat, 1),
        Item("big-sun", "big sun", sun, 2),
        Item("dog", "dog", line=3),
        Item("cat-2", reference=other),
        Item("more", reference=more),
    ]


def test_the_same_set_whatever_the_batch_and_the_order(model, style, pictures):
    items, _ = items_of("\n".join([*LABELS, "sun", "car"] + [f"cat {n}" for n in range(13)]), [("one", pictures[3])])
    assert len(items) > 20
    together = codes_by_name(Completion(model, style, WARM), items)
    alone = [items[5], items[-1], items[0]]
    assert codes_by_name(Completion(model, style, WARM), alone) == {one.name: together[one.name] for one in alone}
    other = codes_by_name(Completion(model, style, dataclasses.replace(WARM, seed=1)), alone)
    assert all(other[name] != together[name] for name in other)


def test_one_of_one_is_one_drawing(model, style, pictures):
    ((asked, drawn),) = [
        (d.asked, d) for d in Completion(model, style, WARM).draw([Item("x", "blue car", pictures[3])])
    ]
    semantics = model.semantics(model.tokenize(pictures[3:], "pictures")[0])
    plain = model.draw(style, semantics, "blue car", 2.0, 4.0, [asked.seed], Sampling(1.0), as_codes=True)
    assert drawn.codes.equal(plain[0])


@torch.no_grad()
def test_the_best_is_the_likeliest_of_as_many(model, style, pictures):
    settings = dataclasses.replace(WARM, best_of=5)
    (best,) = Completion(model, style, settings).draw([Item("x", "blue car", pictures[3])])
    codes = model.tokenize(pictures, "pictures")
    seeds = [best.asked.seed + number for number in range(5)]
    semantics = model.semantics(codes[3])
    candidates = model.draw(style, semantics, "blue car", 2.0, 4.0, seeds, Sampling(1.0), as_codes=True)
    some = torch.zeros(9, 3, 32, 32)
    scores = scores_of_codes(model, some, torch.cat((candidates, codes)), 5, "blue car")
    sums = scores.style + scores.meaning
    assert best.codes.equal(candidates[sums.argmax()]) and sums.max() > sums.min()
    torch.testing.assert_close(best.scores.sum(), sums.max(), atol=1e-5, rtol=1e-4)


def test_a_negative_style_is_led_away_from_and_kept_apart(model, style, pictures, tmp_path):
    (item,), cache = items_of("blue car")[0], DrawnCache(tmp_path)
    negative = model.style(model.tokenize(pictures[3:], "pictures"))
    found = [next(Completion(model, style, WARM, cache, away).draw([item])) for away in (None, negative, None)]
    given = style, None, "blue car", 2.0, 4.0, [found[0].asked.seed], Sampling(1.0)
    for drawn, away in zip(found, (None, negative, None), strict=True):
        assert drawn.codes.equal(model.draw(*given, as_codes=True, negative_style=away)[0])
    assert not found[0].codes.equal(found[1].codes)


def test_words_alone_are_a_meaning(model, style):
    (drawn,) = Completion(model, style, WARM).draw([Item("x", "red apple")])
    assert drawn.scores.isfinite().all() and drawn.scores[1] != 0


def test_drawings_of_other_hands_say_what_a_word_means(model, style, tmp_path):
    completion = Completion(model, style, dataclasses.replace(WARM, drawings=2))
    items, _ = items_of("dogs\ndogg\n\u732b")
    alone, *_ = completion.meanings.notes(items)
    assert alone == "words alone say what to draw, as the drawings of other hands are codes of another model"
    index = completion.meanings.index = Drawings(write_tiny_drawings(tmp_path, model))
    told, *_ = completion.meanings.notes(items)
    assert told == "no drawing is called dogg (near: dog), \u732b: words alone say what it is"
    dog, other, _ = completion.draw(items)
    codes = index.find("dog").codes[:2]
    assert dog.asked.shown.equal(codes) and len(codes) == 2 and other.asked.shown is None
    given = style, semantics(model, codes), "dogs", 2.0, 4.0, [dog.asked.seed], Sampling(1.0)
    assert dog.codes.equal(model.draw(*given, as_codes=True)[0])


def test_what_was_drawn_is_not_drawn_again(model, style, tmp_path, monkeypatch):
    items, cache, calls = items_of("sun\ncar\ncat")[0], DrawnCache(tmp_path), []
    monkeypatch.setattr(model, "draw", lambda *a, **b: calls.append(len(a[5])) or type(model).draw(model, *a, **b))
    first = codes_by_name(Completion(model, style, WARM, cache), items[:2])
    again = {one.asked.item.name: one for one in Completion(model, style, WARM, cache).draw(items)}
    assert calls == [2, 1] and {name: again[name].codes.tolist() for name in first} == first
    for damage in (b"", b"{}", b'{"codes": [1], "style": 0, "meaning": 0}', b"x" * 2**17,
                   b'{"codes": [99999' + b", 1" * 15 + b'], "style": 0, "meaning": 0}'):  # fmt: skip
        cache.path(again["sun"].asked.key).write_bytes(damage)
        assert codes_by_name(Completion(model, style, WARM, cache), items[:1])["sun"] == first["sun"]
    assert calls[2:] == [1] * 5
    codes_by_name(Completion(model, style, dataclasses.replace(WARM, best_of=2), cache), items)
    assert calls[7:] == [6]


def test_a_full_disk_ends_no_drawing(model, style, tmp_path):
    (tmp_path / "file").write_text("a file")
    completion = Completion(model, style, WARM, DrawnCache(tmp_path / "file"))
    assert len(list(completion.draw(items_of("sun\ncar")[0]))) == 2 and completion.refused


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"best_of": 0}, "best_of is 0, expected 1 to 16; choose one of these"),
        ({"best_of": 17}, "best_of is 17, expected 1 to 16"),
        ({"drawings": 4}, "drawings is 4, expected 0 to 3; choose one of these"),
        ({"dials": Dials(style_strength=-1.0)}, "style_strength is -1, expected 0 to 5; choose one of these"),
        ({"dials": Dials(temperature=float("nan"))}, "temperature is nan, expected 0 to 2, or -1 for the"),
        ({"dials": Dials(temperature=2.5)}, "temperature is 2.5, expected 0 to 2, or -1 for the usual one; choose"),
        ({"dials": Dials(temperature=-0.5)}, "temperature is -0.5, expected 0 to 2, or -1"),
    ],
)
def test_settings_that_do_not_serve(model, style, settings, sentence):
    with pytest.raises(ValueError) as error:
        Completion(model, style, Settings(**settings))
    assert str(error.value).startswith(sentence)


def test_a_word_with_a_drawing_is_no_unknown_word():
    meanings = Meanings(drc.load(), 3)
    notes = meanings.notes(items_of("scissors\nqwertz")[0])
    assert len(notes) == 2 and notes[0].startswith("no drawing is called qwertz")
    assert notes[1] == "the model never saw qwertz, and does not know what that means"


def test_words_that_a_model_cannot_read_or_never_saw(model, style):
    meanings = Completion(model, style, WARM).meanings
    assert meanings.notes(items_of("red \u043a\u043e\u0442\nsun")[0]) == [
        "the model never saw \u043a\u043e\u0442, and does not know what that means"
    ]
    with pytest.raises(ValueError) as error:
        meanings.notes(items_of("sun\n\nred apple red apple red apple red")[0])
    assert str(error.value).startswith("line 3 of words has 'red apple red apple red apple red', whose")
    assert "whose text takes 7 words and pieces of words, but this model reads at most 6; use" in str(error.value)


def test_memory_does_not_grow_with_the_list(model, style, tmp_path):
    """The most that the process held over 150 words against the most over the first ten."""
    items, _ = items_of(
        "\n".join(f"{label} {number}" for number in range(30) for label in ("sun", "car", "cat", "red", "apple"))
    )
    held = []
    for drawn in Completion(model, style, WARM, DrawnCache(tmp_path)).draw(items):
        assert len(drawn.codes) == 16
        held.append(psutil.Process().memory_info().rss)
    assert len(held) == 150 and max(held) < 1.1 * max(held[:10]), max(held) / max(held[:10])
