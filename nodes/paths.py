"""The only file that resolves or checks a path."""

import os
from pathlib import Path

import folder_paths

PACK = Path(__file__).resolve().parents[1]
EXAMPLES = PACK / "nodes" / "examples"
EMBEDDED = "embedded"
EMBEDDED_FILE = PACK / "drc" / "weights" / "drc-embedded.safetensors"
FOLDER = "drc"
EXTENSIONS = {".safetensors", ".sft"}


def register() -> None:
    """Makes models/drc, and what the user's extra model paths call drc, known to the host; safetensors only."""
    folder_paths.add_model_folder_path(FOLDER, os.path.join(folder_paths.models_dir, FOLDER))
    folders, _ = folder_paths.folder_names_and_paths[FOLDER]
    folder_paths.folder_names_and_paths[FOLDER] = (folders, EXTENSIONS)


def model_names() -> list[str]:
    """What Load DRC Model offers: the model of this pack first, then the files in the model folders."""
    return [EMBEDDED, *folder_paths.get_filename_list(FOLDER)]


def model_file(name: str) -> Path:
    """The checkpoint of that name; ValueError for a name that is not offered or leads out of the model folders."""
    if name == EMBEDDED:
        if not EMBEDDED_FILE.is_file():
            raise ValueError(
                f"model_name is '{name}', but {EMBEDDED_FILE.name} is missing in this pack; install the pack again"
            )
        return EMBEDDED_FILE
    folders = folder_paths.get_folder_paths(FOLDER)
    for folder in map(os.path.realpath, folders):
        path = os.path.realpath(os.path.join(folder, name))
        if os.path.commonpath((folder, path)) == folder and Path(path).suffix in EXTENSIONS and os.path.isfile(path):
            return Path(path)
    raise ValueError(
        f"model_name is '{name}', but there is no such safetensors file in {' or '.join(folders)}; "
        f"choose one of: {', '.join(model_names())}"
    )
