"""Janus-Pro, ours and that of transformers, with the same random weights, which they share: for `scripts.bench_lmm`."""

import argparse
from math import isqrt

import torch
import transformers
from torch import Tensor

from drc.instruction import InContext
from drc.lmm.generate import Sampling
from drc.lmm.janus.config import SiglipConfig, Sizes, TokenizerConfig
from drc.lmm.janus.layout import sources
from drc.lmm.janus.model import JanusConfig
from drc.lmm.llama import LlamaConfig
from scripts.lib.tiny_janus import settings

VOCABULARY, BEGIN, PAD, IMAGE = 102400, 100000, 100015, 100016
GUIDANCE = 5.0


def sizes_of(options: argparse.Namespace) -> Sizes:
    """The language side at full size or as asked for; SigLIP and tokeniser, which draw no codes, tiny."""
    language = LlamaConfig(
        VOCABULARY, options.hidden, options.feed_forward, options.layers, options.heads, options.heads,
        rms_norm_eps=1e-6, max_position_embeddings=16384,
    )  # fmt: skip
    siglip = SiglipConfig(
        image_size=2 * isqrt(options.codes), patch_size=2, width=16, heads=2, feed_forward=64, layers=1
    )
    return Sizes(language, siglip, TokenizerConfig(base=32, multipliers=(1, 1), blocks=1, latent=8))


class JanusPair:
    """Both draw pictures of `codes` codes after a prompt of random ids, with guidance as the original has it."""

    def __init__(self, options: argparse.Namespace):
        self.sizes, self.device = sizes_of(options), options.device
        config = settings(self.sizes)
        config["text_config"] |= {"bos_token_id": BEGIN, "pad_token_id": PAD, "eos_token_id": 100001}
        parts = {name: part for name, part in config.items() if name.endswith("_config")}
        torch.manual_seed(0)
        with torch.device(options.device):
            model = transformers.JanusForConditionalGeneration(transformers.JanusConfig(**parts))
        self.model = model.to(options.dtype).eval().requires_grad_(False)
        generation = self.model.generation_config
        generation.bos_token_id, generation.pad_token_id = BEGIN, PAD
        generation.generation_kwargs = {"boi_token_id": IMAGE}
        self.lmm = JanusConfig(self.sizes, (BEGIN,), (IMAGE,), pad=PAD).build()
        theirs = self.model.state_dict()
        shared = {ours: tensor for name, tensor in theirs.items() for ours in sources(name, tuple(tensor.shape))}
        self.lmm.load_state_dict(shared, assign=True)
        words = torch.randint(0, BEGIN, (options.prompt - 2,), generator=torch.Generator().manual_seed(1))
        self.prompt = torch.cat((torch.tensor([BEGIN]), words, torch.tensor([IMAGE]))).to(options.device)
        self.seeds = list(range(options.batch))

    @property
    def codes(self) -> int:
        return self.lmm.picture_codes

    @property
    def words(self) -> InContext:
        return InContext(self.prompt, GUIDANCE, "")

    def ours(self, sampling: Sampling = Sampling(), **how: bool) -> Tensor:  # noqa: B008
        """Codes [B, N]; `how` to make a step."""
        return self.lmm.draw(self.words, self.seeds, sampling, **how)

    def theirs(self, **how) -> Tensor:
        """Codes [B, N] by `generate`; `how` to sample."""
        prompts = self.prompt.expand(len(self.seeds), -1)
        return self.model.generate(
            prompts, attention_mask=torch.ones_like(prompts), generation_mode="image", guidance_scale=GUIDANCE, **how
        )

    def matrices(self) -> list[Tensor]:
        """The weights of the products of a step."""
        return [module.weight for module in self.lmm.language.modules() if isinstance(module, torch.nn.Linear)]
