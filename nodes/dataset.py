"""Image Dataset: the pictures to train on, and what is to be known of them before training."""

import dataclasses
import math
from pathlib import Path

from ..drc.train.config import SOURCES as TRAINING_SOURCES
from . import host, paths
from .guard import guarded
from .host import io
from .progress import Bar
from .sockets import DatasetSocket
from .widgets import choice, line

EXAMPLES, FOLDER, *BUILT = SOURCES = ("example pictures", *TRAINING_SOURCES)
HISTORIES = "history-*.png"  # each example's reference is in another style than its history


@guarded
class DRC_ImageDataset(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_ImageDataset",
            display_name="Image Dataset",
            category="DRC/training",
            description="Reads folders of pictures to train on, one sub-folder for each user or style, and reports "
            "what it found. Nothing is ever written into your folder.",
            inputs=[
                choice(
                    "source",
                    SOURCES,
                    "Where the pictures come from: the few that come with this pack, to try the graph with; "
                    "a folder of yours; or what the scripts of the source repository have built on this machine: the "
                    "emoji benchmark, or the icon matrix, in which about a hundred designers draw the same meanings.",
                ),
                line(
                    "folder",
                    "",
                    "For the source 'folder': the name of a folder in ComfyUI's input folder, or the full path "
                    "of one in the output or models folder, or in one that extra_model_paths.yaml lists as datasets. "
                    "Each of its sub-folders is one user or style.",
                    optional=True,
                ),
                line(
                    "table",
                    "",
                    "For the source 'folder': the name of a CSV file in it that says more about each picture, "
                    "with the columns image, user, style, semantics, caption. Empty: the folders alone decide.",
                    optional=True,
                ),
            ],
            outputs=[
                DatasetSocket.Output(
                    "dataset_out", display_name="dataset", tooltip="The pictures and what is known of them."
                ),
                io.String.Output(
                    "report_out", display_name="report", tooltip="What was found, and what was left out and why."
                ),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,  # so that it can be run alone, to look at the report before anything else
            **host.newer(search_aliases=["training images", "load images from folder", "image folder", "captions"]),
        )

    @classmethod
    def fingerprint_inputs(cls, source, folder="", table=""):
        from ..drc.data.walk import stamp_in_time

        return stamp_in_time(place(source, folder), host.is_cancelled) or math.nan

    @classmethod
    def execute(cls, source, folder="", table="") -> io.NodeOutput:
        dataset, report = open_dataset(source, folder, table, cls.hidden)
        return io.NodeOutput(dataset, report, ui=host.show_text(cls.hidden, report))


class Seen:
    """Says on the node how far it has looked through `where`, and hears Cancel."""

    def __init__(self, hidden, where: str, what: str):
        self.hidden, self.where, self.what, self.told = hidden, where, what, 0

    def __call__(self, count: int) -> None:
        host.check_interrupt()
        if count >= self.told + 1000:
            self.told = count
            host.show_text(self.hidden, f"looking through the {self.where}: {count} {self.what} so far")


def place(source: str, folder: str) -> Path:
    if source == FOLDER:
        return paths.picture_folder(folder)
    return paths.EXAMPLES if source == EXAMPLES else paths.BUILT


def open_dataset(source: str, folder: str, table: str, hidden):
    """The data set and its report in plain lines."""
    from ..drc.data import built
    from ..drc.data.folder import scan

    root = place(source, folder)
    if source in BUILT:
        dataset = built.BUILT[source].open(root)
        return dataset, dataset.report_text()
    table_file = paths.table_file(root, table) if source == FOLDER else None
    seen = Seen(hidden, "table", "rows") if table_file else Seen(hidden, "folder", "files")
    pictures = scan(root, table_file, "*" if source == FOLDER else HISTORIES, on_file=Bar(), on_seen=seen)
    notes = [*pictures.report.notes, *captions_cut_off(pictures.entries)]
    return pictures, dataclasses.replace(pictures.report, notes=notes).text()


def captions_cut_off(entries: list) -> list[str]:
    """How many captions are longer than the model of this pack reads: which one will learn from them is not known
    here."""
    from ..drc.checkpoint import read_header, words_of
    from ..drc.data.wordings import unread
    from ..drc.model import DRCConfig

    if not paths.EMBEDDED_FILE.is_file():
        return []
    header = read_header(paths.EMBEDDED_FILE)
    config = DRCConfig.from_json(header["config"])
    words, captions = words_of(header, config), [entry.caption for entry in entries]
    return unread(words, captions, config.lmm.text_slots, "the model of this pack", host.check_interrupt)
