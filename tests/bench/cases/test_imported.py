"""Imported cases are run: the paper's own way to ask, and Pigeon's metrics with whatever there is to look with."""

import json
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from drc.bench import __main__ as command
from drc.bench.baselines import COPY, TRUTH
from drc.bench.cases.imported import SIZE, ImportedDomain
from drc.bench.cases.importers.collection import CaseList, ImportedCase
from drc.bench.config import BenchConfig
from drc.bench.judges.descriptors import DescriptorJudge
from drc.bench.models import open_models
from drc.bench.report.page import page
from drc.bench.run import Run
from drc.bench.scores.pigeon import Networks
from drc.lmm.generate import Sampling

THEMES = {"bear": 20, "cat": 15}


@pytest.fixture(scope="module")
def stickers(tmp_path_factory):
    """A folder of two themes; one of the pictures has words."""
    root = tmp_path_factory.mktemp("stickers")
    for theme, count in THEMES.items():
        (root / theme).mkdir()
        for number in range(count):
            random = np.random.default_rng(zlib.crc32(f"{theme} {number}".encode()))
            blocks = random.integers(0, 256, (3, 2, 3), np.uint8).repeat(6, 0).repeat(6, 1)
            Image.fromarray(blocks).save(root / theme / f"{number}.png")
            (root / theme / f"{number}.txt").write_text(f"{theme} {number}")
    return root


@pytest.fixture
def drc_bench(monkeypatch, capsys):
    """Runs the command in this process: exit code, stdout, stderr."""

    def drc_bench(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["drc.bench", *map(str, arguments)])
        return command.main(), *capsys.readouterr()

    return drc_bench


@pytest.fixture
def cases(stickers, tmp_path, drc_bench):
    assert drc_bench("import", "stickers", stickers, "--split", "pigeon", "--out", tmp_path / "cases.json")[0] == 0
    return tmp_path / "cases.json"


def test_cases_are_those_of_the_file(cases):
    domain = ImportedDomain.open(cases)
    wanted = [case for case in json.loads(cases.read_text())["cases"] if case["part"] == "test"]
    asked = domain.cases("test", 100)
    names = domain.record
    assert len(asked) == len(wanted) == 2
    assert {names(case.target).drawing for case in asked} == {case["target"] for case in wanted}
    for case in asked:
        assert case.reference == case.target and len(case.given("5")) == 5
        theme = names(case.target).drawing.split("/")[0]
        assert {names(row).drawing.split("/")[0] for row in case.history} == {theme}
        assert domain.caption(case.target) == names(case.target).drawing.removesuffix(".png").replace("/", " ")
    assert domain.pictures.read(np.array([0])).shape == (1, SIZE, SIZE, 3)
    assert domain.cases("test", 1) == asked[:1]


def test_films_are_told_by_their_first_genre_and_their_title(stickers):
    names = [f"cat/{number}.png" for number in range(6)]
    film = {"title": "Cat, The (1997)", "genres": "Comedy|Drama"}
    case = ImportedCase("test", "user 1", tuple(names[:5]), names[5], names[5], film)
    domain = ImportedDomain(CaseList(stickers, "pigeon", [case], [], [], {names[5]: film}))
    (asked,) = domain.cases("test", 9)
    assert domain.facets(asked.target) == {"kind": "Comedy"} and domain.caption(asked.target) == film["title"]
    assert domain.facets(asked.history[0]) == {"kind": "unknown"} and domain.caption(asked.history[0]) == ""


def test_a_repainted_reference_is_no_copy(cases):
    domain = ImportedDomain.open(cases)
    for case in domain.cases("repainted", 100):
        target, reference = domain.pictures.read(np.array([case.target, case.reference]))
        assert domain.record(case.reference).meaning == domain.record(case.target).meaning
        assert not np.array_equal(target, reference)
        assert {case.target, case.reference} <= set(domain.gallery("repainted"))


def test_what_the_files_do_not_hold_is_said(cases, stickers, tmp_path):
    values = json.loads(cases.read_text())
    for change, words in (
        ({"cases": 5}, "holds no cases"),
        ({"cases": [{"part": "test"}]}, "holds no cases"),
        ({"root": str(tmp_path)}, "is not in .*name its folder with --pictures"),
        ({"cases": [values["cases"][0] | {"part": "test", "target": "../cases.json"}]}, "which is not below"),
        ({"cases": [case for case in values["cases"] if case["part"] == "train"]}, "the cases have none of test"),
    ):
        (tmp_path / "changed.json").write_text(json.dumps(values | change))
        with pytest.raises(ValueError, match=words):
            ImportedDomain.open(tmp_path / "changed.json").cases("test", 1)
    with pytest.raises(ValueError, match="test T1 was asked for, expected out of test, repainted"):
        ImportedDomain.open(cases).cases("T1", 1)
    assert len(ImportedDomain.open(tmp_path / "changed.json", stickers).imported["test"]) == 0


@pytest.fixture
def small(monkeypatch):
    """Pigeon's metrics on smaller squares than its own, so that a run is quick; test_pigeon.py asks for 512."""
    monkeypatch.setattr("drc.bench.scores.pigeon.SIZE", 176)


def tiny_clip(folder):
    """CLIP and DINO as transformers saves them, with random weights and few of them."""
    import tokenizers
    import transformers

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = sizes | {"image_size": 32, "patch_size": 16}
    text = sizes | {"vocab_size": 8, "eos_token_id": 1, "bos_token_id": 0, "pad_token_id": 1}
    config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)
    transformers.CLIPModel(config).save_pretrained(folder / "clip")
    words = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({"<s>": 0, "</s>": 1, "bear": 2, "cat": 3}, unk_token="</s>")
    )
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="</s>", pad_token="</s>")
    fast.save_pretrained(folder / "clip")
    side = {"shortest_edge": 32}
    transformers.CLIPImageProcessor(size=side, crop_size=32).save_pretrained(folder / "clip")
    dino = transformers.Dinov2Config(
        image_size=32, patch_size=16, hidden_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    transformers.Dinov2Model(dino).save_pretrained(folder / "dino")
    transformers.BitImageProcessor(size=side, crop_size=32).save_pretrained(folder / "dino")
    return ["--clip", folder / "clip", "--dino", folder / "dino"]


def test_the_road_from_a_users_folder_to_the_report(cases, tiny, tmp_path, drc_bench, small):
    places = ["--out", tmp_path / "out", "--cache", tmp_path / "cache", "--device", "cpu"]
    quick = ["--cases", cases, "--tests", "test", "--limit", 1, "--judges", "descriptors", *tiny_clip(tmp_path)]
    code, said, complaint = drc_bench("run", "--model", f"ours={tiny}", *places, *quick)
    assert (code, said) == (0, f"{tmp_path / 'out' / 'index.html'}\n"), complaint
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (results["domain"], results["settings"]["domain"]) == ("imported", "imported")
    assert results["settings"]["histories"] == ["5"] and results["encoders"].keys() == {"clip", "dino"}
    found = results["tests"]["test"]["protocol"]
    assert list(found)[0] == TRUTH and "ours" in found
    for metric in ("CIS", "DIS"):
        assert found[TRUTH][metric] == found[COPY][metric] == pytest.approx(100, abs=1e-3)
        assert found["ours"][metric] < 100
    assert {"CS", "history CS", "history CIS", "history DIS", "history SSIM", "history MS-SSIM"} < set(found["ours"])
    text = (tmp_path / "out" / "index.html").read_text()
    assert f"<td>{found['ours']['CIS']:.3f}</td>" in text and "<th>CIS, more is better</th>" in text


def test_metrics_of_all_networks_stand_in_the_report(cases, tiny, tmp_path, small):
    config = BenchConfig(limit=2, tests=("test",), out=tmp_path / "out", cache=tmp_path / "cache", cases=cases)
    looked = Networks(
        lpips=lambda first, second: (first - second).abs().mean(dim=(1, 2, 3)),
        inception=lambda pictures: pictures.mean(dim=(2, 3)),
    )
    models = open_models({"ours": str(tiny)}, (1.5, 3.0), Sampling())
    whole = Run(config, ImportedDomain.open(cases), models, [DescriptorJudge()], networks=looked)
    for share in whole.shares():
        share()
    report = whole.report()
    found = report.results["tests"]["test"]["protocol"]
    assert found[TRUTH]["FID"] == pytest.approx(0, abs=1e-9) and found["white"]["FID"] > found[TRUTH]["FID"]
    assert found["ours"]["history LPIPS"] > 0
    text = page(report.results, report.numbers, {}, report.sheets)
    assert "<th>FID, less is better</th>" in text and "<th>history LPIPS, less is better</th>" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--judges", "evaluator"], "the judge evaluator knows emoji alone"),
        (["--clip", "none"], "'none' is no folder of CLIP that can be read (there is no such folder)"),
        (["--lpips", "none"], "'none' is no safetensors file that can be read"),
        (["--inception", "none"], "'none' is no safetensors file that can be read"),
        (["--histories", "noisy"], "history noisy was asked for, but imported knows no pictures of others"),
        (["--pictures", "none"], "is not in 'none'"),
    ],
)
def test_what_does_not_serve_is_one_sentence(cases, tiny, tmp_path, drc_bench, arguments, words):
    places = ["--out", tmp_path / "out", "--cache", tmp_path / "cache", "--judges", "descriptors", "--device", "cpu"]
    code, said, complaint = drc_bench("run", "--model", f"ours={tiny}", "--cases", cases, *places, *arguments)
    assert (code, said) == (2, "") and words in complaint and complaint.count("\n") == 1
