"""What a stranger does with the LaVIT workflows: convert the download, open them, press Run, look at the picture.

The LaVIT is a tiny one that draws noise, under the names that the workflows use.
"""

import pytest

from scripts.lib.lavit_prompts import personalise_in_context, reconstruct
from scripts.lib.options import SEED
from scripts.lib.pictures import from_bytes
from scripts.lib.tiny_lavit import write_published

from .conftest import assert_open, in_both_ways

WORKFLOWS = {
    "lavit_reconstruct": reconstruct,
    "lavit_personalise": lambda definitions: personalise_in_context(definitions, seed=SEED),
}
CONVERTED = "converted-in-the-page"
SIZE = 64
pytestmark = pytest.mark.usefixtures("lavit_by_name")


@in_both_ways(WORKFLOWS)
def test_template_opens_and_draws(page, client, definitions, name):
    page.open_template(name)
    assert_open(page, WORKFLOWS[name](definitions))
    page.screenshot(f"{name}-open")

    page.set_widgets("EmptyLatentImage", width=SIZE, height=SIZE)
    page.set_widgets("DRC_TokensToConditioning", width=SIZE, height=SIZE)
    page.set_widgets("KSampler", steps=2)
    page.press_run()
    (image,) = page.pictures_in("Picture")
    assert page.alerts() == []
    assert from_bytes(client.fetch(image)).size == (SIZE, SIZE)
    page.screenshot(f"{name}-done")
    assert page.errors == []
    assert page.alerts() == []


@pytest.mark.parametrize("page", ["vue"], indirect=True)
def test_a_download_is_converted_as_the_note_says(page, server):
    page.load_template("lavit_reconstruct")
    published = write_published(server.folder / "models" / f"download-{page.name}")
    page.set_widgets("DRC_ConvertLaVIT", folder=str(published), name=CONVERTED)
    page.select("DRC_ConvertLaVIT")
    page.press("Control+m")
    page.press_run_selected()
    page.wait_for("Object.values(window.app.nodeOutputs).find(output => output.text)")
    assert page.alerts() == []
    page.press("Control+m")
    assert not any(node["class_type"] == "DRC_ConvertLaVIT" for node in page.api_prompt().values())
    page.press("r")
    page.wait_until_offered("DRC_LoadModel", CONVERTED)
    page.wait_until_offered("UNETLoader", f"{CONVERTED}-unet.safetensors")
    page.wait_until_offered("VAELoader", f"{CONVERTED}-vae.safetensors")
    assert page.errors == []
