"""A user's own pictures as a domain: repainted, so that the true picture of every case is known."""

import numpy as np
import pytest
from PIL import Image

from drc.bench.baselines import COPY, TRUTH
from drc.bench.cases.folder import STYLES, FolderDomain
from drc.bench.config import BenchConfig
from drc.bench.judges import DescriptorJudge
from drc.bench.models import open_models
from drc.bench.run import run
from drc.data.folder import scan
from drc.lmm.generate import Sampling

SIZE = 32
COLOURS = {"ann": (200, 40, 40), "ben": (30, 90, 200)}
WIDTHS = {"ann": 14, "ben": 24}
TABLE = "image,semantics\nann/0.png,sun\nann/1.png,moon\nben/0.png,sun\nben/1.png,star\n"


def folder_of(root, pictures=3, table=""):
    """Boxes of a user's colour and width, one at each place."""
    for user, colour in COLOURS.items():
        (root / user).mkdir(parents=True)
        for number in range(pictures):
            picture = np.full((SIZE, SIZE, 3), 250, np.uint8)
            picture[2 + 8 * number : 12 + 8 * number, 4 : 4 + WIDTHS[user]] = colour
            Image.fromarray(picture).save(root / user / f"{number}.png")
    if table:
        (root / "table.csv").write_text(table)
    return scan(root, "table.csv" if table else None)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return FolderDomain(folder_of(tmp_path_factory.mktemp("own")), SIZE)


def test_a_case_asks_for_a_repainting_of_the_reference(own):
    cases = own.cases("R", 1000)
    assert own.reported == ("R",) and len(cases) == STYLES * 6
    for case in cases:
        target, reference = own.record(case.target), own.record(case.reference)
        assert reference.drawing == target.drawing and reference.style in COLOURS
        assert {own.record(row).style for row in case.history} == {target.style}
        assert len(set(case.history)) == 2 and target.drawing not in {own.record(row).drawing for row in case.history}
    assert cases[:5] == own.cases("R", 5)
    assert own.gallery("R") == list(range(len(own.pictures)))
    assert set(own.facets(cases[0].target)) == {"family"}


def test_a_table_of_meanings_makes_a_test_of_what_two_hands_drew(tmp_path):
    own = FolderDomain(folder_of(tmp_path / "own", table=TABLE), SIZE)
    assert own.reported == ("R", "L")
    for case in own.cases("L", 10):
        target, reference = own.record(case.target), own.record(case.reference)
        assert (target.meaning, {target.style, reference.style}) == ("sun", set(COLOURS))
        assert [own.record(row).style for row in case.history] == [target.style]
    assert len(own.cases("L", 10)) == 2 and len(own.gallery("L")) == 4


def test_a_run_over_it_with_the_judge_that_needs_no_file(own, tiny, tmp_path):
    config = BenchConfig(domain=own.name, histories=("2",), limit=6, out=tmp_path / "out", cache=tmp_path / "cache")
    models = open_models({"ours": str(tiny)}, (1.5, 3.0), Sampling())
    report = run(config, domain=own, models=models, judges=[DescriptorJudge()])
    found = report.results["tests"]["R"]["judges"]["descriptors"]["2"]
    assert np.mean(found[TRUTH]["joint_top1"]) == 1
    assert np.mean(found[COPY]["style_top1"]) == np.mean(found[COPY]["joint_top1"]) == 0
    assert len(found["ours"]["joint_top1"]) == 6


def test_histories_of_different_lengths(tiny, tmp_path):
    folder_of(tmp_path / "own")
    for path in sorted((tmp_path / "own" / "ben").glob("*.png"))[2:]:
        path.unlink()
    own = FolderDomain(scan(tmp_path / "own"), SIZE)
    config = BenchConfig(histories=("5",), limit=100, out=tmp_path / "out", cache=tmp_path / "cache")
    assert {len(case.given("5")) for case in own.cases("R", 100)} == {1, 2}
    models = open_models({"ours": str(tiny)}, (1.5, 3.0), Sampling())
    report = run(config, domain=own, models=models, judges=[DescriptorJudge()])
    assert len(report.results["tests"]["R"]["judges"]["descriptors"]["5"]["ours"]["joint_top1"]) == STYLES * 5


def test_the_same_pixels_count_once_and_are_no_meaning_of_two_hands(tmp_path):
    folder_of(tmp_path / "own")
    picture = tmp_path / "own" / "ann" / "0.png"
    Image.open(picture).save(tmp_path / "own" / "ann" / "again.bmp")
    (tmp_path / "own" / "ben" / "0.png").write_bytes(picture.read_bytes())
    own = FolderDomain(scan(tmp_path / "own"), SIZE)
    assert own.reported == ("R",) and len(own.plain) == 5


def test_of_many_users_some_are_taken_whole(tmp_path):
    for user in range(30):
        (tmp_path / "own" / str(user)).mkdir(parents=True)
        for number in range(4):
            picture = np.full((SIZE, SIZE, 3), 250, np.uint8)
            picture[2 : 4 + user // 2, 2 + 4 * number : 6 + 4 * number] = 3 * user
            Image.fromarray(picture).save(tmp_path / "own" / str(user) / f"{number}.png")
    own = FolderDomain(scan(tmp_path / "own"), SIZE)
    styles = [own.record(row).style for row in own.plain]
    assert {styles.count(style) for style in styles} == {4} and len(styles) == 48


def test_one_sentence_where_there_is_no_case(tmp_path):
    with pytest.raises(ValueError, match="dataset holds 2 pictures, expected at least two in one style that show diff"):
        FolderDomain(folder_of(tmp_path / "own", pictures=1), SIZE)


def test_one_sentence_for_a_test_that_it_has_not(own):
    with pytest.raises(ValueError, match="test L was asked for, but this dataset has R; choose among them"):
        own.cases("L", 1)
