"""The texts of every node in the languages of the page, held against the English of the schemas.

After a change of a text the English is written anew by

    bash scripts/test.sh tests/server/test_locales.py --write-locales

and its diff says what is to be translated. Once the other languages say it, too, `--translated` in its place writes
that down in `translated.json`, by digests of the English texts; nothing else tells that a translation is stale.
"""

import hashlib
import json
import re
from pathlib import Path

import pytest

LOCALES = Path(__file__).resolve().parents[2] / "locales"
LANGUAGES = ("de", "es", "fr", "ja", "ko", "ru", "zh", "zh-TW")
TRANSLATED = Path(__file__).with_name("translated.json")
QUOTES = {"de": "„“", "es": "«»", "fr": "«»'", "ja": "「」", "ko": "“”", "ru": "«»", "zh": "“”", "zh-TW": "「」"}
OF_THE_PAGE = re.compile(r"[{}|@$]")  # what the page's messages read as more than a letter


def english(definition: dict) -> dict:
    """Of what the server says of a node, in the form that the page reads."""
    given = {**definition["input"].get("required", {}), **definition["input"].get("optional", {})}
    inputs = {name: {"tooltip": settings.get("tooltip", "")} for name, (_, settings) in given.items()}
    outputs = {
        str(index): {"name": name, "tooltip": tooltip}
        for index, (name, tooltip) in enumerate(
            zip(definition["output_name"], definition["output_tooltips"], strict=True)
        )
    }
    return {
        "display_name": definition["display_name"],
        "description": definition["description"],
        "inputs": inputs,
        "outputs": outputs,
    }


def texts(tree: dict, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    """Leaf by leaf."""
    found = {}
    for key, value in tree.items():
        found |= texts(value, (*path, key)) if isinstance(value, dict) else {(*path, key): value}
    return found


def read(language: str, name: str) -> dict:
    return json.loads((LOCALES / language / name).read_text("utf-8"))


def test_english_is_what_the_nodes_say(definitions, request):
    found = {name: english(node) for name, node in sorted(definitions.items()) if name.startswith("DRC_")}
    categories = {part for name in found for part in definitions[name]["category"].split("/")}
    file = LOCALES / "en" / "nodeDefs.json"
    if request.config.getoption("--write-locales"):
        file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
        main = read("en", "main.json") | {"nodeCategories": {part: part for part in sorted(categories)}}
        file.with_name("main.json").write_text(json.dumps(main, indent=1) + "\n", "utf-8")
    assert read("en", "nodeDefs.json") == found
    assert read("en", "main.json")["nodeCategories"].keys() == categories


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_says_all_of_it(language):
    for file in ("nodeDefs.json", "main.json"):
        said, original = texts(read(language, file)), texts(read("en", file))
        named = {path for path in said if path[-1] == "name" and path[-3:-2] == ("inputs",)}  # English shows the id
        assert said.keys() - named == original.keys()
        assert not [path for path, text in said.items() if OF_THE_PAGE.search(text)]
        assert not [path for path, text in said.items() if not text.strip() and original[path]]
        assert not [path for path, text in original.items() if len(text) > 40 and said[path] == text]


def test_every_english_text_is_the_one_that_was_translated(request):
    english = texts({file: read("en", file) for file in ("main.json", "nodeDefs.json")})
    made_of = {" ".join(path): hashlib.sha256(text.encode()).hexdigest()[:8] for path, text in english.items()}
    if request.config.getoption("--translated"):
        TRANSLATED.write_text(json.dumps(made_of, indent=0) + "\n", "utf-8")
    assert made_of == json.loads(TRANSLATED.read_text("utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_one_kind_of_quotes(language):
    said = "".join(text for file in ("nodeDefs.json", "main.json") for text in texts(read(language, file)).values())
    assert set("«»‹›“”„‘’‚「」『』\"'") & set(said) == set(QUOTES[language])


def test_the_page_gets_them(client):
    told = json.loads(client.get("/i18n"))
    for language in ("en", *LANGUAGES):
        assert told[language]["nodeDefs"]["DRC_StyleTower"] == read(language, "nodeDefs.json")["DRC_StyleTower"]
