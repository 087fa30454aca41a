"""Compares classifiers by their initial layers and by the number of labels they were trained on."""

from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from lecture_models.data.dataset import Dataset, Split
from lecture_models.experiment import Evaluation, Images
from lecture_models.metrics.classification import batched_apply
from lecture_models.models.filters import filter_pictures
from lecture_models.steps.descent import Params, TrainState

KindAndCount = tuple[str, str]  # A kind of initial layers, and a number of labels.

SCRATCH = "scratch"  # The kind whose layers are not pre-trained.
SHOWN = 10  # Mistakes in a row.
FILTERS = 100  # Units whose weights are shown.
BATCH_SIZE = 1_000


def make_evaluate(
    classify: Callable[[Params, Array], Array],
    dataset: Dataset,
    kinds: tuple[str, ...],
    counts: tuple[str, ...],
) -> Callable[[dict[str, TrainState]], Evaluation]:
    """Returns a function that evaluates classifiers on test and validation images.

    Args:
        classify: maps (params, images) to logits.
        dataset: the data.
        kinds: the kinds of initial layers, which are the rows of the table.
        counts: the numbers of labels, which are its columns, the smallest first.

    Returns:
        A function of the states by count, in which the first axis of every array counts the
        kinds. It returns the test errors in percent, the mean validation error, both tables as
        texts, the first mistakes, and an alarm, empty unless every kind is worse than training
        from scratch.
    """
    cells = [(kind, count) for kind in kinds for count in counts]

    @jax.jit
    def predict(classifiers, images):
        logits = jax.vmap(classify, in_axes=(0, None))
        return {
            count: logits(state.params, images).argmax(-1).T for count, state in classifiers.items()
        }

    def predictions(classifiers, split: Split) -> dict[KindAndCount, Int[np.ndarray, " image"]]:
        by_count = batched_apply(
            lambda images: predict(classifiers, images),
            split.images,
            min(BATCH_SIZE, len(split.images)),
        )
        return {(kind, count): by_count[count][:, kinds.index(kind)] for kind, count in cells}

    def evaluate(classifiers):
        predicted = predictions(classifiers, dataset.test)
        errors = percent_wrong(predicted, dataset.test)
        validation_errors = percent_wrong(
            predictions(classifiers, dataset.validation), dataset.validation
        )
        return {
            **{f"error_{kind}_{count}": errors[kind, count] for kind, count in cells},
            "validation_error": float(np.mean(list(validation_errors.values()))),
            "errors": error_table("test error, %", errors, kinds, counts),
            "validation_errors": error_table(
                "validation error, %", validation_errors, kinds, counts
            ),
            "mistakes": mistake_rows(predicted, dataset.test, kinds, counts[0]),
            "alarm_pretraining": alarm(errors, kinds, counts[0]),
        }

    return evaluate


def mistake_rows(
    predicted: dict[KindAndCount, Int[np.ndarray, " image"]],
    split: Split,
    kinds: tuple[str, ...],
    count: str,
) -> Images:
    """Shows the first images that the classifiers of one number of labels get wrong.

    Args:
        predicted: the predicted classes.
        split: the images and their classes.
        kinds: the kinds of initial layers, one row each.
        count: the number of labels.

    Returns:
        The images, with a caption.
    """
    rows = [mistakes(predicted[kind, count], split) for kind in kinds]
    return Images(
        np.concatenate(rows),
        SHOWN,
        f"the first test images that classifiers trained on {count} labels get wrong; "
        f"one row for each kind of initial layers: {', '.join(kinds)}",
    )


def percent_wrong(
    predicted: dict[KindAndCount, Int[np.ndarray, " image"]], split: Split
) -> dict[KindAndCount, float]:
    """Computes the errors of predictions.

    Args:
        predicted: the predicted classes of the split's images, by kind and count.
        split: the images and labels.

    Returns:
        The errors in percent, by kind and count.
    """
    return {
        cell: 100.0 * float((classes != split.labels).mean()) for cell, classes in predicted.items()
    }


def error_table(
    title: str, errors: dict[KindAndCount, float], kinds: tuple[str, ...], counts: tuple[str, ...]
) -> str:
    """Formats errors as a table with a row for each kind and a column for each count.

    Args:
        title: the title, in the first line.
        errors: the errors in percent, by kind and count.
        kinds: the kinds in their order.
        counts: the numbers of labels in their order.

    Returns:
        Lines of text.
    """
    lines = [f"{title:20}" + "".join(f"{count:>8}" for count in counts)]
    lines += [
        f"{kind:20}" + "".join(f"{errors[kind, count]:8.2f}" for count in counts) for kind in kinds
    ]
    return "\n".join(lines)


def mistakes(
    predicted: Int[np.ndarray, " image"], split: Split
) -> Float[np.ndarray, "image height width channel"]:
    """Returns a row of the first images that are classified wrong.

    Args:
        predicted: the predicted classes of the split's images.
        split: the images and labels.

    Returns:
        Ten images in [-1, 1]; mid-gray ones fill the row where there are fewer mistakes.
    """
    wrong = np.flatnonzero(predicted != split.labels)[:SHOWN]
    row = np.zeros((SHOWN, *split.images.shape[1:]), np.float32)
    row[: len(wrong)] = split.images[wrong]
    return row


def filter_images(
    kernels: dict[str, Float[Array, "pixel unit"]], image_shape: tuple[int, int, int]
) -> dict[str, Images]:
    """Shows the pre-trained weights of each kind's first layer.

    Args:
        kernels: the weights from the pixels to the units, by kind.
        image_shape: the shape of an image.

    Returns:
        Pictures of the first 100 units by name.
    """
    return {
        f"filters_{kind}": Images(
            filter_pictures(kernel[:, :FILTERS], image_shape),
            SHOWN,
            f"weights from the pixels to units of the {kind}, before fine-tuning",
        )
        for kind, kernel in kernels.items()
    }


def alarm(errors: dict[KindAndCount, float], kinds: tuple[str, ...], smallest: str) -> str:
    """Returns a warning if every pre-trained kind is worse than scratch, else an empty text.

    Args:
        errors: the test errors in percent, by kind and count.
        kinds: the kinds.
        smallest: the smallest number of labels, for which they are compared.

    Returns:
        One line, or "".
    """
    scratch = errors[SCRATCH, smallest]
    others = {kind: errors[kind, smallest] for kind in kinds if kind != SCRATCH}
    if not all(error > scratch for error in others.values()):
        return ""
    listed = ", ".join(f"{kind} {error:.2f}%" for kind, error in others.items())
    return f"with {smallest} labels all do worse than scratch ({scratch:.2f}%): {listed}"
