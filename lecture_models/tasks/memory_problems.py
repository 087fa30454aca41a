"""Defines two problems that need a long memory, and trains small networks on them.

Both draw new sequences at every step, so that the loss of a step is that on unseen data. Hochreiter
and Schmidhuber, 1997, sections 5.4 and 5.2; sizes as in Le et al., 2015, and Arjovsky et al., 2016.
"""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Key

from lecture_models.nn.recurrent import RecurrentLayer
from lecture_models.nn.recurrent_cells import Cell
from lecture_models.steps.descent import TrainState, descend, init_train_state

SYMBOLS, COPIED = 8, 10  # Kinds of symbols of the copying problem, and how many are copied.
UPDATES = 25  # Per call of the compiled loop; the mean of their losses decides.

Batch = tuple[Float[Array, "batch time input"], Array]


class MemoryProblem(NamedTuple):
    """Describes a problem.

    Attributes:
        name: its name.
        draw: `draw(key, batch, length)` returns inputs and targets.
        loss: `loss(outputs, targets)` returns the mean loss of outputs (batch, time, output).
        outputs: the number of outputs per step.
        chance: `chance(length)` is the loss without memory.
        solved: the share of the chance loss below which the problem counts as solved.
    """

    name: str
    draw: Callable[[Key[Array, ""], int, int], Batch]
    loss: Callable[[Array, Array], Float[Array, ""]]
    outputs: int
    chance: Callable[[int], float]
    solved: float


def draw_adding(key: Key[Array, ""], batch: int, length: int) -> Batch:
    """Draws sequences of numbers in [0, 1], of which one in each half is marked.

    Args:
        key: the key of the draw.
        batch: the number of sequences.
        length: their length, at least 2.

    Returns:
        Numbers and marks, (batch, length, 2), and the sums of the two marked numbers, (batch,).
    """
    number_key, first_key, second_key = jax.random.split(key, 3)
    numbers = jax.random.uniform(number_key, (batch, length))
    half = length // 2
    first = jax.random.randint(first_key, (batch,), 0, half)
    second = jax.random.randint(second_key, (batch,), half, length)
    marks = jax.nn.one_hot(first, length) + jax.nn.one_hot(second, length)
    return jnp.stack([numbers, marks], axis=-1), (numbers * marks).sum(axis=1)


def draw_copying(key: Key[Array, ""], batch: int, length: int) -> Batch:
    """Draws ten symbols, then blanks, then a signal after which the symbols must be repeated.

    Args:
        key: the key of the draw.
        batch: the number of sequences.
        length: the number T of blanks between symbols and signal.

    Returns:
        One-hot inputs (batch, T + 20, 10), and the class to give at each step (batch, T + 20).
    """
    symbols = jax.random.randint(key, (batch, COPIED), 0, SYMBOLS)
    blank, signal = SYMBOLS, SYMBOLS + 1
    wait = jnp.full((batch, length - 1), blank)
    answer = jnp.full((batch, COPIED), blank)
    inputs = [symbols, wait, jnp.full((batch, 1), signal), answer]
    targets = jnp.concatenate([jnp.full((batch, COPIED + length), blank), symbols], axis=1)
    return jax.nn.one_hot(jnp.concatenate(inputs, axis=1), SYMBOLS + 2), targets


def _squared_error_of_the_sum(outputs, targets):
    return jnp.square(outputs[:, -1, 0] - targets).mean()


def _mean_nats(outputs, targets):
    return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean()


# Always answering 1, the mean sum, has the squared error 1/6; answering one of 8 symbols at random
# costs ln 8 at 10 of T + 20 steps.
ADDING = MemoryProblem(
    "adding", draw_adding, _squared_error_of_the_sum, 1, lambda length: 1.0 / 6.0, 0.06
)
COPYING = MemoryProblem(
    "copying",
    draw_copying,
    _mean_nats,
    SYMBOLS + 1,
    lambda length: COPIED * math.log(SYMBOLS) / (length + 2 * COPIED),
    0.1,
)


class MemoryNetwork(nn.Module):
    """Maps sequences to outputs at every step.

    Attributes:
        features: the number of features of the recurrent layer.
        outputs: the number of outputs per step.
        cell: the cell.
        recurrent_init: the initializer of each gate's recurrent kernel.
        input_init: the initializer of the input kernel.
    """

    features: int
    outputs: int
    cell: Cell
    recurrent_init: nn.initializers.Initializer
    input_init: nn.initializers.Initializer

    @nn.compact
    def __call__(self, inputs: Float[Array, "batch time input"]) -> Array:
        layer = RecurrentLayer(
            self.features,
            self.cell,
            recurrent_init=self.recurrent_init,
            input_init=self.input_init,
            unroll=1,  # Hundreds of programs are compiled for a few hundred steps each.
        )
        return nn.Dense(self.outputs)(layer(inputs)[1])


@dataclasses.dataclass(frozen=True)
class Training:
    """Holds the settings of a training.

    Attributes:
        batch: sequences per step.
        learning_rate: Adam's.
        clip_norm: to which the gradient's norm is cut; 0 for no clipping.
        max_updates: the number of steps after which it is given up.
    """

    batch: int
    learning_rate: float
    clip_norm: float
    max_updates: int


class Attempt(NamedTuple):
    """Holds how a training ended.

    Attributes:
        losses: the mean loss of each `UPDATES` steps.
        solved_after: the number of steps after which the problem was solved; None if it was not.
    """

    losses: tuple[float, ...]
    solved_after: int | None


def attempt(
    problem: MemoryProblem,
    length: int,
    network: MemoryNetwork,
    training: Training,
    key: Key[Array, ""],
) -> Attempt:
    """Trains a network until it solves a problem, its loss is not finite, or the steps are used up.

    Args:
        problem: the problem.
        length: of its sequences.
        network: the network.
        training: the settings.
        key: the key of the parameters and of all sequences.

    Returns:
        The losses, and the number of steps if it was solved: if the mean loss of `UPDATES` steps is
        below the share `problem.solved` of the chance loss.
    """
    clip = optax.clip_by_global_norm(training.clip_norm) if training.clip_norm else optax.identity()
    optimizer = optax.chain(clip, optax.adam(training.learning_rate))
    init_key, data_key = jax.random.split(key)

    def update(state: TrainState, key):
        inputs, targets = problem.draw(key, training.batch, length)

        def loss(params):
            value = problem.loss(network.apply({"params": params}, inputs), targets)
            return value, {"loss": value}

        state, metrics = descend(optimizer, state, loss)
        return state, metrics["loss"]

    @functools.partial(jax.jit, donate_argnums=0)
    def updates(state, key):
        return jax.lax.scan(update, state, jax.random.split(key, UPDATES))

    example = jax.eval_shape(lambda: problem.draw(init_key, 1, length)[0])
    params = jax.jit(network.init)(init_key, jnp.zeros(example.shape))["params"]
    state, losses = init_train_state(optimizer, params), []
    for turn in range(-(-training.max_updates // UPDATES)):
        state, values = updates(state, jax.random.fold_in(data_key, turn))
        losses.append(float(np.mean(values)))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < problem.solved * problem.chance(length):
            return Attempt(tuple(losses), (turn + 1) * UPDATES)
    return Attempt(tuple(losses), None)
