"""Cases are fixed and leak nothing; a shorter list or history is the beginning of the longer one."""

import pytest

from drc.bench.cases.domain import HISTORIES, LONGEST, check_histories
from drc.bench.cases.emoji import EmojiDomain

from ..conftest import TEST, toy_domain

TESTS = ["P1", "P2", "P3", "V", "T1", "T2", "T3", "T4"]
FAMILY = {"twemoji": "twemoji", "noto": "noto", "noto-mono": "noto", "fluent-flat": "fluent"}


def named(domain: EmojiDomain, cases: list) -> list[tuple]:
    return [
        tuple(map(domain.name_of, (case.target, case.reference, *case.history, *case.strays, *case.others)))
        for case in cases
    ]


def test_a_full_report_has_the_tests_whose_pictures_are_built(domain):
    assert domain.reported == ("P1", "P2", "P3", "T1", "T2", "T3", "T4")
    assert toy_domain(without=("test", "seen", "known")).reported == ("T1", "T2", "T3", "T4")
    assert toy_domain(without=("known", "val")).reported == ("P1", "P3", "T1", "T2", "T3", "T4")


@pytest.mark.parametrize("test", TESTS)
def test_cases_are_fixed_and_leak_nothing(domain, test):
    cases = domain.cases(test, 100)
    assert named(domain, cases[:5]) == named(domain, domain.cases(test, 5))
    turned = toy_domain(step=-1)
    assert named(domain, cases) == named(turned, turned.cases(test, 100))
    for case in cases:
        target, reference = domain.record(case.target), domain.record(case.reference)
        assert case.target in domain.gallery(test)
        assert len(set(case.history)) == LONGEST
        for picture in map(domain.record, (*case.history, *case.strays, *case.others)):
            assert domain.splits.meaning_split[picture.meaning] == "train"
            assert domain.splits.cluster[picture.meaning] != domain.splits.cluster[target.meaning]
        assert {domain.record(row).style for row in case.history} == {target.style}
        assert reference.meaning == target.meaning
        assert reference.style != target.style
        if test[0] in "PV":
            assert reference.drawing == target.drawing
        else:
            assert FAMILY[reference.style] != FAMILY.get(target.style)
        assert (target.meaning in TEST) == (test in ("P2", "P3", "V", "T2", "T4"))
    counts = {"P1": 12, "P2": 24, "P3": 24, "V": 6, "T1": 48, "T2": 32, "T3": 48, "T4": 16}
    assert len(cases) == counts[test]


def test_a_shorter_history_is_the_beginning_of_a_longer_one(domain):
    (case,) = domain.cases("T4", 1)
    for longer, shorter in zip((16, 8, 4, 2), (8, 4, 2, 1), strict=True):
        assert case.given(str(longer))[:shorter] == case.given(str(shorter))
        assert len(case.given(str(longer))) == longer


@pytest.mark.parametrize("test", TESTS)
def test_noisy_and_mixed_histories_take_in_other_styles(domain, test):
    for case in domain.cases(test, 100):
        own = domain.record(case.target).style
        for shown, kept, styles in (("noisy", 6, 2), ("mixed", 4, 1)):
            given = case.given(shown)
            assert given[:kept] == case.given("8")[:kept] and len(set(given)) == 8
            foreign = [domain.record(row).style for row in given[kept:]]
            assert len(set(foreign)) == styles and own not in foreign
            if test[0] == "T":
                assert not {FAMILY.get(style, style) for style in foreign} & {FAMILY.get(own, own)}


def test_histories_of_known_programs_are_what_training_saw(domain):
    assert {row in domain.part["train"] for case in domain.cases("P2", 100) for row in case.history} == {True}
    assert {row in domain.part["history"] for case in domain.cases("P3", 100) for row in case.history} == {True}


def test_references_of_programs_are_originals_and_other_programs(domain):
    styles = {domain.record(case.reference).style for case in domain.cases("P3", 16)}
    assert styles == {"twemoji", "program/1", "program/2", "program/3"}


def test_facets_say_where_a_case_belongs(domain):
    (program,), (vendor,) = domain.cases("P3", 1), domain.cases("T3", 1)
    assert domain.facets(program.target).keys() == {"family", "group"}
    assert domain.facets(program.target)["family"] in ("flat", "line")
    style = domain.record(vendor.target).style
    assert domain.facets(vendor.target)["family"] == style
    assert domain.facets(vendor.target)["colour"] == ("black" if style == "symbola" else "colour")


def test_what_is_not_there_is_said(domain, tmp_path):
    with pytest.raises(ValueError, match="test X was asked for, expected out of P1, P2"):
        domain.cases("X", 1)
    with pytest.raises(ValueError, match=r"needs restyled drawings that are not built \('restyled/known'\)"):
        toy_domain(without=("known",)).cases("P2", 1)
    with pytest.raises(ValueError, match="emoji benchmark is not built"):
        EmojiDomain.open(tmp_path)
    for wrong in ("0", "17", "many"):
        with pytest.raises(ValueError, match=f"history {wrong} was asked for"):
            check_histories((wrong,))
    check_histories(HISTORIES)


def test_a_build_is_opened(build):
    domain = EmojiDomain.open(build.data)
    assert {name: len(rows) for name, rows in domain.part.items()} == {"emoji": 6 * 28, "test": 12, "history": 72}
    assert len(domain.cases("P3", 100)) == 12 and len(domain.cases("T4", 100)) == 8
    assert domain.families["program/1"] == "flat"
    assert domain.fingerprint == EmojiDomain.open(build.data).fingerprint
