"""The two layouts in which Janus-Pro is published, and where each weight of ours lies in them.

    ours                      transformers               deepseek-ai/Janus
    understanding.transformer model.vision_model         vision_model.vision_tower, queries, keys and values as one
    understanding.aligner     model.aligner              aligner
    vision                    model.vqmodel              gen_vision_model
    language.generation_*     model.generation_*         gen_embed, gen_aligner
    language.lm_head          model.generation_head      gen_head
    language.model            model.language_model       language_model.model

What only answers in words are made with is left where it is, and so is SigLIP's attention pool.
"""

import re
from dataclasses import dataclass

Shape = tuple[int, ...]

PREFIXES = {
    "model.vision_model.": "understanding.transformer.",
    "model.aligner.": "understanding.aligner.",
    "model.vqmodel.": "vision.",
    "model.generation_head.": "language.lm_head.",
    "model.generation_": "language.generation_",
    "model.language_model.": "language.model.",
}
BLOCK = r"vision_model\.vision_tower\.blocks\.(\d+)"
RULES = {
    rf"{BLOCK}\.norm([12])\.": r"understanding.transformer.encoder.layers.\1.layer_norm\2.",
    rf"{BLOCK}\.attn\.proj\.": r"understanding.transformer.encoder.layers.\1.self_attn.projection_layer.",
    rf"{BLOCK}\.attn\.qkv\.": r"understanding.transformer.encoder.layers.\1.self_attn.qkv.",
    rf"{BLOCK}\.mlp\.": r"understanding.transformer.encoder.layers.\1.mlp.",
    r"vision_model\.vision_tower\.pos_embed$": "understanding.transformer.embeddings.position_embedding.weight",
    r"vision_model\.vision_tower\.patch_embed\.proj\.": "understanding.transformer.embeddings.patch_embedding.",
    r"vision_model\.vision_tower\.norm\.": "understanding.transformer.post_layernorm.",
    r"aligner\.layers\.0\.": "understanding.aligner.fc1.",
    r"aligner\.layers\.2\.": "understanding.aligner.hidden_layers.0.",
    r"gen_aligner\.layers\.0\.": "language.generation_aligner.fc1.",
    r"gen_aligner\.layers\.2\.": "language.generation_aligner.hidden_layers.0.",
    r"gen_embed\.": "language.generation_embeddings.",
    r"gen_head\.output_mlp_projector\.": "language.lm_head.proj_out.",
    r"gen_head\.vision_head\.": "language.lm_head.vision_head.",
    r"gen_vision_model\.encoder\.conv_blocks\.(\d+)\.res\.": r"vision.encoder.down.\1.block.",
    r"gen_vision_model\.encoder\.conv_blocks\.(\d+)\.": r"vision.encoder.down.\1.",
    r"gen_vision_model\.decoder\.conv_blocks\.(\d+)\.res\.": r"vision.decoder.up.\1.block.",
    r"gen_vision_model\.decoder\.conv_blocks\.(\d+)\.": r"vision.decoder.up.\1.",
    r"gen_vision_model\.(encoder|decoder)\.mid\.0\.": r"vision.\1.mid.block_1.",
    r"gen_vision_model\.(encoder|decoder)\.mid\.1\.": r"vision.\1.mid.attn_1.",
    r"gen_vision_model\.(encoder|decoder)\.mid\.2\.": r"vision.\1.mid.block_2.",
    r"gen_vision_model\.": "vision.",
    r"language_model\.model\.": "language.model.",
}
NEVER_READ = re.compile(
    r"lm_head\.weight|language_model\.lm_head\.weight|vision_model\.vision_tower\.attn_pool\..*"
    r"|gen_vision_model\.quantize\.codebook_used|.*\.rotary_emb\.inv_freq"
)


@dataclass(frozen=True)
class Source:
    """Where a weight lies: the tensor `name` of a file, or of its first dimension one of three equal parts."""

    name: str
    shape: Shape
    part: int | None = None

    @property
    def first(self) -> int:
        """The row of the tensor in the file where it begins."""
        return (self.part or 0) * self.shape[0]


def our_name(name: str) -> str | None:
    """That of a published weight here; None for one of another model."""
    for theirs, ours in PREFIXES.items():
        if name.startswith(theirs):
            return ours + name[len(theirs) :]
    for pattern, ours in RULES.items():
        if found := re.match(pattern, name):
            return found.expand(ours) + name[found.end() :]
    return None


def sources(name: str, shape: Shape) -> dict[str, Source]:
    """Names of ours, and where their weights lie in the published tensor of that name and shape. What is not ours keeps
    its name; what is never read is nowhere."""
    if NEVER_READ.fullmatch(name):
        return {}
    ours = our_name(name) or name
    if ".self_attn.qkv." in ours and shape and shape[0] % 3 == 0:
        each = (shape[0] // 3, *shape[1:])
        return {ours.replace("qkv", f"{one}_proj"): Source(name, each, part) for part, one in enumerate("qkv")}
    if name.endswith("pos_embed") and shape[:1] == (1,):
        return {ours: Source(name, shape[1:])}
    return {ours: Source(name, shape)}
