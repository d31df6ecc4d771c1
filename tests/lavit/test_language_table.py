"""Every parameter of language_model/ of rain1011/LaVIT-7B-v2 has its place in our module, and none is left over."""

import torch

from drc.lmm.lavit.language import FIRST_CODE, LavitLanguage, code_ids
from drc.lmm.llama import LlamaConfig

CODES, WIDTH, FEED_FORWARD, LAYERS = 16384, 4096, 11008, 32
VOCABULARY = 48386
SETTINGS = {
    "hidden_size": WIDTH,
    "intermediate_size": FEED_FORWARD,
    "max_position_embeddings": 2048,
    "num_attention_heads": 32,
    "num_hidden_layers": LAYERS,
    "rms_norm_eps": 1e-5,
    "vocab_size": VOCABULARY,
}
LAYER = {
    "self_attn.q_proj.weight": (WIDTH, WIDTH),
    "self_attn.k_proj.weight": (WIDTH, WIDTH),
    "self_attn.v_proj.weight": (WIDTH, WIDTH),
    "self_attn.o_proj.weight": (WIDTH, WIDTH),
    "mlp.gate_proj.weight": (FEED_FORWARD, WIDTH),
    "mlp.up_proj.weight": (FEED_FORWARD, WIDTH),
    "mlp.down_proj.weight": (WIDTH, FEED_FORWARD),
    "input_layernorm.weight": (WIDTH,),
    "post_attention_layernorm.weight": (WIDTH,),
}
TABLE = {
    "model.embed_tokens.weight": (VOCABULARY, WIDTH),
    **{f"model.layers.{layer}.{name}": shape for layer in range(LAYERS) for name, shape in LAYER.items()},
    "model.norm.weight": (WIDTH,),
    "lm_head.weight": (VOCABULARY, WIDTH),
}


def build():
    """The module at its true size, without memory for its weights."""
    with torch.device("meta"):
        return LavitLanguage(LlamaConfig.read(SETTINGS))


def test_parameters_are_those_of_the_files():
    assert len(TABLE) == 291
    ours = {name: tuple(tensor.shape) for name, tensor in build().state_dict().items()}
    assert ours == TABLE
    assert sum(torch.Size(shape).numel() for shape in ours.values()) == 6_872_649_728


def test_logits_are_those_of_image_end_and_the_codes():
    language = build()
    assert language.logits(torch.empty(2, WIDTH, device="meta")).shape == (2, 1 + CODES)
    assert code_ids(torch.tensor([0, CODES - 1])).tolist() == [FIRST_CODE, VOCABULARY - 1]
