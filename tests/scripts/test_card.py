"""What the card says of itself: whose icons were used, and which aims were reached."""

import numpy as np

from drc.bench.baselines import CEILING, RECOLOURED
from scripts.datasets.icons.matrix import read_manifest
from scripts.lib.aims import aims
from scripts.lib.attribution import icon_sets

CASES = 40


def test_every_set_of_the_matrix_is_attributed_once():
    styles = read_manifest()["styles"].values()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in icon_sets(read_manifest()).split("\n")[2:]
    ]
    assert len(rows) == len({style["set"] for style in styles})
    assert sum(int(row[4].replace(",", "")) for row in rows) == sum(len(style["icons"]) for style in styles)
    assert all("](https://" in row[0] and row[1] and row[2] for row in rows)
    unseen = {style["set"] for style in styles if style["unseen"]}
    assert {row[0].lstrip("[").split("]")[0] for row in rows if row[5] == "measuring only"} == unseen


def results(domain, shares):
    """Of tests in which the given share of the cases is right, by answer."""
    tests = {}
    for test, answers in shares.items():
        numbers = {
            answer: {
                name: (np.arange(CASES) < round(CASES * share)).astype(int).tolist()
                for name, share in zip(("joint_top1", "stroke", "copies_reference", "copies_history"), its, strict=True)
            }
            for answer, its in answers.items()
        }
        meanings = [str(case) for case in range(CASES)]
        facets = [{"family": "one"}] * CASES
        judges = {"evaluator": {"8": numbers}}
        tests[test] = {"what": "", "cases": meanings, "meanings": meanings, "facets": facets, "judges": judges}
    settings = {"histories": ["8"], "sweep": CASES}
    return {
        "domain": domain,
        "tests": tests,
        "settings": settings,
        "artists": {"ours": "", "before": ""},
        "judges": {"evaluator": "1"},
    }


def test_aims_are_reached_or_missed_by_what_was_found():
    ours, ceiling, recoloured = (0.6, 0.8, 0.0, 0.0), (1.0, 1.0, 0.0, 0.0), (0.1, 0.5, 0.5, 0.0)
    icons = {test: {"ours": ours, CEILING: ceiling, RECOLOURED: recoloured} for test in ("I2", "I3")}
    icons["I4"] = {"ours": (0.2, 0.5, 0.1, 0.0), CEILING: ceiling, RECOLOURED: recoloured}
    emoji = {test: {"ours": (0.1,) * 4, "before": (0.05,) * 4} for test in ("T1", "T2")}
    emoji["P3"] = {"ours": (0.5,) * 4, "before": (0.9,) * 4}
    lines = aims(results("icons", icons), results("emoji", emoji), "ours").split("\n")[2:]
    reached = {line.split("|")[1].strip(): "**missed**" not in line for line in lines}
    assert reached == {
        "I2, both right, share of the ceiling": True,
        "I4, both right, share of the ceiling": False,
        "I2, against the recoloured reference": True,
        "I4, against the recoloured reference": False,
        "I3, line width within a fifth": True,
        "I4, line width within a fifth": False,
        "nearer to the reference, evaluator": False,
        "nearer to the history, evaluator": True,
        "T1, both right": False,
        "T2, both right": False,
        "P3, both right, evaluator": False,
    }
