"""One picture file: whatever its format, colours and turn, its pixels are those that the graph would see."""

import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

from drc.data.folder import read, scan
from drc.data.picture_file import Decoding
from drc.pixels import prepare


def noise(size=(16, 16), seed=0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8))


def save(path, image, **options):
    image.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "jpg", "JPEG", "jfif", "gif", "bmp", "webp", "tif", "tiff"])
def test_every_format_is_read(tmp_path, suffix):
    path = save(tmp_path / f"a.{suffix}", Image.new("RGB", (20, 10), (200, 30, 90)))
    (entry,) = scan(tmp_path).entries  # one picture is a folder too; training says if that is not enough
    assert (entry.width, entry.height) == (20, 10)
    assert abs(read(path, 8).astype(int) - (200, 30, 90)).max() <= 3


def test_pixels_are_those_of_prepare(tmp_path):
    image = noise((40, 24))
    expected = prepare(torch.from_numpy(np.array(image))[None].float() / 255, 32, "x")[0]
    found = read(save(tmp_path / "a.png", image), 32)
    assert found.dtype == np.uint8 and found.shape == (32, 32, 3)
    assert (found == (expected * 255).round().byte().permute(1, 2, 0).numpy()).all()


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_large_pictures_look_the_same_although_they_are_averaged_first(tmp_path, suffix):
    smooth = noise((9, 7), seed=3).resize((1801, 1397), Image.Resampling.BICUBIC)
    path = save(tmp_path / f"a.{suffix}", smooth)
    whole = np.array(Image.open(path))
    expected = prepare(torch.from_numpy(whole)[None].float() / 255, 32, "x")[0].permute(1, 2, 0).numpy() * 255
    assert abs(read(path, 32) - expected).max() < 1.5


@pytest.mark.parametrize(("suffix", "options"), [("png", {}), ("jpg", {}), ("jpg", {"progressive": True})])
def test_reading_a_large_picture_can_be_stopped(tmp_path, suffix, options):
    path, heard = save(tmp_path / f"a.{suffix}", noise((1500, 1500)), **options), []
    whole = read(path, 8, lambda: heard.append(1))
    assert (whole == read(path, 8)).all() and len(heard) > 20
    stop = len(heard) // 2
    heard.clear()

    def on_read():
        heard.append(1)
        if len(heard) == stop:
            raise KeyError("cancelled")

    with pytest.raises(KeyError, match="cancelled"):
        read(path, 8, on_read)
    assert len(heard) == stop


@pytest.mark.parametrize(("suffix", "options"), [("webp", {}), ("tif", {"compression": "tiff_lzw"})])
def test_what_is_decoded_at_once_can_be_stopped(tmp_path, monkeypatch, suffix, options):
    """The decoder, which nobody can stop, is left behind, and closes the file in the end."""
    path = save(tmp_path / f"a.{suffix}", noise(), **options)
    whole, begun, goes_on, decode = read(path, 8), [], threading.Event(), Decoding.run

    def run(self):
        begun.append(self)
        goes_on.wait(30)
        decode(self)

    def on_read():
        if begun:
            raise KeyError("cancelled")

    monkeypatch.setattr(Decoding, "run", run)
    with pytest.raises(KeyError, match="cancelled"):
        read(path, 8, on_read)
    (left,) = begun
    file = left.image.fp
    assert left.is_alive() and not file.closed
    goes_on.set()
    left.join(30)
    assert left.error is None and wait_for(lambda: file.closed)
    assert (read(path, 8) == whole).all()


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_animated(tmp_path):
    red, blue = (Image.new("RGB", (16, 16), colour) for colour in ("red", "blue"))
    for suffix in ("gif", "webp", "png", "tif"):
        path = save(tmp_path / f"a.{suffix}", red, save_all=True, append_images=[blue])
        assert abs(read(path, 8).astype(int) - (255, 0, 0)).max() <= 1, suffix
    folder = scan(tmp_path)
    assert len(folder.entries) == 4
    assert folder.report.notes[0] == "`a.gif` holds several pictures; the first is used"
    assert len(folder.report.notes) == 4


def test_exif_turns(tmp_path):
    image = Image.new("RGB", (32, 16), "white")
    image.paste("red", (0, 0, 16, 16))  # red on the left; turned by orientation 6, on top
    for suffix in ("jpg", "png", "webp", "tif"):
        exif = Image.Exif()
        exif[0x0112] = 6
        path = save(tmp_path / f"a.{suffix}", image, exif=exif)
        found = read(path, 16)
        assert (found[2, 8] > (200, 0, 0)).any() and found[2, 8, 1] < 60, suffix
        assert found[13, 8].min() > 200, suffix
    assert {(e.width, e.height) for e in scan(tmp_path).entries} == {(16, 32)}


def test_a_damaged_exif_block_turns_nothing(tmp_path):
    path = save(tmp_path / "a.jpg", noise((24, 16)), exif=b"Exif\0\0no TIFF header at all")
    (entry,) = scan(tmp_path).entries
    assert (entry.width, entry.height) == (24, 16) and read(path, 8).shape == (8, 8, 3)


def test_transparent_parts_lie_on_white(tmp_path):
    glass = Image.new("RGBA", (16, 16), (0, 0, 255, 128))
    grey = Image.new("LA", (16, 16), (0, 0))
    palette = Image.new("P", (16, 16), 1)
    palette.putpalette([255, 0, 0, 0, 255, 0])
    key = Image.new("RGB", (16, 16), (1, 2, 3))
    for name, image, options, expected in (
        ("glass.png", glass, {}, (127, 127, 255)),
        ("glass.webp", glass, {"lossless": True}, (127, 127, 255)),
        ("grey.png", grey, {}, (255, 255, 255)),
        ("palette.png", palette, {}, (0, 255, 0)),
        ("clear.png", palette, {"transparency": 1}, (255, 255, 255)),
        ("clear.gif", palette, {"transparency": 1}, (255, 255, 255)),
        ("key.png", key, {"transparency": (1, 2, 3)}, (255, 255, 255)),
    ):
        found = read(save(tmp_path / name, image, **options), 8)
        assert (found == expected).all(), (name, found[0, 0])
    assert len(scan(tmp_path).entries) == 7


def test_cmyk_and_one_bit(tmp_path):
    cyan = save(tmp_path / "a.jpg", Image.new("CMYK", (16, 16), (255, 0, 0, 0)))
    assert abs(read(cyan, 8).astype(int) - (0, 255, 255)).max() <= 3
    bits = save(tmp_path / "b.png", Image.new("1", (16, 16), 1))
    assert (read(bits, 8) == 255).all()
    assert len(scan(tmp_path).entries) == 2


@pytest.mark.parametrize(
    ("mode", "numbers", "suffix"),
    [
        ("I;16", np.uint16, "png"),
        ("I;16", np.uint16, "tif"),
        ("I;16B", ">u2", "tif"),
        ("I", np.int32, "tif"),
    ],
)
def test_sixteen_bits_are_scaled_not_cut_off(tmp_path, mode, numbers, suffix):
    ramp = np.tile(np.array([0, 257, 128 * 257, 65535] * 4), (16, 1))
    path = tmp_path / f"a.{suffix}"
    image = Image.frombytes(mode, (16, 16), ramp.astype(numbers).tobytes())
    save(path, image)
    assert read(path, 16)[0, :4, 0].tolist() == [0, 1, 128, 255]
    assert len(scan(tmp_path).entries) == 1


def test_wide_numbers(tmp_path):
    for name, value, expected in (("one", 0.5, 128), ("byte", 128.0, 128)):
        white = Image.fromarray(np.full((16, 16), [value] * 15 + [1.0 if value < 1 else 255.0], np.float32))
        assert read(save(tmp_path / f"{name}.tif", white), 16)[0, 0, 0] == expected
    save(tmp_path / "nan.tif", Image.fromarray(np.full((16, 16), np.nan, np.float32)))
    assert "no colours" in dict(scan(tmp_path).report.left_out)["nan.tif"]


def test_a_picture_that_went_bad_after_the_scan(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("gone")
    with pytest.raises(ValueError, match="is not a picture, or damaged at its beginning; put it back, or read"):
        read(path, 8)
    path.unlink()
    with pytest.raises(ValueError, match=r"is impossible to open \(No such file or directory\)"):
        read(path, 8)
