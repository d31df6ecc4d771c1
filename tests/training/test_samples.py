"""What the sheet of samples shows of a history that a small set filled up with pictures it has already."""

import numpy as np
import torch

import drc
from drc.train.data.batches import BatchCodes
from drc.train.validation import draw_samples
from scripts.lib.tiny import write_tiny


def test_a_picture_of_a_history_is_shown_and_read_once(tmp_path):
    model = drc.load(write_tiny(tmp_path / "tiny.safetensors"))
    codes = torch.randint(0, 24, (5, 16), generator=torch.Generator().manual_seed(0))
    one, three, more = codes[:1], codes[None, 2:], codes[None, [2, 3, 2, 4, 3]]
    text = torch.zeros(1, 6, dtype=torch.long)
    (plain,), (filled,) = (
        draw_samples(model, model.lmm.vision, BatchCodes(one, history, codes[1:2], one, text), "cpu")
        for history in (three, more)
    )
    assert len(plain) == 6 and np.array_equal(plain, filled)
