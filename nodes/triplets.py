"""DRC Triplets and Augmentations: what a training will see, to look at before paying for it."""

from ..drc.data.augment import Augmentations
from ..drc.train.config import PAIRINGS, DataConfig, Pairing
from . import host
from .guard import guarded
from .host import io
from .progress import Bar
from .sockets import AugmentationsSocket, DatasetSocket, Triplets, TripletsSocket
from .widgets import choice, fixed_seed, share, whole_number

SIZE = 128  # of the pictures in a sheet
USUAL, MILD = Pairing(), Augmentations()  # what the widgets stand at
PICTURES = 6  # in the sheet of augmentations


@guarded
class DRC_Triplets(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_Triplets",
            display_name="DRC Triplets",
            category="DRC/training",
            description="Pairs pictures for training: for each picture one in the same style that shows something "
            "else, and one that shows the same in another style. The sheet shows what was paired.",
            inputs=[
                DatasetSocket.Input("dataset", tooltip="From Image Dataset."),
                choice(
                    "pairing",
                    PAIRINGS,
                    "labels: pictures of the same meaning by the table of the dataset. restyle: each picture "
                    "with a repainting of itself. neighbours: like restyle, but the style is that of the pictures that "
                    "look alike, for folders that are not sorted. automatic: labels if there are any, else restyle.",
                ),
                io.String.Input(
                    "restylings",
                    default=", ".join(USUAL.restylings),
                    multiline=True,
                    tooltip="In which manners pictures are repainted. Take out what is like your own style.",
                ),
                whole_number(
                    "restyled_views",
                    USUAL.restyled_views,
                    0,
                    200,
                    "How many repaintings of every picture. More teach more and take longer to prepare.",
                ),
                share(
                    "own_share",
                    USUAL.own_share,
                    "How often the model learns to draw one of your pictures as it is, and not a repainting.",
                ),
                host.advanced(
                    io.Float.Input(
                        "validation_share",
                        default=USUAL.validation_share,
                        min=0.0,
                        max=0.5,
                        step=0.01,
                        tooltip="The share of your pictures that is held back to see whether the model learns.",
                    )
                ),
                fixed_seed("Another seed makes other repaintings and shows other pairs."),
                whole_number("shown", 8, 1, 64, "How many triplets the sheet shows."),
            ],
            outputs=[
                TripletsSocket.Output("triplets_out", display_name="triplets", tooltip="For both training nodes."),
                io.Image.Output(
                    "sheet_out",
                    display_name="sheet",
                    tooltip="One triplet in each row: the picture, one in the same style, one of the same meaning.",
                ),
            ],
            **host.newer(search_aliases=["pairs", "training pairs", "restyle", "contact sheet"]),
        )

    @classmethod
    def execute(
        cls, dataset, pairing, restylings, restyled_views, own_share, validation_share, seed, shown
    ) -> io.NodeOutput:
        from ..drc.data.built import Built
        from ..drc.data.repaint import draw_repaints
        from ..drc.train.data.built import built_shares
        from ..drc.train.data.preview import folder_triplets, triplets

        names = tuple(word for word in restylings.replace(",", " ").split())
        shared = {"pairing": pairing, "own_share": own_share, "pair_seed": seed}
        if isinstance(dataset, Built):
            if pairing in ("restyle", "neighbours"):
                raise ValueError(
                    f"pairing is '{pairing}', but the {dataset.source} brings pairs of its own; set pairing to "
                    "'automatic'"
                )
            settings = DataConfig(source=dataset.source, folder=str(dataset.folder), **shared)
            pictures, shares = built_shares(dataset, own_share, seed)
            sheet = triplets(pictures, shares["train"].index, own_share, shown, seed, Bar())
        else:
            if restyled_views:
                draw_repaints(names, 1, seed)
            settings = DataConfig(
                source="folder",
                folder=str(dataset.root),
                table=str(dataset.table or ""),
                pattern=dataset.pattern,
                restylings=names,
                restyled_views=restyled_views,
                validation_share=validation_share,
                **shared,
            )
            sheet = folder_triplets(dataset, settings, SIZE, shown, Bar(), host.check_interrupt)
        return io.NodeOutput(Triplets(dataset, settings), host.as_images([sheet]))


@guarded
class DRC_Augmentations(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_Augmentations",
            display_name="Augmentations",
            category="DRC/training",
            description="Disturbs the look of a reference but not what it shows, so that training cannot take the "
            "style from it. The sheet shows what that does to your pictures.",
            inputs=[
                DatasetSocket.Input("dataset", tooltip="From Image Dataset."),
                share("crop", MILD.crop, "How much of the border may be cut away: at 1 up to two fifths of the side."),
                share("colour", MILD.colour, "How far brightness, contrast, saturation and hue may wander."),
                share("grey", MILD.grey, "How often the colours go altogether."),
                share("blur", MILD.blur, "How soft the picture may become."),
                share("rotate", MILD.rotate, "How far it may be turned: at 1 up to 20 degrees either way."),
                share("mirror", MILD.mirror, "How often left and right change places. 0 where there is writing."),
                fixed_seed("Another seed shows other pictures and other disturbances."),
            ],
            outputs=[
                AugmentationsSocket.Output(
                    "augmentations_out", display_name="augmentations", tooltip="For Train Personalisation."
                ),
                io.Image.Output(
                    "sheet_out", display_name="sheet", tooltip="Some pictures and how a reference may look."
                ),
            ],
            **host.newer(search_aliases=["augment", "colour jitter", "crop"]),
        )

    @classmethod
    def execute(cls, dataset, crop, colour, grey, blur, rotate, mirror, seed) -> io.NodeOutput:
        from ..drc.data.built import Built
        from ..drc.train.data.preview import augmented

        if isinstance(dataset, Built):
            raise ValueError(
                f"dataset is the {dataset.source}, which brings redrawn references of its own; connect a folder of "
                "pictures, or leave this node out"
            )
        chosen = Augmentations(crop, colour, grey, blur, rotate, mirror)
        sheet = augmented(dataset, chosen, SIZE, PICTURES, seed, Bar(), host.check_interrupt)
        return io.NodeOutput(chosen, host.as_images([sheet]))
