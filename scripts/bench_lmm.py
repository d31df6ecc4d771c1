"""What it costs to draw with a large language model, as a ratio against `generate` of transformers in the same run.

    build/venv/bin/python -m scripts.bench_lmm [--layers N --hidden N ...] [--batch N] [--rounds N] [--threads N]
    build/venv/bin/python -m scripts.bench_lmm --size 7b --dtype bfloat16 --device cuda --graph
    build/venv/bin/python -m scripts.bench_lmm --lmm janus --size janus-1b --codes 576 --dtype bfloat16 --device cuda
    build/venv/bin/python -m scripts.bench_lmm --lmm janus --size small --codes 144 --threads 1

Random weights of the given size, the vocabulary of LaVIT, prompts of random ids, and classifier-free guidance. The
baseline is called as LaVIT calls it, with embeddings, a guidance scale and words suppressed; its newer versions want to
be told the unconditional prompt, image start. Both sample with temperature 1 and top k 50 and draw as many codes as
they may. They take turns, the median over the rounds counts, by the processor's time on one thread and else by the
clock; on a processor the ratio by the other of these stands beside it. In float32 both draw the likeliest codes once
before, and the codes must agree.

Of Janus the whole class of transformers draws, by its `generate` with guidance 5, at temperature 1 from all codes.

The limit of the memory is the time in which it could hand over what every step has to read: the weights of all layers
and of the head's rows for codes, and the keys and values of all rows at half of the drawing. Its bandwidth is that of a
copy of 1 GB within the same device, read and written; weights that fit into a processor's own cache can beat it.

On a processor the products of matrices of as many steps are timed beside both, and nothing else: both need the same
ones, as `generate` draws both streams of Janus in one pass, so what is left between them and transformers is all that
can be saved. Where layers are as wide as 1,024 they are nearly all of it.

Of LaVIT it is also told what the time of a drawing is made of: reading the prompts, a step, and with `--graph` the
recording, which serves all drawings of a layout, and a replay.

What a drawing takes in memory is the most that it holds at a time beside the weights, as torch counts it, against what
the host is told that it will take.
"""

import argparse
import copy
import time
from collections.abc import Callable

import torch
import transformers
from torch import Tensor

from drc.lmm.generate import Follow, Sampling, examples_of, following
from drc.lmm.graph import record
from drc.lmm.integers import keep_as_integers
from drc.lmm.lavit.language import (
    FIRST_CODE,
    IMAGE_END,
    IMAGE_START,
    Drawing,
    LavitLanguage,
    Stream,
    draw_codes,
    drawing_bytes,
    guided,
)
from drc.lmm.llama import LlamaConfig
from drc.train.machine.memory import LiveBytes

from .bench_embedded import by_clocks
from .lib.janus_pair import JanusPair

VOCABULARY, SPECIAL, PAD = 48386, 3, 2  # the first ids are no words, and LaVIT does not suppress them
SIZES = {
    "small": {"layers": 8, "hidden": 256, "feed_forward": 688, "heads": 4},
    "7b": {"layers": 32, "hidden": 4096, "feed_forward": 11008, "heads": 32},
    "janus-1b": {"layers": 24, "hidden": 2048, "feed_forward": 5632, "heads": 16},
    "janus-7b": {"layers": 30, "hidden": 4096, "feed_forward": 11008, "heads": 32},
}
GUIDANCE, TOP_K = 4.0, 50
RECORDED = "ours, a step as one CUDA graph"
COPIED = 2**30  # bytes


def models(options: argparse.Namespace) -> tuple[LavitLanguage, transformers.LlamaForCausalLM]:
    """Ours and theirs, with the same random weights, which they share."""
    sizes = {
        "vocab_size": VOCABULARY,
        "hidden_size": options.hidden,
        "intermediate_size": options.feed_forward,
        "num_hidden_layers": options.layers,
        "num_attention_heads": options.heads,
        "num_key_value_heads": options.heads,
        "rms_norm_eps": 1e-5,
    }
    torch.manual_seed(0)
    with torch.device(options.device):
        config = transformers.LlamaConfig(**sizes, dtype=options.dtype)
        theirs = transformers.AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)
    theirs.generation_config.pad_token_id = PAD
    with torch.device("meta"):
        ours = LavitLanguage(LlamaConfig(**sizes))
    ours.load_state_dict(theirs.state_dict(), assign=True)
    return ours.requires_grad_(False), theirs


def their_codes(model: transformers.LlamaForCausalLM, prompts: list[Tensor], codes: int, **options) -> Tensor:
    """Codes [B, codes] that transformers draws after prompts of one length."""
    prompt = torch.stack(prompts)
    ids = model.generate(
        inputs_embeds=prompt,
        attention_mask=torch.ones(prompt.shape[:2], dtype=torch.long, device=prompt.device),
        negative_prompt_ids=torch.full((len(prompts), 1), IMAGE_START, device=prompt.device),
        guidance_scale=GUIDANCE,
        min_new_tokens=codes,
        max_new_tokens=codes,
        suppress_tokens=list(range(SPECIAL, IMAGE_START)),
        bos_token_id=IMAGE_START,
        eos_token_id=IMAGE_END,
        **options,
    )
    return ids[:, -codes:] - FIRST_CODE


class Casting(torch.nn.Linear):
    """A layer that casts its weights, as the host's do."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.nn.functional.linear(x, self.weight.to(x))


def in_integers(language: LavitLanguage) -> LavitLanguage:
    """A copy whose matrices are kept as `storage` int8 keeps them."""
    made = copy.deepcopy(language)
    for module in [*made.model.layers.modules(), made.lm_head]:
        if isinstance(module, torch.nn.Linear):
            module.__class__ = Casting
            keep_as_integers(module)
    return made


def bandwidth(device: str) -> float:
    """Bytes a second that a copy within the device reads and writes."""
    source = torch.zeros(COPIED // 4, device=device)
    target = torch.empty_like(source)

    def copy() -> None:
        target.copy_(source)
        target[-1].item()  # waits for the device

    copy()
    start = time.perf_counter()
    for _ in range(5):
        copy()
    return 5 * 2 * COPIED / (time.perf_counter() - start)


def peak_of(draw: Callable, language: torch.nn.Module, given: list[Tensor], device: str) -> int:
    """The most bytes that a drawing holds at a time beside the weights and what it is `given`."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        draw()
        return torch.cuda.max_memory_allocated() - before
    with LiveBytes([*language.parameters(), *given]) as live:
        draw()
    return live.peak


def memory_of(peak: int, said: int) -> str:
    return f"a drawing takes {peak / 2**20:.1f} MB beside the weights and is said to take {said / 2**20:.1f} MB"


def matrices(language: LavitLanguage) -> list[Tensor]:
    """The weights of the products of a step."""
    layers = [module.weight for module in language.model.layers.modules() if isinstance(module, torch.nn.Linear)]
    return [*layers, language.lm_head.weight[IMAGE_END:]]


def bytes_of_a_step(matrices: list[Tensor], config: LlamaConfig, rows: int, length: int) -> int:
    """What every step reads at least, with `length` tokens in the cache of every row."""
    keys = 2 * config.num_hidden_layers * rows * length * config.num_key_value_heads * config.head_size
    return sum(weight.nbytes for weight in matrices) + keys * matrices[0].element_size()


def multiply(matrices: list[Tensor], rows: int, steps: int) -> None:
    """The products of so many steps and nothing else, whose time no loop can do without."""
    inputs = {weight.shape[1]: weight.new_ones(rows, weight.shape[1]) for weight in matrices}
    for _ in range(steps):
        for weight in matrices:
            torch.nn.functional.linear(inputs[weight.shape[1]], weight)


def clock_of(options: argparse.Namespace) -> Callable[[], float]:
    """On one thread the processor's time counts, so that what else runs on the machine counts less."""
    alone = options.device == "cpu" and options.threads == 1
    return time.process_time if alone else time.perf_counter


def clocks_of(options: argparse.Namespace) -> list[Callable[[], float]]:
    """That clock, and on a processor the other one: of these the processor's time is of all threads together, those
    that wait in a loop for another among them."""
    both = [time.process_time, time.perf_counter] if options.device == "cpu" else [time.perf_counter]
    return sorted(both, key=lambda clock: clock is not clock_of(options))


def milliseconds(run: Callable, options: argparse.Namespace) -> tuple[float, object]:
    """Of one run, and what it returns."""
    wait = torch.cuda.synchronize if options.device == "cuda" else lambda: None
    clock = clock_of(options)
    wait()
    start, result = clock(), run()
    wait()
    return 1000 * (clock() - start), result


def parts_of_a_drawing(language: LavitLanguage, streams: list[Stream], options: argparse.Namespace) -> dict[str, float]:
    """Milliseconds of each; those of a step and of a replay, each with its draw, are the mean over a drawing."""
    prompts, drawing = milliseconds(lambda: Drawing(language, streams, options.batch, options.codes), options)
    follow, given = following(drawing.step, Sampling(top_k=TOP_K)), examples_of(drawing.first)

    def mean(follow: Follow) -> float:
        steps = options.codes - 1
        drawing.cache.rewind()
        return milliseconds(lambda: [follow(*given) for _ in range(steps)], options)[0] / steps

    found = {"prompts": prompts, "step": mean(follow)}
    if options.graph:
        drawing.cache.rewind()
        examples = tuple(one.clone() for one in given)
        take = milliseconds(lambda: record(follow, examples, drawing.cache.rewind, options.compile), options)
        found |= {"recording": take[0], "replay": mean(take[1])}
    return found


@torch.inference_mode()
def bench(options: argparse.Namespace) -> None:
    language, theirs = models(options)
    random = torch.Generator().manual_seed(1)
    ids = torch.randint(SPECIAL, IMAGE_START, (options.batch, options.prompt - 1), generator=random)
    prompts = [language.prompt([row]) for row in ids.to(options.device)]
    streams, seeds, codes = guided(language, prompts, GUIDANCE), list(range(options.batch)), options.codes

    def ours_draws(sampling: Sampling = Sampling(top_k=TOP_K), **how: bool) -> list[Tensor]:  # noqa: B008
        return draw_codes(language, streams, seeds, sampling, codes, codes, **how)

    if options.dtype == torch.float32:
        expected = their_codes(theirs, prompts, codes, do_sample=False)
        assert torch.equal(torch.stack(ours_draws(Sampling(temperature=0.0))), expected), "the codes differ"
        print("the likeliest codes of both agree")
    drawings: dict[str, Callable] = {
        "transformers": lambda: their_codes(theirs, prompts, codes, do_sample=True, top_k=TOP_K),
        "ours": ours_draws,
    }
    if options.graph:
        drawings[RECORDED] = lambda: ours_draws(graph=True, compiles=options.compile)
    if options.int8:
        small = in_integers(language)
        drawings["ours, kept as int8"] = lambda: draw_codes(small, streams, seeds, Sampling(top_k=TOP_K), codes, codes)
    peak = peak_of(ours_draws, language, [one for _, prompts in streams for one in prompts], options.device)
    said = drawing_bytes(language, [len(prompts[0]) for _, prompts in streams], options.batch, codes)
    print(memory_of(peak, said))
    weights = matrices(language)
    step = bytes_of_a_step(weights, language.config, len(streams) * options.batch, options.prompt + codes // 2)
    limit = 1000 * step / bandwidth(options.device)  # milliseconds
    for name, taken in parts_of_a_drawing(language, streams, options).items():
        share = f", {100 * limit / taken:.0f} % of what the memory allows" if name in ("step", "replay") else ""
        print(f"{name}: {taken:.2f} ms{share}")
    report(drawings, options, codes, weights, language.config)


@torch.inference_mode()
def bench_janus(options: argparse.Namespace) -> None:
    pair = JanusPair(options)
    if options.dtype == torch.float32:
        assert torch.equal(pair.ours(Sampling(temperature=0.0)), pair.theirs(do_sample=False)), "the codes differ"
        print("the likeliest codes of both agree")
    drawings: dict[str, Callable] = {
        "transformers": lambda: pair.theirs(do_sample=True, top_k=0),
        "ours": lambda: pair.ours(Sampling()),
    }
    if options.graph:
        drawings[RECORDED] = lambda: pair.ours(Sampling(), graph=True, compiles=options.compile)
    peak = peak_of(pair.ours, pair.lmm, [pair.prompt], options.device)
    print(memory_of(peak, pair.lmm.drawing_bytes(pair.words, options.batch)))
    report(drawings, options, pair.codes, pair.matrices(), pair.sizes.language)


def report(
    drawings: dict[str, Callable], options: argparse.Namespace, codes: int, matrices: list[Tensor], config: LlamaConfig
) -> None:
    """Times every way to draw, in turns, and prints how they compare."""
    rows = 2 * options.batch
    if options.device == "cpu":
        drawings["the products of matrices alone"] = lambda: multiply(matrices, rows, codes)
    times, *others = by_clocks(drawings, options.rounds, clocks_of(options))
    rate = bandwidth(options.device)
    limit = rate / bytes_of_a_step(matrices, config, rows, options.prompt + codes // 2)  # steps a second
    print(
        f"the memory copies {rate / 1e9:.1f} GB/s, which would be enough for {limit * options.batch:.1f} codes a second"
    )
    for name, seconds in times.items():
        steps = codes / seconds
        print(
            f"{name}: {steps * options.batch:.1f} codes a second, {100 * steps / limit:.0f} % of that; "
            f"{times['transformers'] / seconds:.2f} times as fast as transformers"
            + "".join(f", {other['transformers'] / other[name]:.2f} by the other clock" for other in others)
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lmm", choices=("lavit", "janus"), default="lavit")
    parser.add_argument("--size", choices=SIZES, help="a named size, in place of the four that follow")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=1024)
    parser.add_argument("--feed-forward", type=int, default=2752)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--prompt", type=int, default=64, help="tokens of a prompt")
    parser.add_argument("--codes", type=int, default=128, help="codes of a picture")
    parser.add_argument("--batch", type=int, default=1, help="pictures at a time")
    parser.add_argument("--dtype", type=lambda name: getattr(torch, name), default=torch.float32)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--graph", action="store_true", help="also measure a step as one CUDA graph")
    parser.add_argument("--compile", action="store_true", help="the step of --graph by torch's compiler")
    parser.add_argument("--int8", action="store_true", help="also measure LaVIT kept as 8-bit integers, on a processor")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    vars(options).update(SIZES.get(options.size, {}))
    torch.set_num_threads(options.threads)
    device = torch.cuda.get_device_name() if options.device == "cuda" else f"CPU with {options.threads} threads"
    print(
        f"{options.layers} layers of width {options.hidden}, {options.dtype}, {options.batch} pictures at a time, "
        f"a prompt of {options.prompt} tokens, {options.codes} codes; {device}, torch {torch.__version__}, "
        f"transformers {transformers.__version__}, median of {options.rounds} rounds"
    )
    {"lavit": bench, "janus": bench_janus}[options.lmm](options)


if __name__ == "__main__":
    main()
