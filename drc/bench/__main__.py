"""Measures how well models draw cases whose true picture exists.

    python -m drc.bench run --model embedded --domain emoji --tests T1,T2 --out DIR
    python -m drc.bench compare DIR DIR [--models NAME,NAME] [--out DIR]
    python -m drc.bench import stickers|movies FOLDER --split pigeon|users --out FILE
    python -m drc.bench run --model embedded --cases FILE [--clip FOLDER --dino FOLDER --lpips FILE --inception FILE]

`run` writes results.json, results.csv and index.html. What was drawn and judged is kept: started again it goes on where
it was, and a run with a higher --limit draws only what is new. On many processes, each with a share of the cases:

    accelerate launch --multi_gpu --num_processes 2 -m drc.bench run --device cpu ...

`compare` sets the first models of two results, or those that are named, side by side; both folders may be the same.
`import` makes cases of the paper's own data, where a user has it, and `run --cases` runs them: with Pigeon's
metrics, as far as what they look with is given.
"""

import argparse
import contextlib
import logging
import sys
from pathlib import Path

from tqdm.contrib.logging import logging_redirect_tqdm

from ..bar import Bar
from ..train.ending import exit_code
from ..visible import visible

# What takes seconds to import is imported in functions, so that Ctrl-C is heard there, too.


def names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def named_model(text: str) -> tuple[str, str]:
    """NAME=FILE, or FILE, whose name is then the model's."""
    name, found, path = text.partition("=")
    return (name, path) if found else (Path(text).stem, text)


def parser() -> argparse.ArgumentParser:
    from .cases.importers import command as importing

    main = argparse.ArgumentParser(
        prog="python -m drc.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = main.add_subparsers(dest="command", required=True)
    add_run(commands.add_parser("run", help="let models draw, and judge what they drew"))
    compare = commands.add_parser("compare", help="set two results side by side")
    compare.add_argument("results", type=Path, nargs=2, metavar="DIR")
    of_models = {"type": names, "metavar": "NAMES"}
    compare.add_argument("--models", **of_models, help="one of each result; without it, the first of each")
    compare.add_argument("--artists", dest="models", **of_models, help=argparse.SUPPRESS)  # as it was called before
    compare.add_argument("--out", type=Path, help="folder for index.html and results.csv")
    importing.add_arguments(commands.add_parser("import", help="make cases of stickers by theme, or of MovieLens"))
    return main


def add_run(command: argparse.ArgumentParser) -> None:
    from .cases import DOMAINS
    from .cases.domain import HISTORIES
    from .config import BenchConfig

    add, defaults = command.add_argument, BenchConfig()
    add(
        "--model",
        dest="models",
        action="append",
        required=True,
        type=named_model,
        metavar="[NAME=]FILE",
        help="a DRC model, the folder of a training, the state of an entangled one, or embedded; may be repeated, the "
        "first is the one in question",
    )
    add("--lmm", type=Path, metavar="FOLDER", help="the large model, such as Janus-Pro-1B, that they were trained over")
    add("--domain", default=defaults.domain, help=f"out of {', '.join(DOMAINS)}")
    add("--tests", type=names, default=defaults.tests, metavar="NAMES", help="such as T1,T2; without it, all")
    add(
        "--histories",
        type=names,
        default=defaults.histories,
        metavar="NAMES",
        help="numbers of pictures, noisy or mixed; the first is what the tables are about "
        f"({','.join(HISTORIES)}; with --cases the five that there are)",
    )
    add("--limit", type=int, default=defaults.limit, help=f"cases of a test ({defaults.limit})")
    add("--sweep", type=int, default=defaults.sweep, help=f"cases of all histories but the first ({defaults.sweep})")
    for name in ("style_strength", "semantic_strength", "temperature", "top_p"):
        option(add, name, float)
    for name in ("top_k", "candidates", "seed"):
        option(add, name, int)
    add("--controls", action="store_true", help="also draw from the history alone, and from the reference alone")
    add("--by-word", action="store_true", help="also draw from the history and a word, without the reference")
    add(
        "--by-drawing",
        action="store_true",
        help="also draw from the history and what one, two and three icon sets drew of a word, without the reference",
    )
    add("--gaps", action="store_true", help="also measure the loss that a wrong history or reference adds")
    add("--judges", type=names, metavar="NAMES", help=f"{','.join(defaults.judges)}; with --cases the second alone")
    for name in ("data", "packages", "evaluator", "out", "cache"):
        option(add, name, Path)
    add("--device", help="such as cpu or cuda; without it, the fastest there is")
    add("--cases", type=Path, metavar="FILE", help="what 'import' wrote, in place of a domain")
    add("--pictures", type=Path, metavar="FOLDER", help="where the pictures of --cases lie, if they have moved")
    add("--clip", type=Path, metavar="FOLDER", help="CLIP as transformers saves it; Pigeon takes ViT-H-14 of laion2b")
    add("--dino", type=Path, metavar="FOLDER", help="DINOv2 as transformers saves it; Pigeon takes dinov2-large")
    add("--lpips", type=Path, metavar="FILE", help="VGG16 and the heads of lpips in one safetensors file")
    add("--inception", type=Path, metavar="FILE", help="the Inception of pytorch-fid as a safetensors file, for FID")


def option(add, name: str, kind: type) -> None:
    from .config import BenchConfig

    usual = BenchConfig()
    default = (vars(usual) | vars(usual.dials))[name]
    add(f"--{name.replace('_', '-')}", type=kind, default=default, help=f"({default})")


def command_run(options: argparse.Namespace) -> None:
    from ..instruction import Dials
    from ..train.machine.processes import processes_of
    from .config import BenchConfig
    from .judges.efficientnet import EfficientNetJudge
    from .report.report import PAGE
    from .run import run

    dials = Dials.among(options)
    values = {name: value for name, value in vars(options).items() if name not in ("command", "device", *vars(dials))}
    models = dict(values.pop("models"))
    if len(models) < len(options.models):
        raise ValueError("two models have the same name; give them names, as in --model NAME=FILE")
    if values["judges"] is None:
        values["judges"] = BenchConfig().judges if options.cases is None else (EfficientNetJudge.name,)
    processes = processes_of(options.device)
    logging.basicConfig(level=logging.INFO if processes.main else logging.WARNING, format="%(asctime)s %(message)s")
    with logging_redirect_tqdm(), contextlib.closing(Bar()) as bar:
        report = run(BenchConfig(models=models, dials=dials, **values), bar if processes.main else None, processes)
    if report:
        sys.stdout.write(visible(f"{options.out / PAGE}\n"))
    processes.end()


def command_compare(options: argparse.Namespace) -> None:
    from .report.compare import differences, markdown, write_comparison
    from .report.report import read_results
    from .report.summary import MODELS

    first, second = map(read_results, options.results)
    models = options.models or tuple(next(iter(results[MODELS])) for results in (first, second))
    if len(models) != 2:
        raise ValueError(f"--models names {len(models)}, expected 2, one of each result; write them as NAME,NAME")
    found = differences(first, second, models)
    called = models if models[0] != models[1] else tuple(f"{models[0]}, {path}" for path in options.results)
    sys.stdout.write(visible(markdown(found, called)))
    if options.out:
        write_comparison(found, called, options.out)


def command() -> None:
    options = parser().parse_args()
    from .cases.importers import command as importing

    commands = {"run": command_run, "compare": command_compare, "import": importing.main}
    commands[options.command](options)


def main() -> int:
    return exit_code(command)


if __name__ == "__main__":
    sys.exit(main())
