"""Classifiers that begin with the layers of encoders, and one step of all of them.

Those that differ only by their beginning are one `TrainState`, with the beginnings along the first
axis of every array.
"""

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from lecture_models.steps.classifier import mean_cross_entropy
from lecture_models.steps.descent import Metrics, Params, TrainState, descend, init_train_state


def init_from_layers(
    optimizer: optax.GradientTransformation, params: Params, layers: Sequence[Params]
) -> TrainState:
    """A classifier's first states: for each of `layers`, `params` with those in place of its own.

    An entry without any is a classifier from scratch. What no entry replaces, such as the last
    layer, is the same in all.
    """
    beginnings = [params | each for each in layers]
    stacked = jax.tree.map(lambda *arrays: jnp.stack(arrays), *beginnings)
    return jax.vmap(functools.partial(init_train_state, optimizer))(stacked)


def finetune_step(
    classify: Callable[[Params, Array], Float[Array, "batch label"]],
    optimizer: optax.GradientTransformation,
    states: dict[str, TrainState],
    batches: dict[str, dict[str, Array]],
) -> tuple[dict[str, TrainState], Metrics]:
    """One descent of every classifier, those of one state on the same batch: that of its name.

    `classify(params, images)` gives logits. The metric `loss` is the mean cross-entropy in nats of
    all classifiers, from before the step.
    """

    def step(state, batch):
        def loss(params):
            mean = mean_cross_entropy(classify(params, batch["images"]), batch["labels"])
            return mean, {"loss": mean}

        return descend(optimizer, state, loss)

    # On the CPU as fast as one by one, and compiled in half the time.
    all_beginnings = jax.vmap(step, in_axes=(0, None))
    after, losses = {}, []
    for name, state in states.items():
        after[name], metrics = all_beginnings(state, batches[name])
        losses.append(metrics["loss"].mean())
    return after, {"loss": jnp.stack(losses).mean()}
