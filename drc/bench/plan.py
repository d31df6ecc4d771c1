"""What a run asks: the cases of its tests, and who is to draw them with which history."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import torch

from .baselines import CEILING
from .cases.domain import SHARES, Domain
from .config import BenchConfig
from .generated import Request
from .judges import open_judge
from .judges.efficientnet import EfficientNetJudge
from .models import Chooser, LMMModel, Model, ThroughTokeniser


class Plan:
    """`models` by name, the first being the one in question."""

    def __init__(
        self, config: BenchConfig, domain: Domain, models: Mapping[str, LMMModel], device: torch.device | str = "cpu"
    ):
        self.config = replace(config, histories=config.histories or domain.histories_shown)
        self.domain, self.models, self.device = domain, models, device
        self.main_history, *self.other_histories = dict.fromkeys(self.config.histories)
        self.tests = list(dict.fromkeys(config.tests or domain.reported))
        self.cases = {test: domain.cases(test, config.limit) for test in self.tests}
        foreign = [name for name in self.config.histories if name in SHARES]
        if foreign and not all(case.strays for cases in self.cases.values() for case in cases):
            raise ValueError(
                f"history {foreign[0]} was asked for, but {domain.name} knows no pictures of others to mix in; give "
                "numbers of pictures"
            )

        some = [case.target for cases in self.cases.values() for case in cases[:1]]
        if config.by_word and not all(map(domain.caption, some)):
            raise ValueError(f"by_word is on, but {domain.name} knows no words for its pictures; turn it off")
        indexed = [test for test in self.tests if test not in domain.unindexed]
        if config.by_drawing and indexed:
            rest = f"give --tests {','.join(sorted(domain.unindexed))}" if domain.unindexed else "turn it off"
            raise ValueError(f"by_drawing is on, but of {indexed[0]} the index may hold what is asked for; {rest}")

    @cached_property
    def drawing(self) -> dict[str, Model]:
        """The models, or choosers among their candidates."""
        config = self.config
        if config.candidates == 1:
            return dict(self.models)
        judge = open_judge(EfficientNetJudge.name, config.evaluator, config.packages, self.domain, self.device)
        return {name: Chooser(model, judge, config.candidates) for name, model in self.models.items()}

    @cached_property
    def ceilings(self) -> dict[str, Model]:
        """One for every tokeniser that there is among the models."""
        found = {}
        for name, model in self.models.items():
            tokeniser = ThroughTokeniser(model.lmm)
            found.setdefault(tokeniser.key, (f"{CEILING} of {name}" if found else CEILING, tokeniser))
        return dict(found.values())

    def requests(self, test: str) -> list[Request]:
        """All that is to be drawn for a test."""
        cases = self.cases[test]
        wanted = [Request(name, model, test, cases) for name, model in self.ceilings.items()]
        wanted += [Request(name, model, test, cases, self.main_history) for name, model in self.drawing.items()]
        some = cases[: self.config.sweep]
        for shown in self.other_histories:
            wanted += [Request(name, model, test, some, shown) for name, model in self.drawing.items()]
        return wanted

    def rows(self, test: str) -> tuple[list[int], list[int]]:
        """Every picture that counts in a test: the gallery, which other tests may have, too, and what it lacks."""
        gallery = self.domain.gallery(test)
        return gallery, sorted(set().union(*(case.rows for case in self.cases[test])) - set(gallery))
