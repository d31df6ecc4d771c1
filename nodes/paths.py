"""The only file that resolves or checks a path."""

import glob
import os
import re
from pathlib import Path

import folder_paths

from ..drc import EMBEDDED as EMBEDDED_FILE
from ..drc.files import read_bounded
from ..drc.names import check_name
from ..drc.visible import visible

PACK = Path(__file__).resolve().parents[1]
EXAMPLES = PACK / "nodes" / "examples"
EMBEDDED = "embedded"
FOLDER, STYLES = "drc", "drc_styles"  # kinds of model folders: models, and style cards
EXTENSIONS = {".safetensors", ".sft"}
BUILT = PACK / "build" / "data"
PACKAGES, EVALUATOR = PACK / "build" / "packages", PACK / "build" / "evaluator" / "evaluator.safetensors"
DATASETS = "datasets"  # what extra_model_paths.yaml calls folders of the server's owner that nodes may read
HOW_TO_OPEN = f"let whoever runs the server list it as {DATASETS} in extra_model_paths.yaml, and write its full path"


STATE = "state.safetensors"  # of a training's checkpoint: not a model


def register() -> None:
    """Makes models/drc and models/drc_styles, and what the user's extra model paths call so, known to the host;
    safetensors only.

    The checkpoints of trainings lie below output/drc and are models, too, as the host has it with its own.
    """
    # First, as the host has it with its own kinds of models: a plain name means what Save DRC Model wrote.
    for kind in (FOLDER, STYLES):
        folder_paths.add_model_folder_path(kind, str(saved(kind)), is_default=True)
    folder_paths.add_model_folder_path(FOLDER, str(trainings()))
    for kind in (FOLDER, STYLES):
        folders, _ = folder_paths.folder_names_and_paths[kind]
        folder_paths.folder_names_and_paths[kind] = (folders, EXTENSIONS)


def model_names() -> list[str]:
    """What Load DRC Model offers: the model of this pack first, then large ones in folders of their own, and
    the files in the model folders. What several folders hold under one name is there once for each of them."""
    return [EMBEDDED, *dict.fromkeys([*pretrained(), *files(FOLDER)])]


def style_names() -> list[str]:
    """What Load Style Card offers."""
    return files(STYLES)


def files(kind: str) -> list[str]:
    """How the files in the model folders of a kind are called."""
    folders = folders_of(kind)
    try:
        names = folder_paths.get_filename_list(kind)
    except FileNotFoundError:  # of a folder that the host saw before, such as output/drc, which its user has deleted
        folder_paths.filename_list_cache.pop(kind, None)
        names = folder_paths.get_filename_list(kind)
    found = (called(name, folder, kind) for name in names for folder in folders if is_file_in(folder, name))
    return list(dict.fromkeys(found))


def pretrained() -> dict[str, Path]:
    """Name -> description of every large model that lies in a folder of its own in the model folders."""
    folders = [(folder, path) for folder in model_folders() for path in sorted(folder.glob("*"))]
    found = [(folder, path, set_in(folder, path.name)) for folder, path in folders]
    return {called(path.name, folder): description for folder, path, description in found if description}


def models() -> Path:
    return Path(folder_paths.models_dir)


def saved(kind: str) -> Path:
    """Where files of a kind are written."""
    return Path(os.path.abspath(models() / kind))


def saved_models() -> Path:
    """Where Save DRC Model and Convert LaVIT write."""
    return saved(FOLDER)


def model_folders() -> list[Path]:
    return folders_of(FOLDER)


def folders_of(kind: str) -> list[Path]:
    """All of them, each once whatever links lead to it; a plain name means the first that holds it."""
    found = {}
    for folder in folder_paths.get_folder_paths(kind):
        found.setdefault(os.path.realpath(folder), Path(os.path.abspath(folder)))
    return list(found.values())


def is_file_in(folder: Path, name: str) -> bool:
    """Whether a model folder offers a checkpoint under that name.

    A link in a model folder is its owner's will and is followed.
    """
    path = Path(os.path.abspath(folder / name))
    if folder not in path.parents or path.suffix not in EXTENSIONS or not os.path.isfile(path):
        return False
    first, *inner = path.relative_to(folder).parts
    parts_of_others = path.name == STATE or first.startswith(".") or set_in(folder, first)
    return is_showable(name) and not (inner and parts_of_others)


def set_in(folder: Path, name: str) -> Path | None:
    """The description of the large model of that name in a model folder, if it holds one."""
    path = Path(os.path.abspath(folder / name))
    if path.parent != folder or not is_showable(name) or not os.path.isdir(path):
        return None
    from ..drc.pretrained import description_in

    return description_in(path)


def is_showable(name: str) -> bool:
    """Whether a name may stand in a list of choices, which a page reads as HTML and which cannot be written
    otherwise, as the host gets it back as it stands."""
    return "<" not in name and [visible(name)] == name.splitlines()


def called(name: str, folder: Path, kind: str = FOLDER) -> str:
    """How a loader calls what a model folder holds under a name: by its place where a folder before it holds another
    of that name."""
    first = next((other for other in folders_of(kind) if set_in(other, name) or is_file_in(other, name)), folder)
    return name if os.path.realpath(first) == os.path.realpath(folder) else name + place_of(folder)


def without_place(name: str) -> str:
    """A name as others may read it, who need not know where things lie on this machine."""
    return name.partition(" (in ")[0]


def place_of(folder: Path) -> str:
    return f" (in output/{FOLDER})" if folder == trainings() else f" (in {folder})"


def model_file(name: str) -> Path:
    """The checkpoint of that name; ValueError for a name that is not offered or leads out of the model folders."""
    if name == EMBEDDED:
        if not EMBEDDED_FILE.is_file():
            raise ValueError(
                f"model_name is '{name}', but {EMBEDDED_FILE.name} is missing in this pack; install the pack again"
            )
        return EMBEDDED_FILE
    for folder, plain in where_it_may_be(name, FOLDER):
        if description := set_in(folder, plain):
            return description
        if is_file_in(folder, plain):
            return folder / plain
    places, known = " or ".join(map(str, model_folders())), f"choose one of: {', '.join(model_names())}"
    if Path(without_place(name)).suffix in EXTENSIONS:
        raise ValueError(f"model_name is '{name}', but there is no such safetensors file in {places}; {known}")
    raise ValueError(
        f"model_name is '{name}', but {places} has no folder of that name with a Janus or a LaVIT in it; download it "
        f"first, as {PACK.name}/docs/janus.md and {PACK.name}/docs/lavit.md say, and press R, or {known}"
    )


def style_file(name: str) -> Path:
    """The style card of that name; ValueError for a name that is not offered or leads out of their folders."""
    for folder, plain in where_it_may_be(name, STYLES):
        if is_file_in(folder, plain):
            return folder / plain
    raise ValueError(
        f"style_name is '{name}', but there is no such style card in {' or '.join(map(str, folders_of(STYLES)))}; "
        "save one with Save Style Card, press R and choose it"
    )


def where_it_may_be(name: str, kind: str) -> list[tuple[Path, str]]:
    """The folders in which a loader looks for a name, and the name there, which may say the folder itself."""
    folders = folders_of(kind)
    placed = [(folder, name.removesuffix(place_of(folder))) for folder in folders if name.endswith(place_of(folder))]
    return placed or [(folder, name) for folder in folders]


def check_converted_name(name: str) -> None:
    """ValueError for a name under which Load DRC Model would give another model than the one in models/drc."""
    others = [folder for folder in model_folders() if folder != saved_models()]
    held = [str(folder) for folder in others if set_in(folder, name) or is_file_in(folder, name)]
    if name == EMBEDDED or held:
        whose = "that of this pack" if name == EMBEDDED else f"one in {held[0]}"
        raise ValueError(f"name is '{name}', but Load DRC Model has a model of that name, {whose}; choose another name")


def open_folders() -> list[str]:
    """Where nodes may read what somebody names by a full path: the folders of the host, and those that the server's
    owner lists."""
    listed, _ = folder_paths.folder_names_and_paths.get(DATASETS, ([], set()))
    own = (folder_paths.get_input_directory(), folder_paths.get_output_directory(), folder_paths.models_dir)
    return [*own, *folder_paths.get_folder_paths(FOLDER), *listed]


def is_open(path: str | Path) -> bool:
    """Whether a full path lies in one of them, as it is written and once all links are followed. Elsewhere the disk
    is not asked, so an answer never tells what is there."""
    folders = [Path(form(folder)) for folder in open_folders() for form in (os.path.abspath, os.path.realpath)]
    return all(
        any(place.is_relative_to(folder) for folder in folders)
        for place in (Path(form(path)) for form in (os.path.abspath, os.path.realpath))
    )


def picture_folder(name: str) -> Path:
    """A user's folder: below ComfyUI's input folder, or by its full path where nodes may read.

    ValueError for one that is not there, or whose name leads out of those.
    """
    name = name.strip().strip('"')  # Windows copies a path with quotes
    below = folder_paths.get_input_directory()
    if not name:
        raise ValueError(f"folder is empty; write the name of a folder in '{below}'")
    path = Path(name)
    if not path.is_absolute():
        path = inside(below, name)
        if path is None:
            raise ValueError(f"folder is '{name}', which leads out of '{below}'; {HOW_TO_OPEN}")
    elif not is_open(path):
        raise ValueError(
            f"folder is '{name}', expected the name of a folder in '{below}', or one that nodes may read; {HOW_TO_OPEN}"
        )
    if not os.path.isdir(path):  # which a name that is too long is not, either
        what = "a file" if os.path.exists(path) else "not there"
        raise ValueError(f"folder is '{name}', but '{path}' is {what}; write the name of a folder in '{below}'")
    return path


NO_FILE = ""


def input_pictures() -> list[str]:
    """The files of pictures that lie in the host's input folder itself, behind the choice of none."""
    folder = folder_paths.get_input_directory()
    names = os.listdir(folder) if os.path.isdir(folder) else []
    names = folder_paths.filter_files_content_types(names, ["image"])
    return [NO_FILE, *sorted(name for name in names if is_showable(name))]


def uploaded_picture(name: str) -> tuple[Path, str]:
    """A folder of the host, and the name of a picture file in it, as a page calls one: in the input folder, unless its
    end says [output] or [temp]. ValueError for one that is not there, or whose name leads out."""
    plain, folder = folder_paths.annotated_filepath(name)
    folder = folder or folder_paths.get_input_directory()
    path = inside(folder, plain.strip())
    if path is None or not os.path.isfile(path):
        fault = "leads out of" if path is None else "is not in"
        raise ValueError(f"files has '{name}', which {fault} '{folder}'; drop the picture onto the node again")
    return Path(folder), plain.strip()


def published_folder(name: str) -> Path:
    """The folder of a download, by its full path where nodes may read."""
    path = Path(name.strip().strip('"'))
    if not path.is_absolute():
        raise ValueError(
            f"folder is '{name}', expected a full path; write the full path of the folder that you downloaded LaVIT to"
        )
    if not is_open(path):
        raise ValueError(
            f"folder is '{name}', expected one that nodes may read; move it into '{folder_paths.models_dir}', or "
            f"{HOW_TO_OPEN}"
        )
    return path


def table_file(folder: Path, name: str) -> Path | None:
    """The table of a user's folder; None without a name, ValueError for a name that leads out of the folder."""
    if not name.strip():
        return None
    path = inside(folder, name.strip())
    if path is None:
        raise ValueError(f"table is '{name}', which leads out of '{folder}'; write the name of a file in that folder")
    return path


def trainings() -> Path:
    """Where the folders of trainings lie."""
    return Path(os.path.abspath(folder_paths.get_output_directory())) / FOLDER


def code_cache() -> Path:
    """Where codes lie that are made once: not among the user's pictures, but with what the host keeps for itself."""
    return Path(folder_paths.get_system_user_directory(FOLDER))


def set_folder(name: str, files: list[str]) -> Path:
    """A folder of results that has none of these files yet."""
    check_name(name, "folder")
    results, number, folder = Path(os.path.abspath(folder_paths.get_output_directory())), 1, name
    while any((results / folder / file).exists() for file in files):
        number += 1
        folder = f"{name}-{number}"
    return results / folder


def evaluation_folder(name: str) -> Path:
    """Where the report of that name lies."""
    check_name(name, "report_name")
    return trainings() / "evaluations" / name


def run_folder(name: str, resume: bool) -> Path:
    """The folder of a training: the last one of that name, to go on with, or the next one."""
    check_name(name, "run_name")
    numbers = [path.name[len(name) + 1 :] for path in trainings().glob(f"{name}_*")]
    last = max((int(number) for number in numbers if re.fullmatch("[0-9]{5,}", number)), default=0)
    return trainings() / f"{name}_{last if resume and last else last + 1:05d}"


def new_model_file(name: str) -> tuple[Path, str]:
    return new_file(name, "filename", FOLDER)


def new_style_file(name: str) -> tuple[Path, str]:
    return new_file(name, "name", STYLES)


def new_file(name: str, what: str, kind: str) -> tuple[Path, str]:
    """A file whose name, `what` it is in a message, no model folder of a kind holds yet, and how a loader will call
    it."""
    check_name(name.removesuffix(".safetensors"), what)
    folders, stem = [saved(kind), *folders_of(kind)], name.removesuffix(".safetensors")
    number, file = 1, f"{stem}.safetensors"
    while any((folder / file).exists() for folder in folders):
        number += 1
        file = f"{stem}-{number}.safetensors"
    return saved(kind) / file, file


def below_comfyui(path: Path) -> str:
    """Where a file that was written lies, as its user looks for it: from the folder of models or of results on."""
    for folder in (folder_paths.models_dir, folder_paths.get_output_directory()):
        above = Path(os.path.abspath(folder)).parent
        if path.is_relative_to(os.path.abspath(folder)):
            return path.relative_to(above).as_posix()
    return str(path)


def same_before(path: Path) -> tuple[Path, str] | None:
    """Another card beside one, whose name begins as that does, with the very same bytes, so with the same name in it;
    and how the loader calls it."""
    beginning = re.sub("-[0-9]+$", "", path.stem)
    others = sorted(path.parent.glob(f"{glob.escape(beginning)}*{path.suffix}"))
    size, alike = path.stat().st_size, (other for other in others if other != path and other.is_file())
    same = (one for one in alike if one.stat().st_size == size and read_bounded(one) == read_bounded(path))
    return next(((one, called(one.name, path.parent, STYLES)) for one in same), None)


def inside(folder: str | Path, name: str) -> Path | None:
    """The path of that name below a folder; None where it leads out of it, links followed."""
    path = os.path.join(folder, name)
    return Path(path) if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)) else None
