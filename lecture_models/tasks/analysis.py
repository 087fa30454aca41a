"""Defines what analyses share: experiments without training steps, which are evaluated once."""

import dataclasses
from collections.abc import Callable

from jaxtyping import Array, Key

from lecture_models.config import require_at_least
from lecture_models.experiment import Evaluation, Experiment, State


@dataclasses.dataclass(frozen=True)
class AnalysisConfig:
    """Holds the fields that the training loop reads, for an experiment that trains nothing."""

    seed: int = 0
    num_steps: int = 0  # Must be 0: nothing is trained.
    log_every: int = 1
    eval_every: int = 1
    checkpoint_every: int = 1

    def __post_init__(self):
        require_at_least(self, 0, "seed")
        require_at_least(self, 1, "log_every", "eval_every", "checkpoint_every")
        if self.num_steps != 0:
            raise ValueError(f"--num_steps is {self.num_steps}; it must be 0: nothing is trained")


def analysis_experiment(evaluate: Callable[[State, Key[Array, ""]], Evaluation]) -> Experiment:
    """Returns the experiment of no steps whose result is one evaluation.

    Args:
        evaluate: `evaluate(state, key)` returns the results, as `Experiment.evaluate`. The state is
            an empty dict.

    Returns:
        The experiment.
    """
    return Experiment(
        init=lambda key: {}, step=(), evaluate=evaluate, batches=lambda first_step: iter(())
    )
