"""The memory that a drawing is said to take is the memory that it takes."""

from dataclasses import replace

import pytest
import torch

from drc.checkpoint import load
from drc.instruction import InContext, Instruction
from drc.lmm.generate import Sampling
from drc.lmm.janus.model import JanusConfig
from drc.lmm.lavit.language import IMAGE_END, LavitLanguage, draw_codes, drawing_bytes, guided
from drc.lmm.llama import LlamaConfig
from drc.train.machine.memory import LiveBytes
from scripts.lib.tiny import CONFIG, write_tiny
from scripts.lib.tiny_janus import SIZES, of_width, weights

CODES = 399


@pytest.mark.parametrize(
    ("prompt", "pictures", "guidance", "limit"),
    [(30, 1, 3.0, 60), (600, 1, 3.0, 16), (600, 1, 1.0, 16), (64, 8, 3.0, 16)],
)
@torch.no_grad()
def test_of_a_lavit(prompt, pictures, guidance, limit):
    torch.manual_seed(0)
    language = LavitLanguage(LlamaConfig(IMAGE_END + 1 + CODES, 96, 256, 6, 4, 4))
    streams = guided(language, [language.prompt([torch.arange(3, 2 + prompt)])], guidance)
    given = [one for _, prompts in streams for one in prompts]
    with LiveBytes([*language.parameters(), *given]) as live:
        draw_codes(language, streams, list(range(pictures)), Sampling(top_k=50), limit, limit)
    lengths = [len(prompts[0]) for _, prompts in streams]
    said = drawing_bytes(language, lengths, pictures, limit)
    assert said == pytest.approx(live.peak, rel=0.1)


@pytest.mark.parametrize("pictures", [1, 5])
@torch.no_grad()
def test_of_the_embedded_model(tmp_path, pictures):
    lmm = load(write_tiny(tmp_path / "tiny.safetensors")).lmm
    streams = 3
    vectors = torch.randn(streams, CONFIG.fusion.instructions, lmm.config.width)
    text = torch.zeros(streams, lmm.text_slots, dtype=torch.long)
    instruction = Instruction(vectors, text, torch.tensor([1.0, 2.0, -2.0]), "")
    with LiveBytes([*lmm.parameters(), vectors, text, instruction.coefficients]) as live:
        lmm.draw(instruction, list(range(pictures)), Sampling())
    assert lmm.drawing_bytes(instruction, pictures) == pytest.approx(live.peak, rel=0.1)


@pytest.mark.parametrize(("prompt", "pictures", "guidance"), [(24, 1, 5.0), (24, 5, 5.0), (24, 1, 1.0), (300, 1, 5.0)])
@torch.no_grad()
def test_of_a_janus(prompt, pictures, guidance):
    language = LlamaConfig(400, 96, 256, 6, 4, 4, max_position_embeddings=512)
    tokenizer = replace(SIZES.tokenizer, codes=16384)  # whose outcomes take more than a pass of a short prompt
    sizes = of_width(replace(SIZES, language=language, tokenizer=tokenizer), grid=12)
    lmm = JanusConfig(sizes, (1,), (2,)).build()
    lmm.load_state_dict({name: one.float() for name, one in weights(sizes).items()}, assign=True)
    words = InContext(torch.randint(400, (prompt,)), guidance, "")
    with LiveBytes([*lmm.parameters(), words.ids]) as live:
        lmm.draw(words, list(range(pictures)), Sampling())
    assert lmm.drawing_bytes(words, pictures) == pytest.approx(live.peak, rel=0.1)
