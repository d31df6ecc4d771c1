"""The token decoders against what the original recorded."""

import pytest
import torch

from .layers import casting, rounded, watch
from .recorded import MANIFEST, assert_recorded, outputs, tensors

FILE = "decoder.safetensors"
CASES = MANIFEST["scenarios"]["decoder_cases"]


def vectors_of(tokenizer, case):
    ids, counts = (tensors(FILE)[f"in.{case}.{quantity}"] for quantity in ("code_ids", "token_nums"))
    return tokenizer.vectors(ids.split(counts.tolist()))


@pytest.fixture(scope="module")
def computed(tokenizer, high, low):
    made = {}
    for case in CASES:
        vectors = vectors_of(tokenizer, case)
        made[f"out.{case}.code_vectors"] = torch.cat(vectors)
        made[f"out.{case}.high.prompt_embeds"], made[f"out.{case}.high.pooled"] = high(vectors)
        made[f"out.{case}.low.prompt_embeds"] = low(vectors)
    vectors = vectors_of(tokenizer, "two_unequal")
    made["out.two_unequal.high.reconstruction"] = high.features(vectors)
    made["out.two_unequal.low.reconstruction"] = low.features(vectors)
    return made


@pytest.mark.parametrize("name", outputs(FILE))
def test_recorded(computed, name):
    assert computed.keys() == set(outputs(FILE))
    assert_recorded(FILE, name, computed[name])


def test_a_picture_does_not_depend_on_its_neighbours(tokenizer, high):
    vectors = vectors_of(tokenizer, "full_and_one")
    prompt, pooled = high(vectors)
    for index in range(2):
        alone, alone_pooled = high(vectors[index : index + 1])
        torch.testing.assert_close(alone[0], prompt[index], rtol=0, atol=1e-5)
        torch.testing.assert_close(alone_pooled[0], pooled[index], rtol=0, atol=1e-5)


def test_a_picture_without_codes_is_refused(tokenizer, high):
    vectors = tokenizer.vectors([torch.tensor([3, 1]), torch.empty(0, dtype=torch.long)])
    with pytest.raises(ValueError, match=r"^picture 2 of the tokens has 0 codes, expected 1 to 25; "):
        high(vectors)


def test_a_picture_of_too_many_codes_is_refused(tokenizer, low):
    with pytest.raises(ValueError, match=r"^picture 1 of the tokens has 26 codes, expected 1 to 25; "):
        low(tokenizer.vectors([torch.arange(26)]))


def test_the_host_s_layers_compute_the_same(tokenizer, high):
    prompt, pooled = casting(high)(vectors_of(tokenizer, "three"))
    assert_recorded(FILE, "out.three.high.prompt_embeds", prompt)
    assert_recorded(FILE, "out.three.high.pooled", pooled)


def test_weights_in_bfloat16(tokenizer, high):
    """The host keeps them so; what it computes in is the dtype of the vectors."""
    vectors = vectors_of(tokenizer, "two_unequal")
    exact, kept = rounded(high)(vectors), casting(high, torch.bfloat16)
    for made, expected in zip(kept(vectors), exact, strict=True):
        torch.testing.assert_close(made, expected, rtol=0, atol=1e-5)
    products, norms = watch(kept)
    for made, expected in zip(kept([picture.bfloat16() for picture in vectors]), exact, strict=True):
        assert made.dtype == torch.bfloat16
        assert (made - expected).abs().max() < 0.05 * expected.abs().max()
    assert (products, norms) == ({torch.bfloat16}, {torch.float32})


def test_weights_on_another_device(tokenizer, high):
    """As where the host keeps them in main memory; "meta" is the other device that every machine has."""
    vectors = [picture.to("meta") for picture in vectors_of(tokenizer, "two_unequal")]
    assert all(made.device.type == "meta" for made in casting(high)(vectors))
