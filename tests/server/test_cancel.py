"""How long Cancel takes by the clock, by the command that measures it; tests/nodes/test_cancel.py counts the work."""

from scripts import measure_cancel

NODES = ("DRC_GuidanceGrid", "DRC_Evaluate", "DRC_TrainPersonalisation")
LONGEST = 5.0  # seconds: some hundredths where nothing else runs


def test_every_press_is_heard(in_this_process, of_a_tiny_model, monkeypatch):
    of_a_tiny_model(measure_cancel)
    spans_of = measure_cancel.spans_of

    def of_a_slow_first_run(press, end):
        return {node: span if press.node else 10 * span for node, span in spans_of(press, end).items()}

    monkeypatch.setattr(measure_cancel, "spans_of", of_a_slow_first_run)
    given = ("--presses", 2, "--least", 0, "--model", "tiny.safetensors")
    code, said, _ = in_this_process(measure_cancel, *given, *NODES)
    rows = [words for line in said.splitlines() if (words := line.split())[0] in NODES]
    assert code is None and [row[0] for row in rows] == list(NODES)
    assert all(int(row[2]) and float(row[4]) < LONGEST for row in rows), said
