"""Classifiers by the way their layers began, beside each other."""

import functools
from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from lecture_models.data.dataset import Dataset, Split
from lecture_models.metrics.classification import batched_apply
from lecture_models.runtime.experiment import Evaluation, Images
from lecture_models.steps.descent import Params

Grid = dict[str, dict[str, float]]  # By label count and kind: errors in percent.

SCRATCH = "scratch"  # The kind that no encoder was pre-trained for.
SHOWN = 10  # Pictures in a row.


def make_evaluate(
    classify: Callable[[Params, Array], Array], dataset: Dataset, smallest: str
) -> Callable[[dict[str, dict[str, Params]]], Evaluation]:
    """Judges classifiers, by label count and kind, on the test and the validation images.

    `classify(params, images)` gives logits; `smallest` is the count whose mistakes are shown.
    """

    @jax.jit
    def predict(classifiers, images):
        is_params = lambda node: "Dense_0" in node
        return jax.tree.map(
            lambda params: classify(params, images).argmax(-1), classifiers, is_leaf=is_params
        )
