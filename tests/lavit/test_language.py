"""The language side of LaVIT against what the original recorded, and the promises of its drawing loop.

The original lets ids 0, 1, 2 and image start through; ours draws image end and codes only, so these are compared. What
it computed of a row that had ended, which it fed with id 2, is compared where no drawing is involved.
"""

import copy

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from drc.lmm import generate
from drc.lmm.generate import INTERVAL, Sampling, following, sample
from drc.lmm.lavit import language as language_module
from drc.lmm.lavit.language import END, IMAGE_END, IMAGE_START, Drawing, LavitLanguage, code_ids, draw_codes, guided

from .recorded import MANIFEST, SIZES, tensors

FILE = "llm.safetensors"
SCENARIOS = {scenario["name"]: scenario for scenario in MANIFEST["scenarios"]["llm_scenarios"]}
GUIDED = [name for name, scenario in SCENARIOS.items() if scenario["args"]["guidance_scale"] != 1]
GREEDY, WARPED = Sampling(temperature=0.0), Sampling(temperature=0.7, top_k=12, top_p=0.85)
COLUMNS = slice(4, None)  # of the recorded ones: image end and the codes


def recorded(name, quantity):
    return tensors(FILE)[f"out.{name}.{quantity}"]


def ids_of(name):
    """What the original drew [B, steps], without the image start that it puts before."""
    return recorded(name, "sequences")[:, 1:]


def prompts_of(language, name):
    return [language.prompt([torch.tensor(prompt)]) for prompt in SCENARIOS[name]["prompts"]]


def null_of(language, name):
    return language.embed(torch.tensor(SCENARIOS[name].get("uncond_input_ids", [[IMAGE_START]])[0]))


def streams_of(language, name):
    streams = guided(language, prompts_of(language, name), SCENARIOS[name]["args"]["guidance_scale"])
    return [streams[0], *((coefficient, [null_of(language, name)]) for coefficient, _ in streams[1:])]


def minimum_of(name):
    return SCENARIOS[name]["args"]["min_length"]


def assert_recorded(name, quantity, computed, columns=COLUMNS, where=True):
    """Within the manifest's tolerance, which is relative to the largest finite number; infinities must coincide."""
    whole = recorded(name, quantity)
    expected = whole[..., columns]
    assert computed.shape == expected.shape
    where = torch.as_tensor(where).expand_as(expected)
    atol = MANIFEST["files"][FILE]["tensors"][f"out.{name}.{quantity}"]["rtol"] * whole[whole.isfinite()].abs().max()
    torch.testing.assert_close(computed[where], expected[where], rtol=0, atol=atol.item())


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_prompt_ends_in_image_start(language, name):
    padded, mask = recorded(name, "prompt_ids"), recorded(name, "prompt_mask").bool()
    for prompt, ids, kept in zip(prompts_of(language, name), padded, mask, strict=True):
        assert torch.equal(prompt, language.embed(ids[kept]))


def test_a_prompt_is_text_and_pictures_in_the_order_given(language):
    parts = [torch.tensor([5, 6]), code_ids(torch.tensor([0, 95])), torch.tensor([7])]
    assert torch.equal(language.prompt(parts), language.embed(torch.tensor([5, 6, 32002, 32097, 7, 32000])))


@torch.no_grad()
@pytest.mark.parametrize(("name", "stream"), [(name, "cond") for name in SCENARIOS] + [(n, "uncond") for n in GUIDED])
def test_logits_of_each_stream(language, name, stream):
    """Every step of every row, also of those that had ended."""
    ids = ids_of(name)
    prompts = prompts_of(language, name) if stream == "cond" else [null_of(language, name)]
    drawing = Drawing(language, [(1.0, prompts)], *ids.shape)
    logits = [drawing.first, *(drawing.step(drawn - IMAGE_END) for drawn in ids[:, :-1].T)]
    assert_recorded(name, f"{stream}_logits", torch.stack(logits))


def log_normalizer(name):
    """What guidance makes of the logarithms of both streams' sums over the whole vocabulary [steps, B, 1]."""
    guidance = SCENARIOS[name]["args"]["guidance_scale"]
    if guidance == 1:
        return torch.zeros(())  # the original then compares logits as they are
    sums = guidance * recorded(name, "cond_logsumexp") + (1 - guidance) * recorded(name, "uncond_logsumexp")
    return sums.unsqueeze(-1)


def observed(language, name, monkeypatch, view):
    """view(logits) [steps, B, outcomes] of all logits that the loop would draw from while it draws what was recorded,
    and where a row had not ended [steps, B, 1]."""
    seen, ids = [], ids_of(name)

    def draw(logits, sampling, times):
        seen.append(view(logits))
        return (ids[:, len(seen) - 1] - IMAGE_END).clamp(min=END)

    monkeypatch.setattr(generate, "draw", draw)
    draws = sampled(language, name, GREEDY)
    alive = torch.cat((torch.ones(len(ids), 1, dtype=torch.bool), draws[:, :-1] != END), dim=1)
    return torch.stack(seen), alive.T.unsqueeze(-1)


def sampled(language, name, sampling):
    ids = ids_of(name)
    drawing = Drawing(language, streams_of(language, name), *ids.shape)
    seeds = list(range(len(ids)))
    follow = following(drawing.step, sampling)
    return sample(drawing.first, follow, seeds, sampling, ids.shape[1], END, minimum_of(name))


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "sample_warped"])
def test_guided_scores(language, name, monkeypatch):
    logits, alive = observed(language, name, monkeypatch, lambda logits: logits)
    assert_recorded(name, "scores", logits - log_normalizer(name), where=alive)


def test_warped_scores(language, monkeypatch):
    name = "sample_warped"
    warped, alive = observed(language, name, monkeypatch, lambda logits: generate.warp(logits, WARPED))
    assert torch.isneginf(recorded(name, "scores")[..., :4]).all()
    assert alive.all()
    assert_recorded(name, "scores", warped - log_normalizer(name) / WARPED.temperature)


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "sample_warped"])
def test_the_likeliest_codes(language, name):
    expected = [row[row >= IMAGE_END] for row in ids_of(name)]
    drawn = sampled(language, name, GREEDY)
    assert [row[row != END].tolist() for row in drawn] == [
        (row[row > IMAGE_END] - IMAGE_END).tolist() for row in expected
    ]
    if minimum_of(name) > 0:
        limit = ids_of(name).shape[1]
        streams, seeds = streams_of(language, name), [0] * len(expected)
        codes = draw_codes(language, streams, seeds, GREEDY, limit, min(minimum_of(name), limit))
        assert [code_ids(row).tolist() for row in codes] == [row[row > IMAGE_END].tolist() for row in expected]


# Pictures of unequal prompts: text, a picture with text, and a longer picture; with these seeds some end early.
PARTS = [[[5, 900, 17]], [[41, 42], [32002, 32050, 32097]], [[32010] * 20, [7]]]
SEEDS = [3, 4, 5]
USUAL, LIMIT, MINIMUM = Sampling(top_k=50), 40, 4


@pytest.fixture(autouse=True)
def nothing_recorded(language):
    language.recording.drop()


@pytest.fixture(scope="module")
def prompts(language):
    return [language.prompt([torch.tensor(part) for part in parts]) for parts in PARTS]


def pictures(language, prompts, seeds, guidance=3.0, sampling=USUAL, **options):
    options = {"limit": LIMIT, "minimum": MINIMUM, **options}
    return [
        codes.tolist()
        for codes in draw_codes(language, guided(language, prompts, guidance), seeds, sampling, **options)
    ]


@pytest.mark.parametrize("guidance", [1.0, 3.0])
@pytest.mark.parametrize("sampling", [USUAL, Sampling(), Sampling(0.7, 12, 0.85)], ids=str)
def test_a_seed_draws_the_same_whoever_the_neighbours_are(language, prompts, guidance, sampling):
    together = pictures(language, prompts, SEEDS, guidance, sampling)
    turned = pictures(language, prompts[::-1], SEEDS[::-1], guidance, sampling)
    pair = pictures(language, prompts[1:], SEEDS[1:], guidance, sampling)
    alone = [
        pictures(language, [prompt], [seed], guidance, sampling)[0] for prompt, seed in zip(prompts, SEEDS, strict=True)
    ]
    assert together == alone == turned[::-1]
    assert pair == alone[1:]


def test_a_prompt_for_all_pictures_is_as_many_prompts(language, prompts):
    shared = pictures(language, prompts[:1], SEEDS)
    assert shared == pictures(language, prompts[:1] * 3, SEEDS)
    assert len({tuple(codes) for codes in shared}) == 3


def test_pictures_end_by_themselves_and_within_the_limits(language, prompts):
    lengths = [len(codes) for codes in pictures(language, prompts, SEEDS)]
    assert all(MINIMUM <= length <= LIMIT for length in lengths) and len(set(lengths)) > 1
    assert max(code for codes in pictures(language, prompts, SEEDS) for code in codes) < SIZES["codebook_n"]
    assert [len(codes) for codes in pictures(language, prompts, SEEDS, minimum=LIMIT)] == [LIMIT] * 3
    longer = pictures(language, prompts, SEEDS, minimum=LIMIT)
    assert all(len(codes) == 7 for codes in pictures(language, prompts, SEEDS, limit=7, minimum=7))
    assert [codes[:7] for codes in longer] == pictures(language, prompts, SEEDS, limit=7, minimum=7)


def test_a_draw_is_the_multinomial_of_the_seed(language, prompts):
    """By hand, one picture, with the whole sequence through the model at every step and every word's logit computed."""
    random, ids, guidance = torch.Generator().manual_seed(7), [], 3.0
    start = language.embed(torch.tensor([IMAGE_START]))
    for index in range(20):
        drawn = language.embed(torch.tensor(ids, dtype=torch.long))
        c, u = (language(torch.cat((prompt, drawn))[None])[0, -1].log_softmax(-1) for prompt in (prompts[1], start))
        scores = u + guidance * (c - u)
        scores[:IMAGE_END] = float("-inf")
        if index < MINIMUM:
            scores[IMAGE_END] = float("-inf")
        chances = generate.warp(scores[None, IMAGE_END:], USUAL)[0].softmax(-1)
        ids.append(IMAGE_END + int(torch.multinomial(chances, 1, generator=random)))
        if ids[-1] == IMAGE_END:
            break
    assert pictures(language, prompts[1:2], [7], limit=20) == [[id - 32002 for id in ids if id != IMAGE_END]]


class Watch(TorchDispatchMode):
    """Every operation: its name and the shapes of its tensors."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        shapes = [tuple(tensor.shape) for tensor in (*args, result) if isinstance(tensor, torch.Tensor)]
        self.calls.append((function.overloadpacket.__name__, shapes))
        return result


def test_logits_of_words_are_never_computed(language, prompts):
    with Watch() as watch:
        pictures(language, prompts, SEEDS)
    products = [shapes[-1] for name, shapes in watch.calls if name in ("mm", "addmm", "bmm", "linear", "matmul")]
    outcomes = 1 + SIZES["codebook_n"]
    heads = [shape[:-1] for shape in products if shape[-1] == outcomes]
    assert not [shape for shape in products if shape[-1] > outcomes]
    assert heads[:4] == [(1,)] * 4  # three prompts and image start, each at its last position
    assert set(heads[4:]) == {(6,)}


@torch.no_grad()
def test_the_device_is_waited_for_once_in_a_while(language, prompts):
    drawing = Drawing(language, guided(language, prompts, 3.0), 3, LIMIT)
    with Watch() as watch:
        sample(drawing.first, following(drawing.step, USUAL), SEEDS, USUAL, LIMIT, END, LIMIT)
    waits = [name for name, _ in watch.calls if name in ("_local_scalar_dense", "nonzero", "is_nonzero", "equal")]
    assert 0 < len(waits) <= -(-LIMIT // INTERVAL)


@torch.no_grad()
@pytest.mark.parametrize("pictures", [1, 3])
def test_streams_of_very_different_lengths_have_caches_of_their_own(language, monkeypatch, pictures):
    random = torch.Generator().manual_seed(0)
    prompts = [language.prompt([torch.randint(3, 200, (90,), generator=random)]) for _ in range(pictures)]
    streams, drawn = guided(language, prompts, 3.0), torch.randint(1, 90, (20, pictures), generator=random)

    def logits(drawing: Drawing) -> torch.Tensor:
        return torch.stack([drawing.first, *(drawing.step(outcomes) for outcomes in drawn)])

    drawing = Drawing(language, streams, pictures, 21)
    assert [cache.tensor.shape[-2] for cache in drawing.caches] == [112, 32]
    found = logits(drawing)
    drawing.cache.rewind()
    assert torch.equal(torch.stack([drawing.step(outcomes) for outcomes in drawn]), found[1:])
    monkeypatch.setattr(language_module, "of_a_length", lambda lengths, limit: [lengths])
    whole = Drawing(language, streams, pictures, 21)
    assert len(whole.caches) == 1
    torch.testing.assert_close(found, logits(whole), rtol=0, atol=1e-5 * found.abs().max().item())


def drawn_in_turn(language, prompts):
    """Drawings of one layout: other seeds, prompts of other lengths, another guidance, and the first once more."""
    shorter = [prompt[1:] for prompt in prompts]
    first = (prompts, SEEDS)
    for given in (first, (prompts, SEEDS[::-1]), (shorter, SEEDS), (prompts[::-1], SEEDS, 2.0), first):
        yield lambda graph, given=given: pictures(language, *given, graph=graph)


def test_a_recorded_step_draws_the_same(language, prompts, recordings):
    """And serves the drawings after it."""
    expected = [draw(False) for draw in drawn_in_turn(language, prompts)]
    assert [draw(True) for draw in drawn_in_turn(language, prompts)] == expected
    assert len(recordings) == 1 and expected[0] == expected[-1]


def test_what_a_recording_does_not_serve_is_recorded(language, prompts, recordings):
    given = (
        (prompts, SEEDS),
        (prompts[:2], SEEDS[:2]),
        (prompts, SEEDS, 1.0),
        (prompts, SEEDS, 3.0, GREEDY),
        (prompts, SEEDS, 3.0, WARPED),
        ([torch.cat([prompt] * 3) for prompt in prompts], SEEDS),
        (prompts, SEEDS, 3.0, Sampling(torch.tensor([[0.5], [1.0], [2.0]]))),
        (prompts, SEEDS, 3.0, Sampling(torch.tensor([[2.0], [1.0], [0.5]]))),
    )
    for one in given:
        assert pictures(language, *one, graph=True) == pictures(language, *one)
    assert len(recordings) == len(given)


def test_a_recording_ends_with_the_place_of_the_weights(language, prompts, recordings):
    ours = copy.deepcopy(language)
    drawn = pictures(ours, prompts, SEEDS, graph=True)
    assert ours.recording.kept and not copy.deepcopy(ours).recording.kept
    ours.to(torch.float32)  # as a host does that moves them
    assert not ours.recording.kept
    assert pictures(ours, prompts, SEEDS, graph=True) == drawn
    head = ours.lm_head
    head.weight = torch.nn.Parameter(head.weight.flip(0), requires_grad=False)  # elsewhere, one alone
    assert pictures(ours, prompts, SEEDS, graph=True) == pictures(ours, prompts, SEEDS) != drawn
    assert len(recordings) == 3 and not ours.recording.kept  # who draws without wants its memory back


def test_a_recording_outlives_a_drawing_that_was_stopped(language, prompts, recordings):
    expected = pictures(language, prompts, SEEDS)

    def stop(count, codes):
        if count == 7:
            raise InterruptedError

    for _ in range(2):
        with pytest.raises(InterruptedError):
            pictures(language, prompts[::-1], SEEDS, on_code=stop, graph=True)
        assert pictures(language, prompts, SEEDS, graph=True) == expected
    assert len(recordings) == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_step_as_a_cuda_graph(language, prompts):
    there = LavitLanguage(language.config).cuda().requires_grad_(False)
    there.load_state_dict(language.state_dict())
    prompts = [prompt.cuda() for prompt in prompts]
    expected = [draw(False) for draw in drawn_in_turn(there, prompts)]
    drawn = [(draw(True), there.recording.kept) for draw in drawn_in_turn(there, prompts)]
    assert [codes for codes, _ in drawn] == expected
    assert len({id(kept) for _, kept in drawn}) == 1


def test_every_code_is_reported(language, prompts):
    reports = []
    codes = pictures(language, prompts, SEEDS, on_code=lambda count, codes: reports.append((count, codes.clone())))
    assert [count for count, _ in reports] == list(range(1, len(reports) + 1))
    assert max(map(len, codes)) <= len(reports) < max(map(len, codes)) + INTERVAL
    for count, seen in reports:
        assert seen.shape == (3, count)
        assert [[code for code in row if code >= 0] for row in seen.tolist()] == [row[:count] for row in codes]


def test_a_report_that_raises_stops_the_drawing(language, prompts):
    class StopDrawingError(Exception):
        pass

    reports = []

    def stop(count, codes):
        reports.append(count)
        if count == 3:
            raise StopDrawingError

    with pytest.raises(StopDrawingError):
        pictures(language, prompts, SEEDS, on_code=stop)
    assert reports == [1, 2, 3]


@pytest.mark.parametrize(("minimum", "limit"), [(0, 10), (11, 10), (20, 257)])
def test_impossible_lengths_are_one_sentence(language, prompts, minimum, limit):
    with pytest.raises(
        ValueError, match=f"^the picture shall have {minimum} to {limit} codes, .*; change minimum or limit$"
    ):
        pictures(language, prompts, SEEDS, minimum=minimum, limit=limit)


def test_a_prompt_beyond_the_model_is_one_sentence(language):
    long = language.prompt([torch.full((2008,), 5)])
    with pytest.raises(ValueError, match="^the prompt takes 2009 tokens and the picture up to 40, .* at most 2048; "):
        pictures(language, [long], [1])
    assert len(pictures(language, [long[1:]], [1], minimum=1)) == 1
