"""Compares networks on problems that need a long memory: which solves which, in how many steps."""

import dataclasses
from typing import NamedTuple

import flax.linen as nn
import jax
import numpy as np
from jaxtyping import Array, Key

from lecture_models.experiment import DataTable, Evaluation, Images
from lecture_models.nn.recurrent_cells import Cell
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.tasks.memory_problems import (
    UPDATES,
    Attempt,
    MemoryNetwork,
    MemoryProblem,
    Training,
    attempt,
)


class Remedy(NamedTuple):
    """Describes a network of the table of remedies.

    Attributes:
        name: its name.
        remedy: which of the slide's remedies it applies.
        cell: the cell.
        recurrent_init: the initializer of each gate's recurrent kernel.
        input_init: the initializer of the input kernel.
        rate: the factor of the learning rate.
    """

    name: str
    remedy: str
    cell: Cell
    recurrent_init: nn.initializers.Initializer
    input_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
    rate: float = 1.0


class Trial(NamedTuple):
    """Holds a network's attempt at a problem."""

    problem: MemoryProblem
    length: int
    network: Remedy
    attempt: Attempt

    @property
    def row(self) -> tuple[str | float, ...]:
        solved = self.attempt.solved_after
        return (
            self.problem.name,
            self.length,
            self.network.name,
            self.network.remedy,
            self.problem.chance(self.length),
            self.attempt.losses[-1],
            "no" if solved is None else str(solved),
        )


def try_problems(
    networks: tuple[Remedy, ...],
    lengths: tuple[tuple[MemoryProblem, tuple[int, ...]], ...],
    features: int,
    training: Training,
    key: Key[Array, ""],
) -> list[Trial]:
    """Trains each network on each problem and length.

    Args:
        networks: the networks.
        lengths: each problem with its lengths.
        features: of each recurrent layer.
        training: the settings; the rate is multiplied by that of the network.
        key: the key of all parameters and sequences.

    Returns:
        The trials, in the order of problems, lengths and networks.
    """
    trials = []
    for problem, of_problem in lengths:
        for length in of_problem:
            for network in networks:
                module = MemoryNetwork(
                    features,
                    problem.outputs,
                    network.cell,
                    network.recurrent_init,
                    network.input_init,
                )
                rate = network.rate * training.learning_rate
                own = dataclasses.replace(training, learning_rate=rate)
                trial_key = jax.random.fold_in(key, len(trials))
                ended = attempt(problem, length, module, own, trial_key)
                trials.append(Trial(problem, length, network, ended))
    return trials


def trial_results(trials: list[Trial]) -> Evaluation:
    """Returns the table of remedies, and the curves of each problem at its shortest length."""
    results: Evaluation = {}
    columns = ("problem", "T", "network", "remedy", "loss by chance", "last loss", "solved after")
    rows = [trial.row for trial in trials]
    results["remedies"] = DataTable(columns, tuple(rows), "who solves what, in how many steps")
    lines = [
        f"{name:8} T {length:>4}  {network:20} {remedy:14} chance {chance:.3f}  last {last:9.4f}  "
        f"solved after {solved}"
        for name, length, network, remedy, chance, last, solved in rows
    ]
    results["solved"] = "\n".join(lines)
    for problem in dict.fromkeys(trial.problem for trial in trials):
        lengths = [trial.length for trial in trials if trial.problem is problem]
        curves = []
        for trial in trials:
            if trial.problem is problem and trial.length == min(lengths):
                losses = np.asarray(trial.attempt.losses)
                losses = np.where(losses > 2.0 * problem.chance(trial.length), np.nan, losses)
                updates = UPDATES * np.arange(1, len(losses) + 1)
                curves.append(Curve(trial.network.name, updates, losses, len(curves), marker="o"))
        chance = np.full(2, problem.chance(min(lengths)))
        longest = max(float(curve.x[-1]) for curve in curves)
        curves.append(Curve("chance", np.array([0.0, longest]), chance, 7, "--"))
        results[f"{problem.name}_losses"] = Images(
            line_plot(curves, ("step", "loss"), f"{problem.name}, T = {min(lengths)}")[None],
            1,
            f"the {problem.name} problem; losses above twice the chance loss are left out",
        )
    return results
