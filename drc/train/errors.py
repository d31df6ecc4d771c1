"""How a training fails: in one sentence that says why and what to do."""


class TrainingError(ValueError):
    """A training that cannot begin, go on or be saved; one sentence says why and what to do."""


class CheckpointError(TrainingError):
    """A checkpoint that the disk does not take."""


class DivergedError(TrainingError):
    """A loss or a gradient that is not a number; says at which step."""
