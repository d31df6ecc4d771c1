"""The sampling loop: seeds, batches, filters, the cache, and being stopped."""

import copy
import dataclasses
import functools
import math

import pytest
import torch

from drc.checkpoint import load
from drc.instruction import side_by_side
from drc.lmm.generate import Sampling, draw, exponential_noise, generate
from scripts.lib.tiny import CONFIG, write_tiny

CODES, N = CONFIG.lmm.vision.codes, CONFIG.lmm.vision.grid**2
GREEDY = Sampling(temperature=0.0)
SEEDS = [5, 6]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load(write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors")).requires_grad_(False)


def instruction_of(model, seed):
    """Three streams: strong style, stronger semantics, some text."""
    random = torch.Generator().manual_seed(seed)
    style = model.style(torch.randint(CODES, (3, N), generator=random), torch.ones(3))
    semantics = model.semantics(torch.randint(CODES, (N,), generator=random))
    return model.compose(style, semantics, "red apple", style_strength=1.5, semantic_strength=2.0)


@pytest.fixture(scope="module")
def instruction(model):
    return instruction_of(model, 1)


def pictures(model, instruction, seeds, sampling=Sampling(), on_code=None, **how):  # noqa: B008 (frozen)
    return generate(model.lmm, instruction, seeds, sampling, on_code, **how)


def test_a_seed_names_a_picture(model, instruction):
    one, again, other = (pictures(model, instruction, [seed]) for seed in (5, 5, 6))
    assert one.shape == (1, N) and one.min() >= 0 and one.max() < CODES
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_a_batch_is_as_many_runs(model, instruction):
    batch = pictures(model, instruction, [5, 6, 5])
    runs = torch.cat([pictures(model, instruction, [seed]) for seed in (5, 6, 5)])
    assert torch.equal(batch, runs)


def test_every_picture_may_have_its_own_instruction(model, instruction):
    other = instruction_of(model, 2)
    both = generate(model.lmm, side_by_side([instruction, other]), [5, 6], Sampling())
    assert torch.equal(both[:1], pictures(model, instruction, [5]))
    assert torch.equal(both[1:], pictures(model, other, [6]))


def in_turn(model, one, other):
    """Drawings with other seeds, other instructions, one for all and one for each, and the first once more."""
    both = side_by_side([other, one])
    for given, seeds in ((one, SEEDS), (one, SEEDS[::-1]), (other, SEEDS), (both, SEEDS), (one, SEEDS)):
        yield lambda graph, given=given, seeds=seeds: pictures(model, given, seeds, graph=graph).tolist()


def test_a_recorded_step_draws_the_same(model, instruction, recordings):
    """And serves the drawings after it."""
    other, held = instruction_of(model, 2), copy.deepcopy(instruction)
    expected = [draw(False) for draw in in_turn(model, instruction, other)]
    assert [draw(True) for draw in in_turn(model, instruction, other)] == expected
    assert len(recordings) == 3 and expected[0] == expected[-1] != expected[2]
    assert torch.equal(instruction.coefficients, held.coefficients)  # nobody writes over what a user holds
    assert torch.equal(instruction.vectors, held.vectors)


def test_a_compiled_step_draws_the_same(model, instruction, recordings, caplog, monkeypatch):
    """Down to the operations that a compiler would fuse, and in more sizes than torch compiles the same lines for."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    sizes = [SEEDS[:1], SEEDS, 2 * SEEDS]
    expected = [pictures(model, instruction, seeds) for seeds in sizes]
    with torch._dynamo.config.patch(recompile_limit=len(sizes) - 1):
        drawn = [pictures(model, instruction, seeds, graph=True, compiles=True) for seeds in sizes]
    assert all(map(torch.equal, drawn, expected)) and len(recordings) == len(sizes)
    assert "compile_step is on" not in caplog.text
    torch.compiler.reset()


def test_without_a_compiler_a_step_is_recorded_as_it_is(model, instruction, recordings, caplog, monkeypatch):
    def fail(step, **options):
        raise RuntimeError("no triton\nsecond line")

    monkeypatch.setattr(torch, "compile", fail)
    drawn = pictures(model, instruction, SEEDS, graph=True, compiles=True)
    assert torch.equal(drawn, pictures(model, instruction, SEEDS)) and len(recordings) == 1
    assert [record.message for record in caplog.records] == [
        "compile_step is on, but torch cannot build code on this machine (no triton second line): it changes nothing"
    ]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_step_as_a_cuda_graph(model, instruction):
    there = copy.deepcopy(model).cuda()
    tensors = ("vectors", "text", "coefficients")
    given = [
        dataclasses.replace(one, **{name: getattr(one, name).cuda() for name in tensors})
        for one in (instruction, instruction_of(model, 2))
    ]
    expected = [draw(False) for draw in in_turn(there, *given)]
    assert [draw(True) for draw in in_turn(there, *given)] == expected


@torch.no_grad()
def test_the_cache_is_a_short_cut_and_nothing_else(model, instruction):
    lmm = model.lmm
    prompt, codes = lmm.prompt(instruction.text, instruction.vectors), torch.zeros(1, 0, dtype=torch.long)
    places = lmm.places(instruction.vectors)
    for _ in range(N):
        drawn = lmm.follow(codes.expand(3, -1), 0, places)
        logits = lmm.logits(torch.cat((prompt, drawn), dim=1))
        codes = torch.cat((codes, (instruction.coefficients @ logits).argmax().view(1, 1)), dim=1)
    assert torch.equal(pictures(model, instruction, [0], GREEDY), codes)


@torch.no_grad()
def test_a_code_hears_the_vector_of_its_spot(model):
    lmm, side, grid = model.lmm, 2, CONFIG.lmm.vision.grid
    silent = torch.zeros(1, side**2, CONFIG.lmm.width)
    vectors = torch.randn(2, side**2, CONFIG.lmm.width)
    apart = [lmm.position(place, 1, vectors) for place in range(N)]
    assert torch.equal(torch.cat(apart, dim=1), lmm.position(0, N, vectors))
    for spot in range(side**2):
        spoken = silent.clone()
        spoken[:, spot] = 1
        heard = (lmm.position(0, N, spoken) - lmm.position(0, N, silent))[0, :, 0].view(grid, grid)
        cells = heard.view(side, grid // side, side, grid // side).amax(dim=(1, 3)).flatten()
        assert cells.nonzero().flatten().tolist() == [spot] and heard.sum() == (grid // side) ** 2


def test_every_code_is_reported(model, instruction):
    reports = []
    codes = pictures(model, instruction, [5, 6], on_code=lambda drawn, codes: reports.append((drawn, codes.clone())))
    assert [drawn for drawn, _ in reports] == list(range(1, N + 1))
    assert all(torch.equal(part, codes[:, :drawn]) for drawn, part in reports)


def test_a_report_that_raises_stops_the_drawing(model, instruction):
    class StopDrawingError(Exception):
        pass

    reports = []

    def stop(drawn, codes):
        reports.append(drawn)
        if drawn == 3:
            raise StopDrawingError

    with pytest.raises(StopDrawingError):
        pictures(model, instruction, [5], on_code=stop)
    assert reports == [1, 2, 3]


def chances_by_hand(logits, sampling):
    """The distribution of the next code, with loops in place of tensor tricks."""
    weights = {code: math.exp(logit / sampling.temperature) for code, logit in enumerate(logits.tolist())}
    ranked = sorted(weights, key=weights.get, reverse=True)
    if sampling.top_k:
        ranked = ranked[: sampling.top_k]
    total, kept, mass = sum(weights[code] for code in ranked), [], 0.0
    for code in ranked:
        if mass > sampling.top_p * total:
            break
        kept.append(code)
        mass += weights[code]
    return torch.tensor([weights[code] / mass if code in kept else 0.0 for code in weights])


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(),
        Sampling(temperature=0.5),
        Sampling(top_k=1),
        Sampling(top_k=5),
        Sampling(top_k=1000),
        Sampling(top_p=0.6),
        Sampling(top_p=0.0),
        Sampling(temperature=1.4, top_k=8, top_p=0.7),
    ],
    ids=str,
)
def test_filters_against_a_plain_reference(sampling):
    logits = torch.randn(50, 24, generator=torch.Generator().manual_seed(0)) * 2
    generators = [torch.Generator().manual_seed(seed) for seed in range(50)]
    drawn = draw(logits, sampling, exponential_noise(generators, 1, logits, sampling)[0])
    for seed, (row, code) in enumerate(zip(logits, drawn, strict=True)):
        chances = chances_by_hand(row, sampling)
        assert code == torch.multinomial(chances, 1, generator=torch.Generator().manual_seed(seed))


def test_temperature_0_takes_the_likeliest(model, instruction):
    logits = torch.randn(4, 24, generator=torch.Generator().manual_seed(0))
    assert torch.equal(draw(logits, GREEDY, exponential_noise([], 1, logits, GREEDY)[0]), logits.argmax(dim=1))
    assert torch.equal(pictures(model, instruction, [1], GREEDY), pictures(model, instruction, [2], GREEDY))
