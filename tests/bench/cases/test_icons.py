"""The icon matrix as a domain: what a case shows, and that nothing of training is asked as if it were new."""

import json

import numpy as np
import pytest

from drc.bench.cases import open_domain
from drc.bench.cases.domain import LONGEST
from drc.bench.cases.icons import TESTS
from drc.bench.config import BenchConfig
from drc.bench.plan import Plan
from drc.data.icons import is_held_out

HANDS = {"plain": ("able", False), "bold": ("able", False), "round": ("baker", False), "new": ("charlie", True)}
HANDS |= {"newer": ("delta", True), "chosen": ("jam", False)}
MEANINGS = {f"thing {number}": "train" for number in range(40)}
MEANINGS |= {"bell": "test", "cat": "test", "dog": "val", "bell ring": "train", "ring": "emoji-test"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "icons").mkdir()
    facts = {"licence": "MIT", "author": "A", "url": "", "colour": False, "strokes": False, "tones": False}
    styles = [{"name": n, "set": n, "family": f, "unseen": unseen, **facts} for n, (f, unseen) in HANDS.items()]
    cells = [[style, meaning, 1.0] for style in HANDS for meaning in MEANINGS] + [["plain", "thing 1", 0.5]]
    record = {"size": 8, "styles": styles, "meanings": MEANINGS, "cells": cells}
    (folder / "icons" / "icons.json").write_text(json.dumps(record))
    pixels = np.random.default_rng(0).integers(0, 255, (len(cells), 8, 8, 3), np.uint8)
    np.save(folder / "icons" / "icons.npy", pixels)
    return folder


@pytest.fixture(scope="module")
def domain(folder):
    return open_domain("icons", folder)


@pytest.mark.parametrize("test", TESTS)
def test_a_case_asks_for_what_its_test_says(domain, test):
    hand, split = TESTS[test]
    cases = domain.cases(test, 1000)
    assert cases
    for case in cases:
        target, style = domain.record(case.target), domain.hand(case.target)
        assert (style.split, domain.icons.meaning_split[target.meaning]) == (hand, split)
        assert test != "I1" or is_held_out(style.family, target.meaning)
        reference = domain.record(case.reference)
        assert reference.meaning == target.meaning and domain.hand(case.reference).split == "train"
        assert domain.hand(case.reference).family != style.family
        shown = [domain.record(row) for row in case.history]
        assert len(set(case.history)) == LONGEST and {one.style for one in shown} == {target.style}
        assert all(domain.icons.meaning_split[one.meaning] == "train" for one in shown)


def test_a_history_shows_no_part_of_the_answer(domain):
    (bell,) = [row for row in domain.by_style["new"] if domain.record(row).meaning == "bell"]
    assert "bell ring" not in {domain.record(row).meaning for row in domain.histories("I4", bell, "new")}


def test_drawings_of_a_word_are_asked_for_where_the_index_cannot_hold_the_answer(domain):
    Plan(BenchConfig(tests=("I3", "I4", "IV"), histories=("8",), by_drawing=True), domain, {})
    for tests in (("I1",), ("I4", "I2"), ()):
        with pytest.raises(ValueError, match="the index may hold what is asked for; give --tests I3,I4,IV$"):
            Plan(BenchConfig(tests=tests, histories=("8",), by_drawing=True), domain, {})


def test_families_take_turns(domain):
    first = [domain.hand(case.target).family for case in domain.cases("I4", 4)]
    assert sorted(first) == ["charlie", "charlie", "delta", "delta"] and first[0] != first[1]


def test_rivals_are_all_hands_and_only_the_meanings_asked_for(domain):
    gallery = [domain.record(row) for row in domain.gallery("I4")]
    twins = {f"{hand} in colours" for hand in ("new", "newer", "chosen")}
    assert {one.meaning for one in gallery} == {"bell", "cat"} and {one.style for one in gallery} == {*HANDS, *twins}


def test_a_new_hand_asks_in_one_colour_and_in_colours_of_its_own(domain):
    cases = domain.cases("I4", 1000)
    assert {domain.facets(case.target)["colour"] for case in cases} == {"one colour", "colour"}
    for case in cases:
        if domain.hand(case.target).colour:
            target, black = domain.pictures.read(np.array([case.target, twin(domain, case.target)]))
            assert len(np.unique(target.reshape(-1, 3), axis=0)) > 2 and (target != black).any()
            assert domain.hand(case.reference).split == "train"


def twin(domain, row: int) -> int:
    record = domain.record(row)
    (found,) = [
        other
        for other in domain.by_meaning[record.meaning]
        if domain.record(other).style + " in colours" == record.style
    ]
    return found


def test_what_is_not_built_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"icons.json is missing .*build_icons"):
        open_domain("icons", tmp_path)
