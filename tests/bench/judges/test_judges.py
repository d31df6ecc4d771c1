"""Judges: an evaluator that learns, EfficientNet as its authors built it, and what is missing or damaged."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from drc.bench.judges import JUDGES, DescriptorJudge, EfficientNetJudge, open_judge, open_judges
from drc.bench.judges.efficientnet import FILE, Convolution, EfficientNetLite0, load_efficientnet
from drc.bench.judges.evaluator import Evaluator, EvaluatorConfig, disturbed, domains_of, load_evaluator
from drc.data.splits import Splits
from drc.tensor_file import write_safetensors
from scripts.convert_efficientnet import convert


def toy_pictures(count: int, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Four colours (styles) of four places of a square (meanings)."""
    styles, meanings = torch.from_numpy(random.integers(0, 4, (2, count)))
    images = torch.full((count, 3, 16, 16), 0.9)
    colours = torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.1, 0.2, 0.8], [0.2, 0.2, 0.2]])
    for image, style, meaning in zip(images, styles, meanings, strict=True):
        top, left = 2 + 6 * (int(meaning) // 2), 2 + 6 * (int(meaning) % 2)
        image[:, top : top + 5, left : left + 5] = colours[style][:, None, None]
    return images, styles, meanings


def test_evaluator_learns_and_survives_saving(tmp_path):
    torch.manual_seed(0)
    random, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    evaluator = Evaluator(EvaluatorConfig(styles=4, meanings=4, size=16, width=8, features=8))
    optimizer = torch.optim.AdamW(evaluator.parameters(), lr=1e-2)
    before = accuracy(evaluator, random)
    for _ in range(60):
        images, styles, meanings = toy_pictures(32, random)
        loss, _ = evaluator.loss(disturbed(images, generator), styles, meanings)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    after = accuracy(evaluator, random)
    assert max(before) < 0.8 and min(after) > 0.95
    write_safetensors(evaluator.state_dict(), tmp_path / "evaluator.safetensors", evaluator.metadata())
    images, *_ = toy_pictures(8, random)
    kept = load_evaluator(tmp_path / "evaluator.safetensors")
    torch.testing.assert_close(kept(images), evaluator.eval()(images))


@pytest.mark.parametrize("icons", [0, 1472])
def test_an_evaluator_knows_what_it_learned(tmp_path, icons):
    config = EvaluatorConfig(styles=3, meanings=len(Splits.load().meaning_split) + icons, size=16, width=8, features=8)
    evaluator = Evaluator(config)
    write_safetensors(evaluator.state_dict(), tmp_path / "evaluator.safetensors", evaluator.metadata())
    assert domains_of(tmp_path / "evaluator.safetensors") == (("emoji", "icons") if icons else ("emoji",))


@torch.no_grad()
def accuracy(evaluator: Evaluator, random: np.random.Generator) -> list[float]:
    images, *labels = toy_pictures(64, random)
    classes = evaluator.style_classes, evaluator.meaning_classes
    found = evaluator.eval()(images)
    evaluator.train()
    guesses = [(vectors @ F.normalize(its, dim=1).T).argmax(1) for vectors, its in zip(found, classes, strict=True)]
    return [float((guess == label).float().mean()) for guess, label in zip(guesses, labels, strict=True)]


def test_efficientnet_has_the_size_of_the_published_one():
    network = EfficientNetLite0().eval()
    classes = 1280 * 1000 + 1000  # of ImageNet, which no judge needs
    assert sum(parameter.numel() for parameter in network.parameters()) + classes == 4_652_008
    with torch.inference_mode():
        maps = network(torch.zeros(2, 3, 64, 64))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (16, 32, 32), (24, 16, 16), (40, 8, 8), (80, 4, 4), (112, 4, 4), (192, 2, 2), (320, 2, 2), (1280, 2, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("kernel", [3, 5])
def test_convolutions_pad_as_tensorflow_does(kernel):
    """Halving a picture, the middle of the kernel starts on the first pixel, or the second if the padding is uneven."""
    layer = Convolution(1, 1, kernel, stride=2, linear=True).eval()
    layer.conv.weight.data.zero_()[0, 0, kernel // 2, kernel // 2] = 1
    picture = torch.arange(64.0).view(1, 1, 8, 8)
    first = kernel // 2 - (kernel - 2) // 2
    torch.testing.assert_close(layer(picture), picture[..., first::2, first::2], rtol=1e-3, atol=0)


def test_published_weights_are_converted_by_their_order(tmp_path):
    torch.manual_seed(1)
    ours = EfficientNetLite0().state_dict()
    theirs = {f"_blocks.{place}": tensor for place, tensor in enumerate(ours.values())}
    pickled = (tmp_path / FILE).parent / "models" / "lite0.pth"
    pickled.parent.mkdir(parents=True)
    torch.save(theirs | {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}, pickled)
    convert(tmp_path)
    found = load_efficientnet(tmp_path).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in ours.items())


def efficientnet_of(weights: int, examples: int) -> EfficientNetJudge:
    torch.manual_seed(weights)
    network = EfficientNetLite0().eval()
    return EfficientNetJudge(network, torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(examples)))


def test_distance_grows_from_nothing():
    efficientnet = efficientnet_of(0, 0)
    images = torch.rand(2, 3, 32, 32).round()
    near = efficientnet.distance(images, images.lerp(images.flip(3), 0.1))
    far = efficientnet.distance(images, images.flip(3))
    assert torch.equal(efficientnet.distance(images, images), torch.zeros(2))
    assert (near > 0).all() and (far > near).all()
    torch.testing.assert_close(far, efficientnet.distance(images.flip(3), images))


def test_version_of_efficientnet_is_that_of_weights_and_examples():
    versions = [efficientnet_of(*seeds).version for seeds in ((0, 0), (0, 1), (1, 0))]
    assert len(set(versions)) == 3 and efficientnet_of(0, 0).version == versions[0]


def test_descriptors_find_a_picture_likest_to_itself(domain):
    rows = [row for row in domain.ordinary if domain.record(row).meaning in ("code 00", "code 11", "code 22")]
    found = DescriptorJudge()(domain.images(rows))
    for vectors in (found.style, found.meaning, found.joint):
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(rows)))
    assert torch.equal((found.joint @ found.joint.T).argmax(dim=1), torch.arange(len(rows)))


def test_missing_judges_are_named(build, domain, tmp_path):
    with pytest.raises(ValueError, match=r"judge evaluator is missing.*train_evaluator.py.*--evaluator"):
        open_judge("evaluator", tmp_path / "none", build.packages, domain, "cpu")
    with pytest.raises(ValueError, match=r"judge EfficientNet-Lite0 is missing.*convert_efficientnet.py.*--packages"):
        open_judge("efficientnet-lite0", build.evaluator, tmp_path, domain, "cpu")
    with pytest.raises(ValueError, match="judge clip was asked for, expected out of evaluator, efficientnet-lite0"):
        open_judges(["clip"], build.evaluator, build.packages, domain)
    judges = open_judges(JUDGES, build.evaluator, build.packages, domain)
    assert [judge.name for judge in judges] == list(JUDGES)


@pytest.mark.parametrize("name", JUDGES)
def test_a_judge_is_heard_before_every_layer(build, domain, name):
    """EfficientNet looks at hundreds of pictures before it is asked anything."""
    calls = []
    judge = open_judge(name, build.evaluator, build.packages, domain, "cpu", lambda: calls.append(None))
    opened = len(calls)
    judge(domain.images(domain.ordinary[:2]))
    assert len(calls) >= opened + 10 and (name == JUDGES[0] or opened > 50)


@pytest.mark.parametrize("name", JUDGES)
def test_damaged_weights_are_one_sentence(build, domain, tmp_path, name):
    """Sizes that only a header claims make nothing of that size."""
    evaluator = Evaluator(EvaluatorConfig(styles=3, meanings=3, size=16, width=8, features=8))
    boasting = evaluator.metadata() | {"styles": str(10**9), "meanings": str(10**12)}
    path = tmp_path / FILE
    for write in (
        lambda: path.write_bytes(b"nothing"),
        lambda: write_safetensors({"x": torch.ones(1)}, path, {}),
        lambda: write_safetensors(evaluator.state_dict(), path, boasting),
        lambda: write_safetensors(evaluator.state_dict(), path, {"styles": "many"}),
    ):
        path.parent.mkdir(exist_ok=True)
        write()
        with pytest.raises(ValueError, match=f"holds no weights of the judge {name} that can be read"):
            open_judge(name, path, tmp_path, domain, "cpu")
