"""Trains a recurrent model of piano rolls, and keeps the one that validation pieces prefer."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Int32, Key

from lecture_models.data.ragged import Ragged
from lecture_models.evaluators.piano_rolls import plan_reading, window_nats
from lecture_models.losses.key_likelihood import frame_nats
from lecture_models.models.roll_rnn import RollRNN
from lecture_models.models.token_rnn import reset_where
from lecture_models.nn.recurrent import length_mask
from lecture_models.nn.recurrent_stack import Carries
from lecture_models.steps.best_so_far import BestSoFar, has_risen, init_best, keep_best
from lecture_models.steps.descent import TrainState, descend, init_train_state

FALL = 0.1  # The factor of the learning rate when the validation loss rises.


class RollState(NamedTuple):
    """Holds the network, what it remembers of each row of pieces, and the best network so far."""

    network: TrainState
    carries: Carries
    step: Int32[Array, ""]
    best: BestSoFar


class Checks(NamedTuple):
    """Says when the network is judged on validation pieces.

    Attributes:
        every: steps between checks.
        num_steps: the last step, which is checked as well.
        lower_rate: whether the learning rate is divided by 10 when the loss rises above the last
            three; the optimizer then ends with `scale_by_factor`.
    """

    every: int
    num_steps: int
    lower_rate: bool


def init_rolls(
    model: RollRNN, optimizer: optax.GradientTransformation, batch: int, key: Key[Array, ""]
) -> RollState:
    """Returns the state before the first step."""
    params = model.init(key, jnp.zeros((1, 1, model.keys)))["params"]
    network = init_train_state(optimizer, params)
    # As if both states of each key were equally probable, which any network improves on.
    best = init_best(params, model.keys * float(np.log(2.0)))
    return RollState(network, model.zero_carries(batch), jnp.int32(0), best)


def make_step(
    model: RollRNN,
    optimizer: optax.GradientTransformation,
    validation: Ragged,
    checks: Checks,
) -> Callable:
    """Returns the training step on batches of `WindowBatches`.

    Args:
        model: the network.
        optimizer: its optimizer.
        validation: the pieces by which the best network is chosen.
        checks: when it is judged.
    """
    plan = plan_reading(validation)
    count = int(plan.lengths.sum())

    def check(network, step, best):
        loss = window_nats(model, network.params, plan).sum() / count
        if checks.lower_rate:
            *earlier, rate = network.optimizer_state
            factor = rate.factor * jnp.where(has_risen(best, loss) > 0.0, FALL, 1.0)
            network = network._replace(optimizer_state=(*earlier, rate._replace(factor=factor)))
        return network, keep_best(best, network.params, loss, step)

    def step(state, batch, key):
        frames = batch["elements"].astype(jnp.float32)
        mask = length_mask(batch["lengths"], frames.shape[1] - 1)
        carries = reset_where(batch["fresh"], state.carries)

        def loss(params):
            after, logits = model.apply(
                {"params": params},
                frames[:, :-1],
                carries,
                mask,
                training=True,
                rngs={"dropout": key},
            )
            nats = jnp.where(mask, frame_nats(logits, frames[:, 1:]), 0.0)
            mean = nats.sum() / jnp.maximum(mask.sum(), 1)
            return mean, ({"nats": mean}, after)

        network, (metrics, after) = descend(optimizer, state.network, loss)
        count = state.step + 1
        due = (count % checks.every == 0) | (count == checks.num_steps)
        network, best = jax.lax.cond(
            due, check, lambda network, step, best: (network, best), network, count, state.best
        )
        metrics["validation_nats"] = best.recent[-1]
        return RollState(network, jax.lax.stop_gradient(after), count, best), metrics

    return step
