"""Classifiers that begin with an encoder's layers, and one step of all of them."""

from collections.abc import Callable

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

from lecture_models.steps.classifier import classifier_step
from lecture_models.steps.descent import Metrics, Params, TrainState

Classifiers = dict[str, dict[str, TrainState]]  # By label count and kind of beginning.


def hand_over(layers: dict[str, Params], classifiers: Classifiers) -> Classifiers:
    """Each classifier with the layers of its kind in place of its own of those names.

    A kind that no layers are given for stays as it is. What the optimiser remembers stays too: this
    is meant for classifiers before their first step.
    """
    return {
        count: {
            kind: classifier._replace(params=classifier.params | layers.get(kind, {}))
            for kind, classifier in row.items()
        }
        for count, row in classifiers.items()
    }


def finetune_step(
    classify: Callable[[Params, Array], Float[Array, "batch label"]],
    optimizer: optax.GradientTransformation,
    classifiers: Classifiers,
    batches: dict[str, dict[str, Array]],
    key: Key[Array, ""],
) -> tuple[Classifiers, Metrics]:
    """One descent of every classifier, those of one label count on the same batch.

    `classify(params, images)` gives logits. The metric `loss` is the mean cross-entropy in nats of
    all classifiers, from before the step.
    """
    after, losses = {}, []
    for count, row in classifiers.items():
        after[count] = {}
        for kind, classifier in row.items():
            after[count][kind], metrics = classifier_step(
                lambda variables, images, rngs: (classify(variables["params"], images), {}),
                optimizer,
                classifier,
                batches[count],
                key,
            )
            losses.append(metrics["loss"])
    return after, {"loss": jnp.stack(losses).mean()}
