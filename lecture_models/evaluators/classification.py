"""How a classifier is judged: errors, confusion, calibration, its first filters, its mistakes."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int64, Key

from lecture_models.data.dataset import Dataset, Split
from lecture_models.experiment import Evaluation, Images
from lecture_models.metrics.calibration import (
    Reliability,
    expected_calibration_error,
    reliability,
)
from lecture_models.metrics.classification import (
    batched_apply,
    confusion_matrix,
    error_percent,
    in_top,
    per_class_accuracy,
)
from lecture_models.metrics.cost import count_parameters, multiply_adds
from lecture_models.models.filters import filter_pictures
from lecture_models.nn.cpu.convolutions import faster_convolutions
from lecture_models.plots.confusion import confusion_picture
from lecture_models.plots.reliability import reliability_picture
from lecture_models.steps.classifier import ClassifierState, mean_cross_entropy
from lecture_models.steps.descent import Params

Head = Callable[[ClassifierState, Array], Float[Array, "batch class"]]
Heads = Mapping[str, Head]  # By a suffix of the metrics' names; "" is the net itself.

BATCH_SIZE = 500
TRAIN_JUDGED = 10_000  # Training images whose error is computed, the first ones, as they are.
SHOWN, FILTERS = 10, 100


def make_evaluate(
    dataset: Dataset, heads: Heads, num_steps: int, has_validation: bool
) -> Callable[[ClassifierState, Key[Array, ""]], Evaluation]:
    """Judges on training and validation images, and after the last step on the test split."""

    @jax.jit
    @faster_convolutions()
    def classify(state, images):
        return {name: head(state, images) for name, head in heads.items()}

    def judged(state, split: Split, name: str) -> tuple[Evaluation, np.ndarray]:
        logits = batched_apply(
            lambda images: classify(state, images), split.images, min(BATCH_SIZE, len(split.images))
        )
        found = scores(logits[""], split, name)
        for suffix in logits.keys() - {""}:
            found[f"{name}_error_percent_{suffix}"] = error_percent(logits[suffix], split.labels)
        return found, logits[""]

    def evaluate(state, key):
        train = Split(*(array[:TRAIN_JUDGED] for array in dataset.train))
        found, _ = judged(state, train, "train")
        if has_validation:
            scalars, logits = judged(state, dataset.validation, "validation")
            found |= scalars
            found |= pictures(logits, dataset.validation, dataset.classes, "validation")
        found |= first_filters(state.params, dataset.train.images.shape[-1])
        if int(state.step) < num_steps:
            return found
        scalars, logits = judged(state, dataset.test, "test")
        pixels = jax.ShapeDtypeStruct((1, *dataset.test.images.shape[1:]), jnp.float32)
        return {
            **found,
            **scalars,
            **pictures(logits, dataset.test, dataset.classes, "test"),
            "test_mistakes": mistakes(logits, dataset.test, dataset.classes),
            "test_by_class": class_table(confusion_of(logits, dataset.test), dataset.classes),
            "network": cost_line(state, heads[""], pixels),
            "alarm_chance": alarm(scalars["test_error_percent"], len(dataset.classes)),
        }

    return evaluate


def scores(logits: Float[np.ndarray, "image class"], split: Split, name: str) -> Evaluation:
    """Errors in per cent, the mean cross-entropy in nats, and the calibration error in per cent."""
    found = {
        f"{name}_error_percent": error_percent(logits, split.labels),
        f"{name}_cross_entropy": mean_cross_entropy(jnp.asarray(logits), jnp.asarray(split.labels)),
    }
    if name == "train":
        return found
    if logits.shape[1] > 5:
        found[f"{name}_top5_error_percent"] = error_percent(logits, split.labels, 5)
    calibration = expected_calibration_error(reliability(logits, split.labels))
    return found | {f"{name}_calibration_error_percent": 100.0 * calibration}


def pictures(
    logits: Float[np.ndarray, "image class"], split: Split, classes: tuple[str, ...], name: str
) -> dict[str, Images]:
    bins: Reliability = reliability(logits, split.labels)
    confused = confusion_picture(confusion_of(logits, split), classes)
    return {
        f"{name}_confusion": Images(
            confused[None], 1, f"{name} images: rows are true classes, columns predicted ones"
        ),
        f"{name}_reliability": Images(
            reliability_picture(*bins)[None],
            1,
            f"{name} images: accuracy by confidence; red is what it lacks, light blue what it has "
            "beyond, gray the share of images",
        ),
    }


def confusion_of(
    logits: Float[np.ndarray, "image class"], split: Split
) -> Int64[np.ndarray, "class class"]:
    return confusion_matrix(split.labels, logits.argmax(-1), logits.shape[1])


def mistakes(
    logits: Float[np.ndarray, "image class"], split: Split, classes: tuple[str, ...]
) -> Images:
    """The first images whose label was not found; one mid-gray one where there is none."""
    wrong = np.flatnonzero(~in_top(logits, split.labels, 1))[: 3 * SHOWN]
    names = [
        f"{classes[split.labels[image]]} as {classes[logits[image].argmax()]}"
        for image in wrong[:SHOWN]
    ]
    shown = split.images[wrong] if len(wrong) else np.zeros_like(split.images[:1])
    return Images(shown, SHOWN, f"the first test images got wrong: {', '.join(names) or 'none'}")


def class_table(confusion: Int64[np.ndarray, "class class"], classes: tuple[str, ...]) -> str:
    """Images, accuracy, and what each class is most often taken for."""
    lines = [f"{'class':20}{'images':>8}{'right, %':>10}  most often taken for"]
    accuracies = per_class_accuracy(confusion)
    for index, (name, accuracy) in enumerate(zip(classes, accuracies, strict=True)):
        others = confusion[index] * (np.arange(len(classes)) != index)
        other = f"{classes[others.argmax()]} ({others.max()})" if others.any() else ""
        count = confusion[index].sum()
        lines.append(f"{name[:20]:20}{count:8}{100.0 * accuracy:10.2f}  {other}".rstrip())
    return "\n".join(lines)


def first_filters(params: Params, channels: int) -> dict[str, Images]:
    """Pictures of the convolution that sees the pixels; nothing where there is none.

    That is the first 4-D array, by its path, whose third axis has as many entries as the images
    have channels. Small filters of a few pixels say little; 5x5 show edges.
    """
    kernels = [
        leaf
        for leaf in jax.tree.leaves(params)
        if leaf.ndim == 4 and leaf.shape[2] == channels and min(leaf.shape[:2]) > 1
    ]
    if not kernels:
        return {}
    height, width, _, count = kernels[0].shape
    shown = filter_pictures(kernels[0].reshape(-1, count)[:, :FILTERS], (height, width, channels))
    return {"first_layer_filters": Images(shown, SHOWN, "weights of the first convolution")}


def cost_line(state: ClassifierState, head: Head, image: jax.ShapeDtypeStruct) -> str:
    parameters, products = count_parameters(state.params), multiply_adds(head, state, image)
    return f"{parameters:,} parameters, {products:,} multiply-adds for an image"


def alarm(error: float, num_classes: int) -> str:
    """A line where guessing would hardly do worse, else nothing."""
    chance = 100.0 * (1.0 - 1.0 / num_classes)
    if error < 0.95 * chance:
        return ""
    return f"the test error is {error:.2f}%, where guessing has {chance:.2f}%"
