"""Classifiers beside each other, by how their layers began and how many labels they had."""

from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from lecture_models.data.dataset import Dataset, Split
from lecture_models.experiment import Evaluation, Images
from lecture_models.metrics.classification import batched_apply
from lecture_models.models.filters import filter_pictures
from lecture_models.steps.descent import Params, TrainState

Cell = tuple[str, str]  # A kind of beginning and a label count: a row and a column of the table.

SCRATCH = "scratch"  # The kind whose layers nothing has pre-trained.
SHOWN = 10  # Mistakes in a row.
FILTERS = 100  # Units whose weights are shown.
BATCH_SIZE = 1_000


def make_evaluate(
    classify: Callable[[Params, Array], Array],
    dataset: Dataset,
    kinds: tuple[str, ...],
    counts: tuple[str, ...],
) -> Callable[[dict[str, TrainState]], Evaluation]:
    """Judges the classifiers of each count, with the kinds along the first axis, on test images

    and on validation images. `classify(params, images)` gives logits. Kinds are the rows of the
    table, counts its columns, the smallest first.
    """
    cells = [(kind, count) for kind in kinds for count in counts]

    @jax.jit
    def predict(classifiers, images):
        logits = jax.vmap(classify, in_axes=(0, None))
        return {
            count: logits(each.params, images).argmax(-1).T for count, each in classifiers.items()
        }

    def predictions(classifiers, split: Split) -> dict[Cell, Int[np.ndarray, " image"]]:
        by_count = batched_apply(
            lambda images: predict(classifiers, images),
            split.images,
            min(BATCH_SIZE, len(split.images)),
        )
        return {(kind, count): by_count[count][:, kinds.index(kind)] for kind, count in cells}

    def evaluate(classifiers):
        found = predictions(classifiers, dataset.test)
        errors = percent_wrong(found, dataset.test)
        chosen_by = percent_wrong(predictions(classifiers, dataset.validation), dataset.validation)
        return {
            **{f"error_{kind}_{count}": errors[kind, count] for kind, count in cells},
            "validation_error": float(np.mean(list(chosen_by.values()))),
            "errors": error_table("test error, %", errors, kinds, counts),
            "validation_errors": error_table("validation error, %", chosen_by, kinds, counts),
            "mistakes": Images(
                np.concatenate([mistakes(found[kind, counts[0]], dataset.test) for kind in kinds]),
                SHOWN,
                f"the first test images that classifiers of {counts[0]} labels get wrong, a row "
                f"for each beginning: {', '.join(kinds)}",
            ),
            "alarm_pretraining": alarm(errors, kinds, counts[0]),
        }

    return evaluate


def percent_wrong(found: dict[Cell, Int[np.ndarray, " image"]], split: Split) -> dict[Cell, float]:
    return {cell: 100.0 * float((each != split.labels).mean()) for cell, each in found.items()}


def error_table(
    title: str, errors: dict[Cell, float], kinds: tuple[str, ...], counts: tuple[str, ...]
) -> str:
    """A row for each kind, a column for each count."""
    lines = [f"{title:20}" + "".join(f"{count:>8}" for count in counts)]
    lines += [
        f"{kind:20}" + "".join(f"{errors[kind, count]:8.2f}" for count in counts) for kind in kinds
    ]
    return "\n".join(lines)


def mistakes(
    found: Int[np.ndarray, " image"], split: Split
) -> Float[np.ndarray, "picture height width channel"]:
    """A row of the first images whose label was not found; mid-gray where there are no more."""
    wrong = np.flatnonzero(found != split.labels)[:SHOWN]
    row = np.zeros((SHOWN, *split.images.shape[1:]), np.float32)
    row[: len(wrong)] = split.images[wrong]
    return row


def filter_images(
    kernels: dict[str, Float[Array, "pixel unit"]], image_shape: tuple[int, int, int]
) -> dict[str, Images]:
    """The first layer's weights as each kind hands them over."""
    return {
        f"filters_{kind}": Images(
            filter_pictures(kernel[:, :FILTERS], image_shape),
            SHOWN,
            f"weights from the pixels to units of the {kind}, before fine-tuning",
        )
        for kind, kernel in kernels.items()
    }


def alarm(errors: dict[Cell, float], kinds: tuple[str, ...], smallest: str) -> str:
    """A line where every pre-trained kind does worse than scratch, else nothing."""
    scratch = errors[SCRATCH, smallest]
    others = {kind: errors[kind, smallest] for kind in kinds if kind != SCRATCH}
    if not all(error > scratch for error in others.values()):
        return ""
    found = ", ".join(f"{kind} {error:.2f}%" for kind, error in others.items())
    return f"with {smallest} labels all do worse than scratch ({scratch:.2f}%): {found}"
