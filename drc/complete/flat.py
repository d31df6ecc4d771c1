"""Whether a picture is a drawing of flat colours, as can be traced. Locked to a palette even a photograph has few
colours and few shapes, so it is asked of the picture before. Definitions are ours.
"""

import numpy as np

from ..colours import FLAT, colours_of, distances, steepest
from ..data.palette import oklab_of_pixels
from ..familiar import LEAST_FLAT, SMALLEST, flat_share
from ..pixels import from_pixels, resized

AWAY = 0.05  # in OKLab, from every colour of the picture: what runs from one to another
MOST_AWAY = 0.17  # of the pixels: drawings of a model had up to 0.15, photographs that are as flat 0.2 and more


def require_flat(picture: np.ndarray, what: str) -> None:
    """ValueError, in one sentence, for `what` is a photograph or shaded: uint8 [S, S, 3]."""
    if flat_share(resized(from_pixels([picture]), SMALLEST)[0]) < LEAST_FLAT or share_away(picture) > MOST_AWAY:
        raise ValueError(
            f"{what} looks like a photograph or is shaded all over, expected a drawing in a few flat colours; save it "
            "as PNG"
        )


def share_away(picture: np.ndarray) -> float:
    """Of a picture, the share of pixels that are on no edge and have none of its colours."""
    lab = oklab_of_pixels(picture)
    away = distances(lab.reshape(-1, 3), colours_of(lab, picture)).min(axis=1).reshape(lab.shape[:2])
    return float(((away > AWAY) & (steepest(lab) < FLAT)).mean())
