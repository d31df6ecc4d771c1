"""Loading, drawing, training and freeing, again and again, leaves no memory behind."""

import json
import time

from scripts.lib.memory import resident
from scripts.lib.prompts import node_of
from scripts.lib.training_prompts import train_personalisation

ROUNDS = 10
MORE = 100 * 2**20  # bytes


def test_ten_rounds_end_with_the_memory_of_the_first(client, definitions, server):
    """What the first one brings for good are libraries: theirs is not to be given back."""
    held = []
    for number in range(1 + ROUNDS):
        widgets = {"steps": 1, "batch_size": 2, "samples": 1, "run_name": f"round {number}"}
        prompt = train_personalisation(definitions, "tiny.safetensors", filename=f"round {number}", **widgets)
        prompt[node_of(prompt, "DRC_Triplets")]["inputs"]["restyled_views"] = 1
        result = client.run(prompt)
        assert result.error is None and result.images
        client.free()
        time.sleep(0.2)  # the host frees between two prompts
        held.append(resident(server.process.pid))
    assert max(held[-3:]) - held[0] < MORE, json.dumps([round(bytes / 2**20) for bytes in held])
