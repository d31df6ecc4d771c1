"""Every parameter of the published files, by name and shape, has its place in our modules, and none is left over.

The tables are written from the files of rain1011/LaVIT-7B-v2; a file of these shapes has the published size.
"""

import pytest
import torch

from drc.lmm.lavit.config import DecoderConfig, TokenizerConfig, VisionConfig
from drc.lmm.lavit.decoder import HighResolutionDecoder, LowResolutionDecoder
from drc.lmm.lavit.tokenizer import VisualTokenizer
from drc.lmm.lavit.vision import VisionTransformer

from .recorded import SIZES


def table(text):
    """Lines of a name and a shape. A name ending in * stands for its weight and its bias, {0..n} for the numbers."""
    shapes = {}
    for line in text.strip().splitlines():
        name, *sizes = line.split()
        shape = tuple(int(size) for size in sizes)
        for expanded in numbered(name):
            if expanded.endswith("*"):
                shapes[expanded[:-1] + "weight"] = shape
                shapes[expanded[:-1] + "bias"] = shape[:1]
            else:
                shapes[expanded] = shape
    return shapes


def numbered(name):
    if "{0.." not in name:
        return [name]
    before, rest = name.split("{0..")
    last, after = rest.split("}")
    return [f"{before}{number}{after}" for number in range(int(last) + 1)]


VISION = table("""
    cls_token                        1 1 1408
    pos_embed                        1 257 1408
    patch_embed.proj.*               1408 3 14 14
    blocks.{0..39}.norm1.*           1408
    blocks.{0..39}.attn.q_bias       1408
    blocks.{0..39}.attn.v_bias       1408
    blocks.{0..39}.attn.qkv.weight   4224 1408
    blocks.{0..39}.attn.proj.*       1408 1408
    blocks.{0..39}.norm2.*           1408
    blocks.{0..39}.mlp.fc1.*         6144 1408
    blocks.{0..39}.mlp.fc2.*         1408 6144
    norm.*                           1408
    head.*                           1024 1408
""")
TOKENIZER = table("""
    token_predictor.in_conv.0.*                            1408
    token_predictor.in_conv.1.*                            1408 1408
    token_predictor.out_conv.0.*                           704 1408
    token_predictor.out_conv.2.*                           352 704
    token_predictor.out_conv.4.*                           2 352
    causal_encoder.blocks.{0..11}.norm0.*                  1408
    causal_encoder.blocks.{0..11}.norm1.*                  1408
    causal_encoder.blocks.{0..11}.norm2.*                  1408
    causal_encoder.blocks.{0..11}.token_causal_attn.qkv.*  4224 1408
    causal_encoder.blocks.{0..11}.token_causal_attn.proj.* 1408 1408
    causal_encoder.blocks.{0..11}.token_cross_attn.query.* 1408 1408
    causal_encoder.blocks.{0..11}.token_cross_attn.key.*   1408 1408
    causal_encoder.blocks.{0..11}.token_cross_attn.value.* 1408 1408
    causal_encoder.blocks.{0..11}.token_cross_attn.proj.*  1408 1408
    causal_encoder.blocks.{0..11}.mlp.fc1.*                6144 1408
    causal_encoder.blocks.{0..11}.mlp.fc2.*                1408 6144
    causal_encoder.ln_vision.*                             1408
    causal_encoder.norm.*                                  1408
    quantize.embedding.weight                              16384 32
    encode_task_layer.0.*                                  1408 1408
    encode_task_layer.2.*                                  32 1408
""")
DECODER = table("""
    pos_embed                          1 256 1408
    query_embed                        1 256 1408
    in_proj.*                          1408 32
    blocks.{0..11}.norm0.*             1408
    blocks.{0..11}.norm1.*             1408
    blocks.{0..11}.norm2.*             1408
    blocks.{0..11}.self_attn.qkv.*     4224 1408
    blocks.{0..11}.self_attn.proj.*    1408 1408
    blocks.{0..11}.cross_attn.query.*  1408 1408
    blocks.{0..11}.cross_attn.key.*    1408 1408
    blocks.{0..11}.cross_attn.value.*  1408 1408
    blocks.{0..11}.cross_attn.proj.*   1408 1408
    blocks.{0..11}.mlp.fc1.*           6144 1408
    blocks.{0..11}.mlp.fc2.*           1408 6144
    norm.*                             1408
    decode_task_layer.0.*              1408 1408
    decode_task_layer.2.*              1408 1408
""")
HIGH = DECODER | table("""
    unet_proj_1.*                       768 1408
    unet_proj_2.*                       1280 1408
    unet_attnpool.positional_embedding  257 1408
    unet_attnpool.q_proj.*              1408 1408
    unet_attnpool.k_proj.*              1408 1408
    unet_attnpool.v_proj.*              1408 1408
    unet_attnpool.c_proj.*              1280 1408
""")
LOW = DECODER | table("unet_proj.* 768 1408")
FILES = {
    "vision": (VisionTransformer, VisionConfig, VISION, 528, 1_012_588_928),
    "tokenizer": (VisualTokenizer, TokenizerConfig, TOKENIZER, 283, 404_048_130),
    "high resolution": (HighResolutionDecoder, DecoderConfig, HIGH, 287, 414_002_304),
    "low resolution": (LowResolutionDecoder, DecoderConfig, LOW, 276, 404_081_792),
}


def build(name):
    """The module at its true size, without memory for its weights."""
    module, config = FILES[name][:2]
    with torch.device("meta"):
        return module(config())


@pytest.mark.parametrize("name", FILES)
def test_parameters_are_those_of_the_file(name):
    expected, tensors, parameters = FILES[name][2:]
    assert len(expected) == tensors
    ours = {key: tuple(tensor.shape) for key, tensor in build(name).state_dict().items()}
    assert ours == expected
    assert sum(torch.Size(shape).numel() for shape in ours.values()) == parameters


def test_what_the_shapes_do_not_tell():
    vision, tokenizer, decoder = VisionConfig(), TokenizerConfig(), DecoderConfig()
    assert (vision.heads, tokenizer.heads, decoder.heads) == (16, 16, 16)
    assert (vision.layer_norm_eps, tokenizer.layer_norm_eps, decoder.layer_norm_eps) == (1e-6, 1e-5, 1e-5)
    assert (vision.image_mean, vision.image_std) == (tuple(SIZES["image_mean"]), tuple(SIZES["image_std"]))


def test_features_have_the_size_that_the_tokeniser_reads():
    features = build("vision")(torch.empty(2, 3, 224, 224, device="meta"))
    assert features.shape == (2, 257, 1408)
    log_probabilities = build("tokenizer").token_predictor(features[:, 1:])
    assert log_probabilities.shape == (2, 256, 2)
    keep = torch.empty(2, 256, dtype=torch.bool, device="meta")
    assert build("tokenizer").causal_encoder(features[:, 1:], keep).shape == (2, 256, 1408)


def test_conditions_have_the_sizes_that_the_unets_read():
    vectors = [torch.empty(count, 32, device="meta") for count in (90, 256)]
    prompt, pooled = build("high resolution")(vectors)
    assert (prompt.shape, pooled.shape) == ((2, 256, 2048), (2, 1280))
    assert build("low resolution")(vectors).shape == (2, 256, 768)
