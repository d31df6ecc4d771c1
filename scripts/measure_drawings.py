"""How much of a picture do drawings tell that words find, and how near is what they tell to one of them?

    python scripts/measure_drawings.py [--model drc/weights/drc-embedded.safetensors] [--tests IV] [--limit 48]

Draws nothing: it asks the model how likely the codes of true pictures are, in nats a code, of the benchmark's icons
(build/data), given the history and in place of the reference nothing, the case's own reference, or the first drawings
of the index. Less is better. The last column is the same of the first drawing itself: the less likely it is, the
less of it is copied. `python -m drc.bench run --domain icons --by-drawing` judges what is drawn, and takes longer.
"""

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc import EMBEDDED  # noqa: E402
from drc.bench.cases.domain import Case  # noqa: E402
from drc.bench.cases.icons import IconDomain  # noqa: E402
from drc.bench.scores.interval import interval  # noqa: E402
from drc.checkpoint import load  # noqa: E402
from drc.drawings import Drawings, semantics  # noqa: E402
from drc.instruction import HANDS, Semantics, Style  # noqa: E402
from drc.model import DRC  # noqa: E402
from scripts.lib.bar import bar  # noqa: E402

HISTORY = "8"
ONE = "drawings, 1"
NAMES = ("nothing", "the reference", *(f"drawings, {count}" for count in range(1, HANDS + 1)))


@torch.no_grad()
def measured(model: DRC, domain: IconDomain, index: Drawings, case: Case) -> Tensor | None:
    """Nats a code [conditions, 2] of the target and of the first drawing; None where fewer than HANDS drew it."""
    drawings = index.find(domain.caption(case.target)).codes
    if len(drawings) < HANDS:
        return None
    target, reference, *history = model.lmm.tokenize(domain.images([case.target, case.reference, *case.given(HISTORY)]))
    style = model.style(torch.stack(history))
    given = [None, model.semantics(reference)]
    given += [semantics(model, drawings[:count]) for count in range(1, HANDS + 1)]
    return torch.tensor([[nats(model, style, one, codes) for codes in (target, drawings[0])] for one in given])


def nats(model: DRC, style: Style, meaning: Semantics | None, codes: Tensor) -> float:
    asked = model.compose(style, meaning)
    return -float(model.lmm.log_likelihoods(asked.text, asked.vectors, codes[None]).mean())


def table(found: Tensor, meanings: list[str]) -> str:
    """Of [cases, conditions, 2]: means, and how far each is from one drawing, with its 95 % interval."""
    lines = [f"{'':14}  target  less one drawing           first drawing"]
    for place, name in enumerate(NAMES):
        away = (found[:, place, 0] - found[:, NAMES.index(ONE), 0]).numpy()
        mean, low, high = interval(away, meanings, shares=False)
        target, drawing = found[:, place].mean(dim=0).tolist()
        lines.append(f"{name:14}  {target:6.3f}  {mean:+.3f} ({low:+.3f} to {high:+.3f})  {drawing:13.3f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=EMBEDDED)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--tests", default="IV", help="out of IV, I3 and I4, with commas between")
    parser.add_argument("--limit", type=int, default=48, help="cases of a test")
    options = parser.parse_args()
    try:
        model, domain, index = load(options.model), IconDomain.open(options.data), Drawings()
        cases = {test: domain.cases(test, options.limit) for test in options.tests.split(",")}
    except ValueError as error:
        sys.exit(str(error))
    for test, some in cases.items():
        found, meanings = [], []
        with bar("case", test) as progress:
            for done, case in enumerate(some, 1):
                if (one := measured(model, domain, index, case)) is not None:
                    found.append(one)
                    meanings.append(domain.caption(case.target))
                progress(done, len(some))
        print(f"{test}, {len(found)} cases that {HANDS} hands drew\n{table(torch.stack(found), meanings)}")


if __name__ == "__main__":
    main()
