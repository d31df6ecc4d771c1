"""Loading, drawing, training and freeing, again and again, leaves no memory behind: by the command that measures it."""

import contextlib

from scripts import measure_memory

ROUNDS = 10
MORE = 100  # MB


def test_ten_rounds_end_with_the_memory_of_the_first(server, in_this_process, monkeypatch):
    """What the first one brings for good are libraries: theirs is not to be given back."""
    monkeypatch.setattr(measure_memory, "Server", lambda *_, **__: contextlib.nullcontext(server))
    monkeypatch.setattr(measure_memory, "WAIT", 0.2)  # the host frees between two prompts
    code, said, _ = in_this_process(measure_memory, "--rounds", 1 + ROUNDS, "--model", "tiny.safetensors")
    column = list(measure_memory.PARTS).index("all")
    held = [int(words[1 + column]) for line in said.splitlines() if (words := line.split())[0].isdigit()]
    assert code is None and len(held) == 1 + ROUNDS
    assert max(held[-3:]) - held[0] < MORE, said
