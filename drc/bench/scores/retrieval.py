"""Did a model draw the right picture? The true target must be nearer to what it drew than its rivals are.

Meaning: among all meanings in the target's style. Style: among all styles of the target's drawing or meaning. Joint:
in the whole gallery. Copying the reference fails at style, copying the history fails at meaning.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..cases.domain import Case, Domain
from ..judges.judge import Features, Seen


class Scorer:
    """Scores answers to cases of one test; `gallery` are the rows that may be rivals."""

    def __init__(self, domain: Domain, cases: Sequence[Case], gallery: Sequence[int], seen: Seen):
        self.cases, self.seen, self.gallery = cases, seen, np.array(gallery)
        self.targets = np.array([case.target for case in cases])
        styles, meanings = (
            np.array([getattr(record, kind) for record in domain.pictures.records]) for kind in ("style", "meaning")
        )
        same_style = styles[self.gallery] == styles[self.targets][:, None]  # cases, gallery
        same_meaning = meanings[self.gallery] == meanings[self.targets][:, None]
        self.rivals = {
            "semantic": same_style & ~same_meaning,
            "style": same_meaning & ~same_style,
            "joint": ~(same_meaning & same_style),
        }

    def scores(self, drawn: Features, histories: Sequence[Sequence[int]]) -> dict[str, np.ndarray]:
        """Metric -> one truth value for each of the first cases, for which drawn [n] and histories are given.

        `copies_reference` and `copies_history`: the output is nearer to that than to the target.
        """
        count, result = len(histories), {}
        targets, all_features = self.targets[:count], self.seen[self.gallery]
        for name, kind in (("semantic", "meaning"), ("style", "style"), ("joint", "joint")):
            likeness_to_all = (getattr(drawn, kind) @ getattr(all_features, kind).T).numpy()
            truth = likeness(getattr(drawn, kind), getattr(self.seen[targets], kind)[:, None]).numpy()
            ahead = ((likeness_to_all >= truth) & self.rivals[name][:count]).sum(axis=1)
            result[f"{name}_top1"] = ahead < 1
            if name == "semantic" and self.rivals[name].sum(axis=1).min() > 5:  # else nobody could fail
                result["semantic_top5"] = ahead < 5
        truth = likeness(drawn.joint, self.seen[targets].joint[:, None])
        references = [[case.reference] for case in self.cases[:count]]
        for name, given in (("reference", references), ("history", histories)):
            pairs = zip(drawn.joint, given, strict=True)  # some have fewer pictures
            nearest = torch.stack([likeness(one[None], self.seen[[rows]].joint).max() for one, rows in pairs])
            result[f"copies_{name}"] = (nearest > truth[:, 0]).numpy()
        return result


def likeness(drawn: Tensor, features: Tensor) -> Tensor:
    """Each output [cases, f] against n pictures of its own [cases, n, f] -> [cases, n]."""
    return torch.einsum("cf,cnf->cn", drawn, features)
