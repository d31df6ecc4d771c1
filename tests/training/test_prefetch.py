"""What is drawn ahead is what would have been drawn at its step."""

import threading

import pytest
import torch

from drc.train.machine.prefetch import Prefetch, prefetch


def test_every_step_gets_its_own():
    seen = Prefetch(lambda step: 10 * step)
    assert [seen(step) for step in (0, 1, 2, 3)] == [0, 10, 20, 30]


def test_a_step_out_of_turn_is_drawn_anew():
    seen = Prefetch(lambda step: 10 * step)
    assert [seen(step) for step in (7, 3, 3, 8)] == [70, 30, 30, 80]


def test_the_next_step_is_drawn_before_it_is_asked_for():
    begun = threading.Event()

    def draw(step: int) -> int:
        if step == 5:
            begun.set()
        return step

    Prefetch(draw)(4)
    assert begun.wait(10)


def test_an_error_is_raised_at_the_step_that_it_belongs_to():
    def draw(step: int) -> int:
        if step == 2:
            raise ValueError("no picture")
        return step

    seen = Prefetch(draw)
    assert seen(1) == 1
    with pytest.raises(ValueError, match="no picture"):
        seen(2)


def test_only_a_gpu_is_worth_a_thread():
    def draw(step: int) -> int:
        return step

    assert prefetch(draw, torch.device("cpu")) is draw
    assert isinstance(prefetch(draw, "cuda"), Prefetch)
