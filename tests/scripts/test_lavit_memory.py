"""Memory that is counted without memory is the memory that is taken, and documents and help pages say so much."""

import pytest
import torch

from drc.train.machine.memory import pass_peak, recompute
from drc.train.objectives.stages import STAGES
from scripts import janus_memory, lavit_memory, write_memory
from scripts.lib.tiny_lavit import SIZES


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_pass_without_memory_counts_the_bytes_of_a_real_one(precision, again):
    config = lavit_memory.config_of(SIZES)
    batch = lavit_memory.batch_of(config, samples=2, codes=25, history=3)
    counted = pass_peak(lavit_memory.objective_of(config, "LoRA", precision, again), batch)
    drc = lavit_memory.without_memory(config).to_empty(device="cpu")
    drc.lmm.drop_vision()
    drc.requires_grad_(True)
    drc.lmm.learn("LoRA", 8, 16.0, precision)
    real = STAGES[2](drc, precision)
    for parameter in real.parameters():
        parameter.data.zero_()
    if again:
        recompute(drc.lmm.layers())
    assert counted == pytest.approx(pass_peak(real, batch), rel=0.02)


@pytest.fixture(scope="module")
def lavit():
    """Rows of drawing after pictures of few codes, and of the most."""
    config = lavit_memory.config_of()
    return [
        {name: rest for name, *rest in lavit_memory.drawing(config, codes, write_memory.HISTORY)}
        for codes in (90, write_memory.CODES)
    ]


def test_a_language_model_of_the_published_size_has_the_published_number_of_weights(lavit):
    assert lavit[0]["language, bfloat16"][0] == "13.75 GB"  # 6,872,649,728 numbers


def rounded(gigabytes):
    return f"{float(gigabytes.split()[0]):.1f}"


def test_the_document_says_what_drawing_takes(lavit):
    few, most = lavit
    weights = {name: rounded(cells[0]) for name, cells in few.items()}
    beside = {name: f"{rounded(few[name][1])} to {rounded(most[name][1])} GB" for name in few if few[name][1]}
    assert all(each["language, int8"] == each["language, float8"] for each in (weights, beside))
    text = write_memory.LAVIT.read_text("utf-8")
    for cells in (
        f"the towers | {weights['vision']} GB |",
        f"(bfloat16) | *DRC-LMM-Generate* | {few['language, bfloat16'][0]}, and {beside['language, bfloat16']} for the",
        f"int8 or float8 | *DRC-LMM-Generate* | {weights['language, int8']} GB, and {beside['language, int8']} |",
        f"*ComposeInstruction* | {weights['disentangler']} GB |",
        f"*Tokens To Conditioning* | {weights['decoder']} GB |",
    ):
        assert cells in text


def test_load_drc_model_says_what_each_storage_takes(lavit):
    janus = {name: weights for name, weights, _ in janus_memory.drawing(janus_memory.config_of("1B"))}
    lavit = {name: weights for name, (weights, _) in lavit[0].items()}
    page = (write_memory.HELP[0].parent / "DRC_LoadModel.md").read_text("utf-8")
    told = [f"{lavit[f'language, {way}'].split()[0]} and {janus[f'language, {way}']}" for way in ("int8", "float8")]
    told += [f"{lavit['language, bfloat16']} for LaVIT-7B-v2 and {janus['language, bfloat16']} for Janus-Pro-1B"]
    told += [f"the vision part ({lavit['vision']})", f"the token decoder ({lavit['decoder']})"]
    assert not [words for words in told if words not in " ".join(page.split())]


@pytest.mark.parametrize("page", write_memory.HELP, ids=lambda page: page.stem)
def test_help_pages_say_what_a_card_holds_by_the_tables(page):
    """`python -m scripts.write_memory` writes both."""
    assert write_memory.with_cards(page.read_text("utf-8")) == page.read_text("utf-8")


@pytest.mark.parametrize(
    ("document", "settings", "config"),
    [
        (write_memory.LAVIT, ("bfloat16", "LoRA"), lavit_memory.config_of),
        (write_memory.JANUS, ("1B",), lambda: janus_memory.config_of("1B")),
    ],
)
def test_tables_say_what_one_picture_takes(document, settings, config):
    """The rest of them takes minutes."""
    config, again = config(), True
    objective = lavit_memory.objective_of(config, "LoRA", torch.bfloat16, again)
    codes = min(write_memory.CODES, config.lmm.grid**2) if config.lmm.variable_length else config.lmm.grid**2
    batch = lavit_memory.batch_of(config, 1, codes, write_memory.HISTORY)
    kept = lavit_memory.TRAINED_BYTES * lavit_memory.trained_numbers(objective)
    kept += lavit_memory.bytes_of(one for one in objective.parameters() if not one.requires_grad)
    told, _ = write_memory.ways_in(document, *settings)["on"]
    assert (kept + pass_peak(objective, batch)) / 1e9 == pytest.approx(told, abs=0.006)


@pytest.mark.parametrize(
    ("ways", "lines"),
    [
        ({"off": (6.5, 28.3), "on": (5.4, 10.9)}, {8: "on 2", 12: "on 8", 16: "on 16", 24: "off 8", 32: "off 16"}),
        ({"off": (31.6, 74.1), "on": (29.2, 36.5)}, {32: "on 2", 48: "on 16", 80: "off 16"}),
    ],
)
def test_a_card_gets_what_is_quickest_of_what_it_holds(ways, lines):
    told = (f"{card} {what}".split() for card, what in lines.items())
    expected = [f"- {card} GB: `recompute` {again}, `micro_batch` {count}." for card, again, count in told]
    assert write_memory.cards(ways) == expected
