"""cuda_graph in *Load DRC Model*, over the embedded model; tests/nodes/test_lavit.py has LaVIT's."""

import torch


def test_what_is_kept_of_a_drawing_goes_when_weights_do(graph, model, instruction, pack, monkeypatch, recordings):
    """As on a card: what the stand-in for its recordings replays lies on the processor."""
    expected = graph.generate(model, instruction, seed=3, batch_size=2).codes
    monkeypatch.setattr(pack.nodes.host, "is_resident", lambda owner: True)
    recorded = graph.run("DRC_LoadModel", model_name="tiny.safetensors", cuda_graph=True)
    language = recorded.drc.lmm.language

    def some_leave():
        recorded.language.partially_unload(torch.device("cpu"), 1)

    for count, leave in enumerate((None, some_leave, recorded.language.detach)):
        if leave is not None:
            leave()
            assert not language.recording.kept
        for _ in range(2):
            assert torch.equal(graph.generate(recorded, instruction, seed=3, batch_size=2).codes, expected)
        assert len(recordings) == count + 1 and language.recording.kept
