"""Trains, always in the same way, the classifier whose features a metric of samples uses."""

import functools
import hashlib
from typing import NamedTuple

import jax
import numpy as np
import optax
from flax import linen as nn
from jaxtyping import Float, Int

from lecture_models.steps.classifier import classifier_step, init_classifier
from lecture_models.steps.descent import Params


class ExtractorTraining(NamedTuple):
    """Describes how the feature extractor of a metric is trained, by Adam.

    A change of any field changes the metric.

    Attributes:
        num_steps: the number of steps.
        batch_size: images per step.
        peak_learning_rate: the learning rate after the first tenth of the steps, to which it
            rises linearly and from which it decays to 0 along a cosine.
        seed: the seed of the initial parameters and of the batches.
    """

    num_steps: int = 1200
    batch_size: int = 64
    peak_learning_rate: float = 8e-3
    seed: int = 0

    @property
    def schedule(self) -> optax.Schedule:
        """Returns the learning rate as a function of the step."""
        return optax.warmup_cosine_decay_schedule(
            init_value=0.0,
            peak_value=self.peak_learning_rate,
            warmup_steps=self.num_steps // 10,
            decay_steps=self.num_steps,
        )

    @property
    def description(self) -> str:
        """Returns a phrase to print beside a metric: only equal phrases may be compared."""
        return (
            f"{self.num_steps} steps of {self.batch_size}, Adam, warm-up and cosine from "
            f"{self.peak_learning_rate:g}, seed {self.seed}"
        )


DEFAULT_TRAINING = ExtractorTraining()


def fit(
    model: nn.Module,
    images: Float[np.ndarray, "example height width channel"],
    labels: Int[np.ndarray, " label"],
    training: ExtractorTraining = DEFAULT_TRAINING,
) -> Params:
    """Trains a classifier; the result is the same every time on the same machine.

    Args:
        model: a linen classifier that returns (logits, activations).
        images: the training images in [-1, 1].
        labels: their classes, as indices from 0.
        training: how to train.

    Returns:
        The classifier's parameters.

    Raises:
        ValueError: the number of labels is not the number of images, or there are fewer images
            than one batch.
    """
    if len(images) != len(labels) or len(images) < training.batch_size:
        raise ValueError(
            f"there are {len(images)} images and {len(labels)} labels; there must be as many "
            f"labels as images, and at least one batch of {training.batch_size}"
        )
    init_key, step_key = jax.random.split(jax.random.key(training.seed))
    optimizer = optax.adam(training.schedule)
    state = init_classifier(model.init, optimizer, jax.numpy.asarray(images[:1]), init_key)
    step = jax.jit(
        functools.partial(classifier_step, model.apply, optimizer), donate_argnames="state"
    )
    # One step per dispatch: in a scan, XLA's CPU backend takes 40 to 170 times as long.
    for index in range(training.num_steps):
        examples = _batch_indices(len(images), training, index)
        batch = {"images": images[examples], "labels": labels[examples]}
        state, _ = step(state=state, batch=batch, key=jax.random.fold_in(step_key, index))
    return state.params


def parameter_hash(params: Params) -> str:
    """Returns a hash that identifies the feature extractor behind a number.

    Args:
        params: a pytree of arrays.

    Returns:
        The SHA-256 in hex over the leaves sorted by path: of each the path (`C1/kernel`), the
        shape as Python prints it, and the values as little-endian float32.
    """
    leaves = {
        jax.tree_util.keystr(path, simple=True, separator="/"): np.asarray(leaf, dtype="<f4")
        for path, leaf in jax.tree_util.tree_leaves_with_path(params)
    }
    digest = hashlib.sha256()
    for path, leaf in sorted(leaves.items()):
        digest.update(f"{path}{leaf.shape}".encode())
        digest.update(leaf.tobytes())
    return digest.hexdigest()


@functools.lru_cache(maxsize=1)
def _order(num_examples: int, seed: int, epoch: int) -> Int[np.ndarray, " example"]:
    return np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(num_examples)


def _batch_indices(
    num_examples: int, training: ExtractorTraining, step: int
) -> Int[np.ndarray, " batch"]:
    epoch, position = divmod(step, num_examples // training.batch_size)
    first = position * training.batch_size
    return _order(num_examples, training.seed, epoch)[first : first + training.batch_size]
