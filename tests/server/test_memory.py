"""Loading, drawing, training and freeing, again and again, leaves no memory behind: by the command that measures it."""

from scripts import measure_memory

ROUNDS = 10
MORE = 100  # MB


def test_ten_rounds_end_with_the_memory_of_the_start(in_this_process, monkeypatch, of_a_tiny_model):
    """That of a server that has run nothing yet."""
    of_a_tiny_model(measure_memory)
    monkeypatch.setattr(measure_memory, "WAIT", 0.2)  # the host frees between two prompts
    code, said, _ = in_this_process(measure_memory, "--rounds", ROUNDS, "--model", "tiny.safetensors")
    column = list(measure_memory.PARTS).index("all")
    held = [int(words[1 + column]) for line in said.splitlines() if (words := line.split())[0].isdigit()]
    assert code is None and len(held) == ROUNDS
    assert max(held[-3:]) < MORE, said
