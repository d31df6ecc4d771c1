"""What a stranger does with the training workflows: open them, look, make them short, press Run, look at the curve."""

from scripts.lib.pictures import from_bytes
from scripts.lib.prompts import SHARP
from scripts.lib.training_prompts import QUICK_LOOK, TRAINERS, train_disentanglement, train_personalisation

from .conftest import assert_open, assert_tidy_after_its_run, in_both_ways

WORKFLOWS = {
    "train_disentanglement": (TRAINERS[0], train_disentanglement),
    "train_personalisation": (TRAINERS[1], train_personalisation),
}


@in_both_ways(WORKFLOWS)
def test_template_opens_and_trains(page, client, definitions, name):
    trainer, prompt = WORKFLOWS[name]
    expected = prompt(definitions, **QUICK_LOOK)
    for node in expected.values():
        if node["class_type"] == "DRC_DecodeTokens":
            node["inputs"]["size"] = SHARP
    page.open_template(name)
    assert_open(page, expected)
    page.screenshot(f"{name}-open")

    page.set_widgets("DRC_LoadModel", model_name="tiny.safetensors")
    page.set_widgets("DRC_Triplets", restyled_views=2)
    page.set_widgets(trainer, steps=8, batch_size=2, validate_every=4, samples=1, run_name=name)
    page.set_widgets("DRC_SaveModel", filename=name)
    before = page.api_prompt()
    page.press_run()
    for title, size in (("Pairs", (416, 1119)), ("Loss curve", (1024, 768))):
        images = page.pictures_in(title)
        assert page.alerts() == []
        assert from_bytes(client.fetch(images[0])).size == size
    if name == "train_personalisation":
        assert from_bytes(client.fetch(page.pictures_in("Picture")[0])).size == (128, 128)
    page.screenshot(f"{name}-done")
    assert page.api_prompt() == before  # no seed was changed behind the user's back
    assert page.errors == []
    assert page.alerts() == []
    assert_tidy_after_its_run(page)
