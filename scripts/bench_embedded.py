"""What the embedded model costs, as ratios against a named baseline of the same run.

    build/venv/bin/python -m scripts.bench_embedded [drawing] [best] [start] [nodes] [--rounds N] [--threads N]
                                                    [--before COMMIT]

drawing  Our generation loop against `LlamaForCausalLM.generate` of transformers: the same weights, the same prompt, the
         same three streams of guidance, the likeliest code each time, and the codes must agree. transformers has
         neither guidance with two weights nor a place on the canvas for every code, so it gets the nearest that it
         offers: a logits processor that adds up the streams, which are rows of one batch, and a subclass whose forward
         adds the place to what it embeds. `--before` puts the loop of an earlier commit beside ours, with the same
         weights.
best     What the best of four and of eight drawings costs against one, as `python -m drc.complete` draws and chooses.
start    What our import adds to the start of a real ComfyUI: loaded by its own `load_custom_node` after all of its own
         nodes, against the time it takes for these.
nodes    What a node costs beyond the model's own time: called as the host calls it, against the same steps in `drc`.

Baseline and ours take turns, in the inference mode that the host runs nodes in, and the median over the rounds counts:
of the processor's time, for drawing and nodes, so that what else runs on the machine counts less. Where the trained
weights are missing, a random model of the same size is measured: it draws noise, at the same speed.
"""

import argparse
import asyncio
import importlib
import importlib.util
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from drc import EMBEDDED as WEIGHTS
from drc.checkpoint import load
from drc.complete.names import items_of
from drc.complete.run import Completion
from drc.complete.settings import Settings
from drc.instruction import Dials, Instruction
from drc.lmm.generate import Sampling
from drc.model import DRC, DRCConfig

from .lib.earlier import import_from
from .lib.environment import BUILD, ROOT, find_host
from .lib.tiny import write_tiny

HISTORY = 8  # pictures
PARTS = ["drawing", "best", "start", "nodes"]
BEST_OF, THINGS = (1, 4, 8), 4  # drawings of a thing, and how many things are drawn
STRENGTHS = {"style_strength": Dials.style_strength, "semantic_strength": Dials.semantic_strength}  # three streams

START = """
import asyncio, json, sys, time
from comfy.cli_args import args
args.cpu = True
clock = time.perf_counter()
import nodes
asyncio.run(nodes.init_builtin_extra_nodes())
host, before = time.perf_counter() - clock, set(sys.modules)
clock = time.perf_counter()
loaded = asyncio.run(nodes.load_custom_node(sys.argv[1]))
ours = time.perf_counter() - clock
foreign = {name.split(".")[0] for name in set(sys.modules) - before if not name.startswith(sys.argv[1][:1])}
print(json.dumps({"host": host, "ours": ours, "loaded": loaded, "foreign": sorted(foreign)}))
"""


def take_turns(
    functions: dict[str, Callable], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Median seconds of each function, called in turn, after a first round that does not count."""
    return by_clocks(functions, rounds, [clock])[0]


def by_clocks(
    functions: dict[str, Callable], rounds: int, clocks: Sequence[Callable[[], float]]
) -> list[dict[str, float]]:
    """The same of the same calls by each of several clocks."""
    times = {name: [] for name in functions}
    for _ in range(rounds + 1):
        for name, function in functions.items():
            starts = [clock() for clock in clocks]
            function()
            times[name].append([clock() - start for clock, start in zip(clocks, starts, strict=True)])
    medians = {name: [statistics.median(its) for its in zip(*runs[1:], strict=True)] for name, runs in times.items()}
    return [{name: its[number] for name, its in medians.items()} for number in range(len(clocks))]


def checkpoint() -> Path:
    if WEIGHTS.is_file():
        return WEIGHTS
    path = BUILD / "bench" / "random.safetensors"
    return write_tiny(path, config=DRCConfig())


def transformers_model(drc: DRC):
    """transformers' LLaMA with our weights; `places` and `prompt_length` tell it what it hears of a code's place."""
    import transformers

    config = drc.lmm.language.config

    class Placed(transformers.LlamaForCausalLM):
        def forward(self, input_ids=None, inputs_embeds=None, **options):
            if inputs_embeds is None:
                cache = options.get("cache") or options["past_key_values"]  # newer versions call it so
                place = cache.get_seq_length() - self.prompt_length + 1
                inputs_embeds = self.get_input_embeddings()(input_ids) + self.places[:, place : place + 1]
            return super().forward(inputs_embeds=inputs_embeds, **options)

    sizes = {name: value for name, value in vars(config).items() if name != "rope_theta"}
    rope = {"rope_type": "default", "rope_theta": config.rope_theta}
    model = Placed(transformers.LlamaConfig(**sizes, rope_parameters=rope)).eval()
    # One vocabulary: it computes the logits of words too, which ours leaves out.
    table = drc.lmm.language.model.embed_tokens.weight
    model.load_state_dict({**drc.lmm.language.state_dict(), "lm_head.weight": table})
    model.generation_config.eos_token_id = None
    return model


def guidance(coefficients: torch.Tensor, codes: int):
    """A logits processor that gives all streams of a picture their weighted sum."""
    import transformers

    class Guidance(transformers.LogitsProcessor):
        def __call__(self, input_ids, scores):
            streams = scores.view(-1, len(coefficients), scores.shape[-1])
            together = (streams * coefficients.view(1, -1, 1)).sum(dim=1)
            together[:, codes:] = float("-inf")
            return together.repeat_interleave(len(coefficients), dim=0)

    return transformers.LogitsProcessorList([Guidance()])


def loop_of(commit: str, instruction: Instruction) -> Callable:
    """The generation loop of another commit with our weights."""
    name = import_from(commit)
    theirs = importlib.import_module(f"{name}.lmm.generate")
    lmm = importlib.import_module(f"{name}.checkpoint").load(checkpoint()).lmm
    return lambda batch: lmm.draw(instruction, list(range(batch)), theirs.Sampling(temperature=0.0))


@torch.inference_mode()
def bench_drawing(rounds: int, before: str) -> None:
    drc = load(checkpoint())
    lmm, random = drc.lmm, torch.Generator().manual_seed(0)
    codes = torch.randint(drc.lmm.codebook_size, (HISTORY + 1, lmm.picture_codes), generator=random)
    style, semantics = drc.style(codes[1:], torch.ones(HISTORY)), drc.semantics(codes[0])
    instruction = drc.compose(style, semantics, **STRENGTHS)
    theirs, processor = transformers_model(drc), guidance(instruction.coefficients, drc.lmm.codebook_size)
    earlier = loop_of(before, instruction) if before else None
    count = len(instruction.coefficients)
    for batch in (1, 4):
        drawn = {}

        def ours_draws(batch=batch, drawn=drawn):
            drawn["ours"] = lmm.draw(instruction, list(range(batch)), Sampling(temperature=0.0))

        def theirs_draws(batch=batch, drawn=drawn):
            prompt = lmm.prompt(instruction.text, instruction.vectors).repeat(batch, 1, 1)
            theirs.prompt_length = prompt.shape[1]
            theirs.places = lmm.places(instruction.vectors).repeat(batch, 1, 1)
            rows = theirs.generate(
                inputs_embeds=prompt,
                attention_mask=torch.ones(prompt.shape[:2], dtype=torch.long),
                max_new_tokens=lmm.picture_codes,
                do_sample=False,
                logits_processor=processor,
            )
            drawn["theirs"] = rows[::count]

        def before_draws(batch=batch, drawn=drawn):
            drawn["before"] = earlier(batch)

        loops = {"theirs": theirs_draws, "ours": ours_draws} | ({"before": before_draws} if before else {})
        times = take_turns(loops, rounds, time.process_time)
        for name, codes in drawn.items():
            assert torch.equal(codes, drawn["ours"]), f"{name} does not draw the same codes"
        ours, transformers_time = times["ours"] / batch, times["theirs"] / batch
        print(
            f"drawing, batch {batch}, {count} streams: {ours:.2f} s a picture, {1 / ours:.2f} pictures a second; "
            f"transformers {transformers_time:.2f} s a picture: ours is {transformers_time / ours:.1f} times as fast"
        )
        if before:
            print(f"drawing, batch {batch}: {times['before'] / times['ours']:.2f} times as fast as {before}")


@torch.inference_mode()
def bench_best(rounds: int) -> None:
    drc, random = load(checkpoint()), torch.Generator().manual_seed(0)
    style = drc.style(torch.randint(drc.lmm.codebook_size, (HISTORY, drc.lmm.picture_codes), generator=random))
    items, _ = items_of("\n".join(f"thing {number}" for number in range(THINGS)))

    def drawn(count: int) -> Callable:
        completion = Completion(drc, style, Settings(best_of=count, drawings=0))
        return lambda: list(completion.draw(items))

    times = take_turns({count: drawn(count) for count in BEST_OF}, rounds, time.process_time)
    for count in BEST_OF:
        print(
            f"best of {count}: {times[count] / THINGS:.2f} s a picture, {times[count] / times[1]:.1f} times that of 1"
        )


def bench_start(rounds: int, host: Path) -> None:
    runs = []
    for _ in range(rounds + 1):
        command = [sys.executable, "-c", START, str(ROOT)]
        output = subprocess.run(command, cwd=host, capture_output=True, text=True, check=True).stdout
        runs.append(json.loads(output.splitlines()[-1]))
    assert all(run["loaded"] for run in runs), "the host could not load the pack"
    ours, hosts = (statistics.median(run[name] for run in runs[1:]) for name in ("ours", "host"))
    print(
        f"start: our import adds {1000 * ours:.0f} ms, {100 * ours / hosts:.2f} % of the {hosts:.1f} s in which the "
        f"host loads its own nodes; brought in besides ours: {', '.join(runs[-1]['foreign']) or 'nothing'}"
    )


def load_pack(host: Path):
    """The pack as the host loads it, and its nodes by id."""
    sys.path.insert(0, str(host))
    from comfy.cli_args import args

    args.cpu = True
    spec = importlib.util.spec_from_file_location("pack", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    pack = sys.modules["pack"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pack)
    nodes = asyncio.run(asyncio.run(pack.comfy_entrypoint()).get_node_list())
    return {node.GET_SCHEMA().node_id: node for node in nodes}


@torch.inference_mode()
def bench_nodes(rounds: int, host: Path) -> None:
    classes = load_pack(host)
    import folder_paths
    from pack.drc.lmm.generate import Sampling
    from pack.drc.pixels import prepare

    def node(name, **inputs):
        schema = classes[name].GET_SCHEMA()
        defaults = {widget.id: widget.default for widget in schema.inputs if hasattr(widget, "default")}
        return classes[name].execute(**{**defaults, **inputs})[0]

    path = checkpoint()
    folder_paths.add_model_folder_path("drc", str(path.parent))
    model = node("DRC_LoadModel", model_name=path.name)
    drc, lmm, size = model.drc, model.drc.lmm, model.drc.lmm.image_size
    history, reference = torch.rand(HISTORY, size, size, 3), torch.rand(1, size, size, 3)
    style = node("DRC_StyleTower", model=model, history=history)
    semantics = node("DRC_SemanticTower", model=model, reference=reference)
    composed = {"model": model, "style": style, "semantics": semantics, "text": "", **STRENGTHS}
    instruction = node("DRC_ComposeInstruction", **composed)
    tokens = node("DRC_LMMGenerate", model=model, instruction=instruction)

    def tokenize(images):
        return lmm.tokenize(prepare(images, size, "images"))

    pairs = {
        "StyleTower": (
            lambda: drc.style(tokenize(history), torch.ones(HISTORY)),
            lambda: node("DRC_StyleTower", model=model, history=history),
        ),
        "SemanticTower": (
            lambda: drc.semantics(tokenize(reference)[0]),
            lambda: node("DRC_SemanticTower", model=model, reference=reference),
        ),
        "ComposeInstruction": (
            lambda: drc.compose(style, semantics, **STRENGTHS),
            lambda: node("DRC_ComposeInstruction", **composed),
        ),
        "DRC-LMM-Generate": (
            lambda: lmm.draw(instruction, [0], Sampling()),
            lambda: node("DRC_LMMGenerate", model=model, instruction=instruction),
        ),
        "DRC Decode": (
            lambda: lmm.detokenize(tokens.codes),
            lambda: node("DRC_DecodeTokens", model=model, tokens=tokens),
        ),
    }
    for name, (direct, through_node) in pairs.items():
        times = take_turns({"model": direct, "node": through_node}, rounds, time.process_time)
        print(
            f"{name}: {1000 * (times['node'] - times['model']):.0f} ms beyond the model's "
            f"{1000 * times['model']:.0f} ms, {times['node'] / times['model']:.2f} times"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=PARTS, help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--before", default="", metavar="COMMIT", help="an earlier one, whose loop draws, too")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    host = find_host() or BUILD / "comfyui"
    what = "trained weights" if WEIGHTS.is_file() else "a random model of the same size"
    print(f"{what}, {options.threads} threads, torch {torch.__version__}, median of {options.rounds} rounds")
    if "drawing" in options.parts:
        bench_drawing(options.rounds, options.before)
    if "best" in options.parts:
        bench_best(options.rounds)
    if "start" in options.parts:
        bench_start(options.rounds, host)
    if "nodes" in options.parts:
        bench_nodes(options.rounds, host)


if __name__ == "__main__":
    main()
