"""What an analysis, an experiment of no steps, has in its Config."""

import dataclasses

from lecture_models.config import require_at_least


@dataclasses.dataclass(frozen=True)
class Analysis:
    """The fields that the loop asks for; nothing is trained."""

    seed: int = 0
    num_steps: int = 0  # Nothing is trained.
    log_every: int = 1
    eval_every: int = 1
    checkpoint_every: int = 1

    def __post_init__(self):
        require_at_least(self, 0, "seed")
        require_at_least(self, 1, "log_every", "eval_every", "checkpoint_every")
        if self.num_steps != 0:
            raise ValueError(f"--num_steps is {self.num_steps}; it must be 0: nothing is trained")


@dataclasses.dataclass(frozen=True)
class CodesAnalysis(Analysis):
    """Of the codes that a network gives many pictures, of files or of a data set."""

    images: tuple[str, ...] = ()  # Picture files, and folders of them; sub-folders are classes.
    dataset: str = "mnist,digits"  # Without --images: the first that can be had.
    num_pictures: int = 300  # At most; 150 kB of memory each at 224x224.
    model: str = "googlenet_bvlc,digits_convnet"  # The first that can be had.
    layer: str = ""  # Empty: the last before the scores.
    size: int = 0  # Side of the network's input; 0 is its own.
    batch_size: int = 16

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 2, "num_pictures")
        require_at_least(self, 1, "batch_size")
        require_at_least(self, 0, "size")
