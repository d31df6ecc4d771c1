"""What a designer would try first: the reference in the history's colours and, where both are lines, its line width."""

import numpy as np
from scipy import ndimage

from ..colours import colours_of, ground_of
from ..data.palette import oklab_of_pixels, pixels_of_oklab
from ..traits import coverage, traits


def recoloured(reference: np.ndarray, history: np.ndarray) -> np.ndarray:
    """Pictures uint8 [S, S, 3] and [n, S, S, 3] -> uint8 [S, S, 3].

    Colours are matched by area, the ground with the ground; where the history has fewer, its last one serves again.
    """
    lab = oklab_of_pixels(reference)
    whole = np.concatenate(history)
    own, theirs = colours_of(lab, reference), colours_of(oklab_of_pixels(whole), whole)
    theirs[0] = np.median([ground_of(oklab_of_pixels(picture)) for picture in history], axis=0)
    if len(theirs) == 1:  # nothing is drawn
        return pixels_of_oklab(np.broadcast_to(theirs[0], lab.shape))
    cover = with_line_width(coverage(lab, own), reference, history)
    inks = own[1:] if len(own) > 1 else own
    nearest = np.linalg.norm(lab[..., None, :] - inks, axis=-1).argmin(axis=-1)
    ink = theirs[1:][nearest.clip(max=len(theirs) - 2)]
    return pixels_of_oklab(theirs[0] + cover[..., None] * (ink - theirs[0]))


def with_line_width(cover: np.ndarray, reference: np.ndarray, history: np.ndarray) -> np.ndarray:
    """A cover [S, S] whose lines are as wide as the history's, if both are lines."""
    own, theirs = traits(reference), [traits(picture) for picture in history]
    if not own.lines or np.mean([one.lines for one in theirs]) < 0.5:
        return cover
    wider = (np.median([one.stroke for one in theirs if one.lines]) - own.stroke) * len(cover)
    inside, outside = ndimage.distance_transform_edt(cover > 0.5), ndimage.distance_transform_edt(cover <= 0.5)
    edge = np.where(inside > 0, inside - 0.5, 0.5 - outside)  # from the edge, positive on what is drawn
    return np.clip(edge + wider / 2 + 0.5, 0, 1)
