"""Seeded collapses are what they are called, a stopped measurement goes on, and the tables count the held-out half."""

import json

import pytest

from drc.bench.collapse.meter import Scale, Thresholds
from drc.checkpoint import load
from scripts.fit_collapse import DRAWN, GALLERY, TRUE, answers_of, drawn_of, measured, seeded, table


@pytest.fixture(scope="module")
def drc(tiny):
    return load(tiny)


@pytest.mark.parametrize("test", ["P3", "T2"])
def test_seeded_collapses_lose_what_they_should(domain, test):
    for case in domain.cases(test, 8):
        rows = seeded(domain, test, case)
        target, records = domain.record(case.target), {kind: domain.record(row) for kind, row in rows.items()}
        assert rows["copy of the reference"] == case.reference and rows["copy of the history"] in case.given("8")
        assert rows["history only"] not in case.given("8")
        assert records["history only"].style == target.style and records["history only"].meaning != target.meaning
        if "reference only" in rows:  # the small world has few families
            assert rows["reference only"] != case.reference
            assert records["reference only"].meaning == target.meaning
            family = domain.facets(rows["reference only"])["family"]
            assert family != domain.facets(case.target)["family"]


def test_a_stopped_measurement_goes_on(domain, drc, tmp_path):
    cases, asked = domain.cases("P3", 3), []

    def answers(*given):
        asked.append(given[-1])
        return answers_of(*given)

    path = tmp_path / "found" / "P3.jsonl"
    first = measured(drc, domain, "P3", cases[:2], answers, path)
    found = measured(drc, domain, "P3", cases, answers, path)
    assert found[:2] == first and asked == cases
    assert measured(drc, domain, "P3", cases[:1], answers, path) == first[:1]
    assert set(found[0]["scores"]) <= {*TRUE, *GALLERY} and all(len(v) == 4 for v in found[0]["scores"].values())
    assert list(found[0]["scores"])[:2] == list(TRUE)


def test_the_model_draws_its_own_collapses(domain, drc, tmp_path):
    (found,) = measured(drc, domain, "T2", domain.cases("T2", 1), drawn_of, tmp_path / "drawn.jsonl")
    assert tuple(found["scores"]) == DRAWN
    json.dumps(found, allow_nan=False)


def test_tables_count_the_held_out_half():
    kept, lost = [1.0, 1.0, 0.0, 0.0], [1.0, -1.0, 0.0, 0.0]
    found = {"P3": [{"half": half, "scores": {"target": values}} for half, values in ((0, lost), (1, kept), (1, lost))]}
    thresholds = Thresholds(Scale(-1, 0, 1), Scale(-1, 0, 1), Scale(0, 0.6, 1))
    columns = {"target": ("target",), "history only": ("history only",)}
    assert table(found, {"P3": ("P3",)}, columns, thresholds).splitlines()[2] == "| P3 | 2 | 50.0 |  |"
