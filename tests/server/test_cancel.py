"""How long Cancel takes by the clock, by the command that measures it; tests/nodes/test_cancel.py counts the work."""

from scripts import measure_cancel

NODES = ("DRC_GuidanceGrid", "DRC_Evaluate", "DRC_TrainPersonalisation")
LONGEST = 5.0  # seconds: some hundredths where nothing else runs


def test_every_press_is_heard(in_this_process, of_a_tiny_model):
    of_a_tiny_model(measure_cancel)
    given = ("--presses", 2, "--least", 0, "--model", "tiny.safetensors")
    code, said, _ = in_this_process(measure_cancel, *given, *NODES)
    rows = [words for line in said.splitlines() if (words := line.split())[0] in NODES]
    assert code is None and [row[0] for row in rows] == list(NODES)
    assert all(int(row[2]) and float(row[4]) < LONGEST for row in rows), said
