"""Takes one training step of a classifier: augmentation, cross-entropy, batch statistics."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Int32, Key

from lecture_models.steps.descent import Metrics, Params

Images = Float[Array, "batch height width channel"]


class ClassifierState(NamedTuple):
    """Holds all that training changes.

    Attributes:
        params: the parameters.
        batch_stats: the running moments of batch norm; {} for a network without it.
        optimizer_state: the state of the optimizer.
        step: the number of steps taken, by which an evaluation recognizes the last one.
    """

    params: Params
    batch_stats: Params
    optimizer_state: optax.OptState
    step: Int32[Array, ""]

    @property
    def variables(self) -> dict[str, Params]:
        """Returns the variables in the form that a linen module's `apply` takes."""
        return {"params": self.params, "batch_stats": self.batch_stats}


class StepKeys(NamedTuple):
    """Holds one key for each kind of random draw in a step.

    Attributes:
        augmentation: for the random changes of the images.
        dropout: for dropout.
        structure: for random changes of the network, such as dropped layers or pooling regions.
    """

    augmentation: Key[Array, ""]
    dropout: Key[Array, ""]
    structure: Key[Array, ""]


def step_keys(key: Key[Array, ""]) -> StepKeys:
    """Splits a step's key by use.

    Args:
        key: the key of the step.

    Returns:
        One key for each kind of random draw.
    """
    return StepKeys(*jax.random.split(key, len(StepKeys._fields)))


def init_classifier(
    model_init: Callable[..., Any],
    optimizer: optax.GradientTransformation,
    images: Images,
    key: Key[Array, ""],
) -> ClassifierState:
    """Returns the state before the first step.

    Args:
        model_init: a linen module's `init`.
        optimizer: the optimizer of the parameters.
        images: images of the right shape; their values do not matter.
        key: the key of the initial parameters.

    Returns:
        The initial state, at step 0.
    """
    variables = model_init(key, images)
    params = variables["params"]
    return ClassifierState(
        params,
        variables.get("batch_stats", {}),
        optimizer.init(params),
        jnp.zeros((), jnp.int32),
    )


def mean_cross_entropy(
    logits: Float[Array, "batch class"], labels: Int[Array, " batch"]
) -> Float[Array, ""]:
    """Returns the mean cross-entropy of softmax with the labels.

    Args:
        logits: one row of logits per image.
        labels: the indices of the true classes.

    Returns:
        The mean over the batch in nats, lower is better; log(number of classes) for equal logits.
    """
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def classifier_step(
    model_apply: Callable[..., Any],
    optimizer: optax.GradientTransformation,
    state: ClassifierState,
    batch: dict[str, Array],
    key: Key[Array, ""],
    augment: Callable[[Key[Array, ""], Images], Images] | None = None,
    auxiliary: Mapping[str, float] = MappingProxyType({}),
) -> tuple[ClassifierState, Metrics]:
    """Lowers the mean softmax cross-entropy of a batch once.

    Args:
        model_apply: a linen module's `apply`. It returns (logits, activations), takes
            `training=True`, and reads keys named `dropout` and `structure`.
        optimizer: the optimizer of the parameters.
        state: the state before the step.
        batch: `images` in [-1, 1] and integer `labels`.
        key: the key of the step.
        augment: changes the images first; maps (key, images) to images. None leaves them as is.
        auxiliary: the weights of auxiliary heads, by the names of those activations that are
            their logits. Their weighted cross-entropies are added to the loss; each weight is 0.3
            in Szegedy et al., "Going deeper with convolutions", 2015, section 5.

    Returns:
        The state after the step, and metrics from before it: `loss`, the cross-entropy of the
        last head in nats, and `error_percent`.
    """
    keys = step_keys(key)
    images, labels = batch["images"], batch["labels"]
    if augment is not None:
        images = augment(keys.augmentation, images)

    def total_loss(params):
        (logits, activations), updated = model_apply(
            state._replace(params=params).variables,
            images,
            training=True,
            rngs={"dropout": keys.dropout, "structure": keys.structure},
            mutable=["batch_stats"],
        )
        loss = mean_cross_entropy(logits, labels)
        metrics = {
            "loss": loss,
            "error_percent": 100.0 * (logits.argmax(-1) != labels).mean(),
        }
        for name, weight in auxiliary.items():
            loss += weight * mean_cross_entropy(activations[name], labels)
        return loss, (metrics, updated.get("batch_stats", {}))

    gradient, (metrics, batch_stats) = jax.grad(total_loss, has_aux=True)(state.params)
    updates, optimizer_state = optimizer.update(gradient, state.optimizer_state, state.params)
    params = optax.apply_updates(state.params, updates)
    return ClassifierState(params, batch_stats, optimizer_state, state.step + 1), metrics
