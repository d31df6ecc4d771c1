"""Stopping what takes long: a model in the middle of a pass, which may take minutes on a processor, or waiting."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import torch
from torch import Tensor, nn

from .files import BETWEEN_LOOKS

MOMENT = 0.5  # seconds
Done = TypeVar("Done")


def call_between_layers(model: nn.Module, call: Callable[[], None]) -> None:
    """From now on `call`, which may raise to stop, is called before every layer of `model`, forwards and backwards.

    What the model computes stays the same.
    """

    def forwards(layer: nn.Module, inputs: tuple) -> None:
        if not torch.compiler.is_compiling():  # a compiled step is over in milliseconds
            call()

    def backwards(layer: nn.Module, inputs: tuple, output: Tensor) -> None:
        if output.requires_grad:
            output.register_hook(lambda gradient: call())

    for layer in model.modules():
        if next(layer.children(), None) is None:  # the others are made of such
            layer.register_forward_pre_hook(forwards)
            layer.register_forward_hook(backwards)


def heard(work: Callable[[], Done], ask: Callable[[], None] | None) -> Done:
    """What `work` returns or raises, on a thread beside, while `ask`, which may raise to stop, is called again and
    again. Nobody waits for the rest then, so that it has to be short and to touch nothing of others."""
    if ask is None:
        return work()
    ask()
    thread, done = on_a_thread(work)
    while thread.is_alive():
        thread.join(BETWEEN_LOOKS)
        ask()
    return done.result()


def on_a_thread(work: Callable[[], Done]) -> tuple[threading.Thread, Future[Done]]:
    """Begins `work` on a thread that does not keep the process alive; what it returns or raises is in the future."""
    done: Future[Done] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, done


class Heard:
    """Asks whether to go on, and keeps for later what says that it is to stop."""

    def __init__(self, ask: Callable[[], None] | None):
        self.ask, self.reason = ask, None

    def goes_on(self) -> bool:
        try:
            if self.ask is not None and self.reason is None:
                self.ask()
        except BaseException as reason:
            self.reason = reason
        return self.reason is None

    def stop(self) -> None:
        if self.reason is not None:
            raise self.reason


def for_a_moment() -> Callable[[], bool]:
    """Whether to wait on: no longer than `MOMENT`."""
    end = time.monotonic() + MOMENT
    return lambda: time.monotonic() < end
