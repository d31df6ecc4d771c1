"""The workflows that look at what was drawn, from the template browser to their pictures; the model is a tiny one."""

from scripts.lib.pictures import from_bytes

from .conftest import assert_tidy_after_its_run, in_both_ways

SHOWN = {
    "look_closer": ("Drawn", "Meter", "What the dials do", "Where the towers looked"),
    "evaluate": ("Table", "Plots", "Drawn and true"),
}


@in_both_ways(SHOWN)
def test_template_opens_and_measures(page, client, name):
    page.open_template(name)
    assert page.unknown_node_types() == []
    page.set_widgets("DRC_LoadModel", model_name="tiny.safetensors")
    if name == "evaluate":
        page.set_widgets("DRC_Evaluate", cases=1, report_name="from the page")
    page.press_run()
    for title in SHOWN[name]:
        pictures = page.pictures_in(title)
        assert pictures and all(from_bytes(client.fetch(picture)) for picture in pictures), title
    page.screenshot(f"{name}-done")
    assert page.alerts() == [] and page.errors == []
    assert_tidy_after_its_run(page)
