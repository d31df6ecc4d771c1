"""DRC Evaluate: how often a model draws the right picture, on cases whose true picture is known."""

from . import host, paths
from .encode import drawing_memory
from .guard import guarded
from .host import io
from .progress import Progress
from .sockets import DatasetSocket, Model
from .widgets import fixed_seed, line, model_input, semantic_strength, style_strength, temperature, whole_number

# What a run does, and where each begins and ends on the bar, in thousandths.
PHASES = {
    "repainting": (0, 50),
    "drawing": (50, 900),
    "judging what is true": (900, 940),
    "judging what was drawn": (940, 980),
    "scoring": (980, 1000),
}
SHOWN = ("style against meaning", "parts")  # plots; one history is drawn, so none can be set against another


@guarded
class DRC_Evaluate(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_Evaluate",
            display_name="DRC Evaluate",
            category="DRC/looking closer",
            description="Draws cases whose true picture is known and counts how often style, meaning and both came out "
            "right, beside what copying would reach. The whole report is kept in output/drc/evaluations.",
            inputs=[
                model_input(),
                DatasetSocket.Input(
                    "dataset",
                    tooltip="From Image Dataset. Your own pictures are repainted, so that the true picture is known; "
                    "the emoji benchmark and the icon matrix have true pictures of their own.",
                ),
                line(
                    "tests",
                    "",
                    "Empty: all that the dataset has but V and IV. Otherwise names such as P3, T1 or I4: see "
                    "Node Info.",
                ),
                whole_number(
                    "cases",
                    8,
                    1,
                    1000,
                    "Pictures to draw for each test. Few give a quick look; the intervals say how sure it is.",
                ),
                whole_number(
                    "history_length",
                    5,
                    1,
                    16,
                    "Pictures of a style that the model is shown, if there are so many.",
                ),
                fixed_seed("Adds to the seed of every case: another number draws other pictures of the same."),
                line(
                    "report_name",
                    "evaluation",
                    "The report, a web page with all numbers and pictures, is kept in a folder of this name in "
                    "output/drc/evaluations and replaces the one that was there. No picture is drawn twice.",
                ),
                host.advanced(style_strength()),
                host.advanced(semantic_strength()),
                host.advanced(temperature()),
            ],
            outputs=[
                io.Image.Output("table_out", display_name="table", tooltip="Percent right, one table for each judge."),
                io.Image.Output("plots_out", display_name="plots", tooltip="Style against meaning, and the parts."),
                io.Image.Output(
                    "pictures_out",
                    display_name="pictures",
                    tooltip="History, reference, drawn and true picture, by test.",
                ),
                io.String.Output("report_out", display_name="report", tooltip="The numbers in plain lines."),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,  # its report is a file
            **host.newer(search_aliases=["benchmark", "accuracy", "measure", "score", "test"]),
        )

    @classmethod
    def execute(
        cls,
        model,
        dataset,
        tests,
        cases,
        history_length,
        seed,
        report_name,
        style_strength,
        semantic_strength,
        temperature,
    ) -> io.NodeOutput:
        from ..drc.bench.config import BenchConfig
        from ..drc.bench.report.report import PAGE
        from ..drc.bench.report.summary import in_words
        from ..drc.instruction import Dials
        from ..drc.plots.sheet import of_one_size

        model.require_own_pictures()
        model.drc.require_trained_towers()
        config = BenchConfig(
            tests=tuple(tests.replace(",", " ").split()),
            histories=(str(history_length),),
            limit=cases,
            sweep=cases,
            dials=Dials(style_strength, semantic_strength, temperature),
            seed=seed,
            judges=judges_of(dataset),
            evaluator=paths.EVALUATOR,
            packages=paths.PACKAGES,
            out=paths.evaluation_folder(report_name),
            cache=paths.code_cache() / "judges",
        )
        report = measure(model, config, dataset)
        shown = [drawn(report, ("table",)), drawn(report, SHOWN), list(report.sheets.values())]
        return io.NodeOutput(
            *[host.as_images(of_one_size(pictures)) for pictures in shown],
            in_words(report.results, report.numbers),
            ui=host.show_text(cls.hidden, f"Report: {paths.below_comfyui(config.out / PAGE)}"),
        )


def domain_of(dataset, size: int, on_picture):
    from ..drc.bench.cases import open_domain
    from ..drc.bench.cases.folder import FolderDomain
    from ..drc.data.folder import ImageFolder

    if isinstance(dataset, ImageFolder):
        return FolderDomain(dataset, size, on_picture, host.check_interrupt)
    return open_domain(dataset.domain, dataset.folder)


def judges_of(dataset) -> tuple[str, ...]:
    """Those whose files are on this machine, and the one that needs none where these are not two. The evaluator knows
    what it learned alone."""
    from ..drc.bench.judges import DescriptorJudge, EfficientNetJudge, EvaluatorJudge
    from ..drc.bench.judges.efficientnet import FILE
    from ..drc.bench.judges.evaluator import domains_of
    from ..drc.data.built import Built

    found = []
    if isinstance(dataset, Built) and paths.EVALUATOR.is_file() and dataset.domain in domains_of(paths.EVALUATOR):
        found.append(EvaluatorJudge.name)
    if (paths.PACKAGES / FILE).is_file():
        found.append(EfficientNetJudge.name)
    return tuple([*found, DescriptorJudge.name][:2])


def measure(model: Model, config, dataset):
    """A `Report` of drc.bench, with progress. Judges work on the processor, where they are in no model's way."""
    from ..drc.bench.generated import BATCH
    from ..drc.bench.judges import open_judges
    from ..drc.bench.models import DRCModel
    from ..drc.bench.run import run
    from ..drc.train.machine.processes import OneProcess

    progress, lmm = EvaluationProgress(), model.drc.lmm
    domain = domain_of(dataset, lmm.image_size, lambda done, total: progress.tell("repainting", done, total))
    judges = open_judges(config.judges, config.evaluator, config.packages, domain, on_part=host.check_interrupt)
    host.load(model.get_models(), drawing_memory(model, BATCH))
    drawer = DRCModel(model.drc, *config.dials.strengths, config.sampling)
    drawer.on_code = lambda count, codes: progress.within(count / lmm.picture_codes)
    return run(config, progress.tell, OneProcess(model.device), domain, {model.name: drawer}, judges)


class EvaluationProgress:
    """One bar for all that a run does; it also looks whether the user pressed cancel."""

    def __init__(self):
        self.bar, self.phase = Progress(1000), ("drawing", 0, 1)

    def tell(self, what: str, done: int, total: int) -> None:
        self.phase = what, done, max(total, 1)
        self.within(0.0)

    def within(self, share: float) -> None:
        """Such a share of the batch that is being done is done."""
        what, done, total = self.phase
        begin, end = PHASES[what]
        self.bar.step_to(round(begin + (end - begin) * min(1.0, (done + share) / total)))


def drawn(report, names: tuple[str, ...]) -> list:
    """The plots of these names, for each judge."""
    return [picture for name, picture in report.plots.items() if name.split(", ")[0] in names]
