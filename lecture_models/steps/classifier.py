"""One step of a classifier: augmentation, mean cross-entropy, batch statistics."""

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
    """What training changes; `batch_stats` are the running moments of batch norm, `{}` without.

    `step` counts the steps done, so that an evaluation knows the last one.
    """

    params: Params
    batch_stats: Params
    optimizer_state: optax.OptState
    step: Int32[Array, ""]

    @property
    def variables(self) -> dict[str, Params]:
        """As a linen module's `apply` takes them."""
        return {"params": self.params, "batch_stats": self.batch_stats}


class StepKeys(NamedTuple):
    """One key for each thing that a step draws."""

    augmentation: Key[Array, ""]
    dropout: Key[Array, ""]
    structure: Key[Array, ""]


def step_keys(key: Key[Array, ""]) -> StepKeys:
    return StepKeys(*jax.random.split(key, len(StepKeys._fields)))


def init_classifier(
    model_init: Callable[..., Any],
    optimizer: optax.GradientTransformation,
    images: Images,
    key: Key[Array, ""],
) -> ClassifierState:
    """The first state, of a linen module's `init`; only the shape of the images matters."""
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
    """Of softmax, in nats; log(number of classes) for equal logits."""
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
    """One descent of the mean softmax cross-entropy (nats) of a batch.

    `batch` has `images` and integer `labels`; `model_apply` is a linen module's `apply`, which
    returns `(logits, activations)` and finds keys under `dropout` and `structure`. `augment(key,
    images)` changes the images first. `auxiliary` are weights by the names of those activations
    that are logits of heads on the way, whose weighted cross-entropies are added: 0.3 each in
    Szegedy et al., "Going deeper with convolutions", 2015, section 5. The metrics, `loss` (of the
    last head) and `error_percent`, are those before the step.
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
