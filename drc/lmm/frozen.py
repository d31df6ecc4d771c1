"""What LMMs with files of their own have in common: they stay as they are, and at most a LoRA learns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor, nn

from ..progress import OnPart
from ..shapes import Hollow
from .integers import keep_as_integers
from .lora import LoRA, add_lora, is_lora, merge_into


@dataclass(frozen=True)
class FrozenConfig:
    """The fields of a `drc.lmm.PretrainedConfig`. `sizes` are those of the files, of its `language` among others;
    `before` and `after` are ids of the words around text and instruction, kept so that a training and what draws with
    it read the same."""

    sizes: Any
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    text_slots: Annotated[int, range(1, 1024 + 1)] = 64
    lora_rank: Annotated[int, range(1024 + 1)] = 0  # of the LoRA beside the language model; 0: none
    lora_alpha: float = 16.0
    pretrained: ClassVar = True

    @property
    def width(self) -> int:
        return self.sizes.language.hidden_size


def without_memory(kind: Callable[..., nn.Module], config, operations) -> nn.Module:
    """The LMM that `kind(config, operations)` makes, whose weights come with its files, and no start values before."""
    with torch.device("meta"):
        return kind(config, Hollow if operations is nn else operations)


class Frozen(nn.Module):
    """The members of `drc.lmm.LMM` that follow; `config` is a FrozenConfig, `language` has a LLaMA."""

    pretrained = True
    prompt_lengths: range  # see `drc.lmm.InContextLMM`
    title: str  # what messages call it
    matrices = "lm_head.weight"  # one of those that `store_in` keeps in another type

    @property
    def blank_code(self) -> int:
        return self.codebook_size

    @property
    def text_slots(self) -> int:
        return self.config.text_slots

    @property
    def prompt_ids(self) -> int:
        return self.config.sizes.language.vocab_size

    def layers(self) -> Iterable[nn.Module]:
        return self.language.model.layers

    def trainable_parts(self, wished: str) -> str:
        """A LoRA, or nothing; ValueError for more."""
        if wished == "everything":
            raise ValueError(
                f"train_language is 'everything', but {self.title} was pretrained and is too large to learn whole; set "
                "it to 'automatic' or 'LoRA'"
            )
        return "LoRA" if wished == "automatic" else wished

    def require_instructions(self, count: int) -> None:
        """ValueError for more of them than a prompt has room for beside text in all slots and the picture."""
        tokens = len((*self.config.before, *self.config.after)) + self.text_slots + count
        remedy = f"choose a larger {self.title}, or a model that was trained over one"
        self.require_room(tokens, "text and instruction take", remedy)

    def require_room(self, tokens: int, what: str, remedy: str) -> None:
        """ValueError for a prompt of so many that the language model was not trained to read."""
        room = self.prompt_lengths.stop - 1
        if tokens > room:
            raise ValueError(
                f"{what} {tokens} tokens, but this language model has room for {room} beside the picture that it "
                f"draws; {remedy}"
            )

    def learn(self, parts: str, rank: int, alpha: float, precision: torch.dtype) -> None:
        """Freezes all but a LoRA, which is made where there is none; what is frozen is kept in `precision`."""
        self.requires_grad_(False)
        if parts == "LoRA" and not self.config.lora_rank:
            add_lora(self.language, rank, alpha)
            self.config = replace(self.config, lora_rank=rank, lora_alpha=alpha)
        for name, parameter in self.language.named_parameters():
            parameter.data = parameter.data.to(torch.float32 if is_lora(name) else precision)
            parameter.requires_grad_(is_lora(name) and parts == "LoRA")

    def initialise(self) -> None:
        """It is pretrained; only a LoRA begins anew."""
        for module in self.language.modules():
            if isinstance(module, LoRA):
                module.initialise()

    def tie(self) -> None:
        """Its head and its table are apart."""

    def exported(self, state: dict[str, Tensor], vision: nn.Module) -> dict[str, Tensor]:
        """The LoRA alone: the rest is read from the files of the LMM."""
        return {name: tensor for name, tensor in state.items() if is_lora(name)}

    def merge(self, on_part: OnPart | None = None) -> None:
        """Makes a LoRA part of the language model, which draws the same but for rounding, with a quarter fewer
        operations. `on_part` is called before each layer and may raise to stop."""
        merge_into(self.language, on_part)
        self.config = replace(self.config, lora_rank=0)

    def store_in(self, dtype: torch.dtype | None, on_part: OnPart | None = None) -> torch.dtype:
        """Keeps the matrices of the language model in `dtype`, None for that of the files; returns what it is. Of int8
        see `drc.lmm.integers`. `on_part` is called before each and may raise to stop.

        Input table, norms and LoRA keep that of the files: they are small, and eight bits are not enough for them.
        """
        for name, module in self.language.named_modules():
            if on_part is not None:
                on_part()
            if dtype is None or not isinstance(module, nn.Linear) or is_lora(f"{name}.weight"):
                continue
            if dtype == torch.int8:
                keep_as_integers(module)
            else:
                module.weight.data = module.weight.data.to(dtype)
        return self.language.get_parameter(self.matrices).dtype
