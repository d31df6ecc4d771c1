"""LaVIT's tokeniser against what the original recorded, and what a picture's codes may depend on."""

import pytest
import torch

from drc.lmm.lavit.preprocess import prepare_for_tokenizer
from drc.lmm.lavit.tokenizer import (
    causal_policy,
    decide,
    dropped_policy,
    gumbel_noise,
    masked_softmax,
)

from .layers import casting, rounded, watch
from .recorded import FIRST_CODE, MANIFEST, TOKENIZER, VISION, assert_recorded, outputs, picture, tensors

FILE = "tokenizer.safetensors"
RECORDED = tensors(FILE)
GIVEN = ["all_kept", "one_kept_ends", "one_kept_middle", "random_mask"]  # cases whose decision is prescribed
SEED = MANIFEST["scenarios"]["gumbel_seed"]
N = VISION.patches


@pytest.fixture(scope="module")
def computed(vision, tokenizer, features):
    log_probabilities = tokenizer.token_predictor(features)
    noise = RECORDED["in.gumbel_noise"]
    keeps = {case: RECORDED[f"in.{case}.decision"] > 0 for case in GIVEN}
    keeps["gumbel"], keeps["argmax"] = decide(log_probabilities, noise), decide(log_probabilities)
    made = {"out.log_probs": log_probabilities}
    for case, keep in keeps.items():
        made |= {f"out.{case}.{quantity}": tensor for quantity, tensor in of_case(tokenizer, features, keep).items()}
    for case in ("gumbel", "random_mask"):
        made[f"out.{case}.understanding_features"] = understood(made[f"out.{case}.merged"][keeps[case]])
    scores = log_probabilities + noise
    made["out.gumbel.margin"] = scores[..., 0] - scores[..., 1]
    made["out.argmax.margin"] = log_probabilities[..., 0] - log_probabilities[..., 1]
    one_for_both = torch.Generator().manual_seed(SEED)  # as the original draws, from one stream for the whole batch
    made["out.gumbel.official_ids_via_seed"] = torch.cat(tokenizer(features, [one_for_both] * 2)) + FIRST_CODE
    none = torch.zeros_like(keeps["argmax"])
    made["out.none_kept.decision"] = none.float()
    made["out.none_kept.merged"] = tokenizer.causal_encoder(features, none)
    return made | of_pngs(vision, tokenizer) | of_softmax()


def of_case(tokenizer, features, keep):
    codes = tokenizer.encode(features, keep)
    merged = tokenizer.causal_encoder(features, keep)
    quantiser_input = tokenizer.encode_task_layer(merged[keep])
    nearest = tokenizer.quantize.distances(quantiser_input).topk(2, largest=False).values
    start, end = torch.tensor([32000]), torch.tensor([32001])
    return {
        "decision": keep.float(),
        "merged": merged,
        "quantiser_input": quantiser_input,
        "code_gap": nearest[:, 1] - nearest[:, 0],
        "code_ids": torch.cat(codes),
        "token_nums": torch.tensor([len(picture_codes) for picture_codes in codes]),
        "quantised": torch.cat(tokenizer.vectors(codes)),
        "llm_ids_with_special": torch.cat([part for ids in codes for part in (start, ids + FIRST_CODE, end)]),
    }


def understood(rows):
    """The path of captions, which DRC does not take: it shows that the rows of kept patches are in order."""
    weights = tensors("weights/vit_proj.safetensors")
    return torch.nn.functional.linear(rows, weights["vit_proj.weight"], weights["vit_proj.bias"])


def of_pngs(vision, tokenizer):
    """From files to codes."""
    features = vision(prepare_for_tokenizer([picture("small"), picture("large")], VISION))[:, 1:]
    codes = tokenizer(features)
    return {
        "out.png_argmax.log_probs": tokenizer.token_predictor(features),
        "out.png_argmax.code_ids": torch.cat(codes),
        "out.png_argmax.token_nums": torch.tensor([len(picture_codes) for picture_codes in codes]),
        "out.png_argmax.quantised": torch.cat(tokenizer.vectors(codes)),
    }


def of_softmax():
    scores, keep = RECORDED["in.softmax.scores"], RECORDED["in.softmax.policy"] > 0
    return {
        "out.softmax.causal": masked_softmax(scores, causal_policy(keep)),
        "out.softmax.cross": masked_softmax(scores, dropped_policy(keep)),
    }


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def assert_same_codes(codes, others):
    assert len(codes) == len(others)
    assert all(torch.equal(*pair) for pair in zip(codes, others, strict=True))


@pytest.mark.parametrize("name", outputs(FILE))
def test_recorded(computed, name):
    assert computed.keys() == set(outputs(FILE))
    assert_recorded(FILE, name, computed[name])


def test_noise_is_that_of_the_original():
    noise = gumbel_noise(generators(SEED), N)
    torch.testing.assert_close(noise[0], RECORDED["in.gumbel_noise"][0])


def test_a_patch_is_kept_with_its_probability():
    probability = torch.tensor([0.05, 0.5, 0.9])
    log_probabilities = torch.stack((probability, 1 - probability), dim=-1).log().expand(20000, 3, 2)
    keep = decide(log_probabilities, gumbel_noise(generators(0), 20000 * 3).view(20000, 3, 2))
    torch.testing.assert_close(keep.float().mean(dim=0), probability, rtol=0, atol=0.015)  # four standard errors


def test_without_noise_half_is_enough():
    keep = torch.tensor([0.49, 0.5, 0.51])
    assert decide(torch.stack((keep, 1 - keep), dim=-1).log()).tolist() == [False, True, True]


def test_the_same_seed_gives_the_same_codes(tokenizer, features):
    codes = tokenizer(features, generators(7, 8))
    assert_same_codes(tokenizer(features, generators(7, 8)), codes)
    others = [tokenizer(features[:1], generators(seed))[0].tolist() for seed in range(10)]
    assert len({tuple(other) for other in others}) > 5


@pytest.mark.parametrize("seeds", [None, (7, 8)], ids=["most probable", "drawn"])
def test_a_picture_does_not_depend_on_its_neighbours(tokenizer, features, seeds):
    codes = tokenizer(features, seeds and generators(*seeds))
    alone = [tokenizer(features[i : i + 1], seeds and generators(seeds[i]))[0] for i in range(2)]
    assert_same_codes(alone, codes)
    turned = tokenizer(features.flip(0), seeds and generators(*reversed(seeds)))
    assert_same_codes(turned[::-1], codes)


def test_a_picture_of_which_nothing_is_kept_has_no_codes(tokenizer, features):
    keep = torch.zeros(2, N, dtype=torch.bool)
    keep[1, 3:5] = True
    codes = tokenizer.encode(features, keep)
    assert [len(picture_codes) for picture_codes in codes] == [0, 2]
    assert all(picture_codes.dtype == torch.int64 for picture_codes in codes)


def test_codes_are_looked_up_in_float32(tokenizer, features):
    vectors = features[0, :, : TOKENIZER.code_size].bfloat16()
    distances = tokenizer.quantize.distances(vectors)
    assert distances.dtype == torch.float32
    assert torch.equal(distances, tokenizer.quantize.distances(vectors.float()))


def test_the_host_s_layers_compute_the_same(tokenizer, features):
    assert_same_codes(casting(tokenizer)(features, generators(7, 8)), tokenizer(features, generators(7, 8)))


def test_weights_in_bfloat16_as_in_the_published_file(tokenizer, features):
    exact, kept = rounded(tokenizer), casting(tokenizer, torch.bfloat16)
    assert_same_codes(kept(features), exact(features))


def test_all_but_the_selector_computes_in_the_dtype_asked_for(tokenizer, features):
    exact, kept = rounded(tokenizer), casting(tokenizer, torch.bfloat16)
    selected, merged, named = (
        watch(part) for part in (kept.token_predictor, kept.causal_encoder, kept.encode_task_layer)
    )
    codes = kept(features, dtype=torch.bfloat16)
    assert [len(picture_codes) for picture_codes in codes] == [len(picture_codes) for picture_codes in exact(features)]
    assert selected == ({torch.float32}, {torch.float32})
    assert merged == ({torch.bfloat16}, {torch.float32})
    assert named == ({torch.bfloat16}, set())
    keep = decide(exact.token_predictor(features))
    rows, fast = exact.causal_encoder(features, keep), kept.causal_encoder(features, keep, torch.bfloat16)
    assert (fast[keep] - rows[keep]).abs().max() < 0.05 * rows.abs().max()
