"""A short fixed training of a classifier, whose features a metric of samples is computed from."""

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


class Recipe(NamedTuple):
    """How the feature extractor of a metric is trained; change it and the metric changes.

    Adam, its rate raised linearly to `peak_learning_rate` over the first tenth of the steps and
    lowered to 0 by a cosine.
    """

    num_steps: int = 1200
    batch_size: int = 64
    peak_learning_rate: float = 8e-3
    seed: int = 0

    @property
    def schedule(self) -> optax.Schedule:
        return optax.warmup_cosine_decay_schedule(
            init_value=0.0,
            peak_value=self.peak_learning_rate,
            warmup_steps=self.num_steps // 10,
            decay_steps=self.num_steps,
        )

    @property
    def protocol(self) -> str:
        """One phrase to print beside a metric; figures compare only under the same one."""
        return (
            f"{self.num_steps} steps of {self.batch_size}, Adam, warm-up and cosine from "
            f"{self.peak_learning_rate:g}, seed {self.seed}"
        )


EXTRACTOR = Recipe()


def fit(
    model: nn.Module,
    images: Float[np.ndarray, "example height width channel"],
    labels: Int[np.ndarray, " label"],
    recipe: Recipe = EXTRACTOR,
) -> Params:
    """The parameters of a classifier after a recipe's training: the same on the same machine.

    Raises ValueError where there is less than one batch, or the lengths differ.
    """
    if len(images) != len(labels) or len(images) < recipe.batch_size:
        raise ValueError(
            f"{len(images)} images and {len(labels)} labels: the recipe needs as many of one as of "
            f"the other, and at least its batch of {recipe.batch_size}"
        )
    init_key, step_key = jax.random.split(jax.random.key(recipe.seed))
    optimizer = optax.adam(recipe.schedule)
    state = init_classifier(model.init, optimizer, jax.numpy.asarray(images[:1]), init_key)
    step = jax.jit(
        functools.partial(classifier_step, model.apply, optimizer), donate_argnames="state"
    )
    # A step at a time: in a scan, XLA's CPU backend takes 40 to 170 times as long.
    for index in range(recipe.num_steps):
        chosen = _batch_indices(len(images), recipe, index)
        batch = {"images": images[chosen], "labels": labels[chosen]}
        state, _ = step(state=state, batch=batch, key=jax.random.fold_in(step_key, index))
    return state.params


def parameter_hash(params: Params) -> str:
    """SHA-256 in hex of parameters: the identity of the feature extractor behind a figure.

    Over the leaves sorted by path: the path (`C1/kernel`), the shape as Python prints it, and the
    values as little-endian float32.
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


def _batch_indices(num_examples: int, recipe: Recipe, step: int) -> Int[np.ndarray, " batch"]:
    epoch, position = divmod(step, num_examples // recipe.batch_size)
    first = position * recipe.batch_size
    return _order(num_examples, recipe.seed, epoch)[first : first + recipe.batch_size]
