"""Evaluates a classifier: errors, confusion, calibration, first filters, mistakes."""

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
from lecture_models.plots.confusion import confusion_plot
from lecture_models.plots.reliability import reliability_plot
from lecture_models.steps.classifier import ClassifierState, mean_cross_entropy
from lecture_models.steps.descent import Params

Head = Callable[[ClassifierState, Array], Float[Array, "batch class"]]
Heads = Mapping[str, Head]  # By a suffix of the metrics' names; "" is the network itself.

BATCH_SIZE = 500
TRAIN_EVALUATED = 10_000  # The first training images, without augmentation.
SHOWN, FILTERS = 10, 100  # Mistakes in a row, and filters in the picture.


def make_evaluate(
    dataset: Dataset, heads: Heads, num_steps: int, has_validation: bool
) -> Callable[[ClassifierState, Key[Array, ""]], Evaluation]:
    """Returns a function that evaluates a classifier.

    Test images are evaluated only after the last step.

    Args:
        dataset: the data.
        heads: maps of (state, images) to logits, by the suffix of their metrics; "" is the network
            itself.
        num_steps: the number of the last step.
        has_validation: whether the validation images were held out of the training.

    Returns:
        A function of (state, key). It returns errors, cross-entropies and calibration errors of
        training, validation and test images; pictures of the confusion, the calibration, the first
        filters and the mistakes; and an alarm, empty unless the classifier hardly beats guessing.
    """

    # One size for all splits, so that the network is compiled once.
    splits = (dataset.train, dataset.validation, dataset.test)
    batch_size = min(BATCH_SIZE, max(len(split.images) for split in splits))

    @jax.jit
    @faster_convolutions()
    def classify(state, images):
        return {name: head(state, images) for name, head in heads.items()}

    def evaluate_split(state, split: Split, name: str) -> tuple[Evaluation, np.ndarray]:
        logits = batched_apply(lambda images: classify(state, images), split.images, batch_size)
        scalars = scores(logits[""], split, name)
        for suffix in logits.keys() - {""}:
            scalars[f"{name}_error_percent_{suffix}"] = error_percent(logits[suffix], split.labels)
        return scalars, logits[""]

    def evaluate(state, key):
        train = dataset.train.select(slice(TRAIN_EVALUATED))
        results, _ = evaluate_split(state, train, "train")
        if has_validation:
            scalars, logits = evaluate_split(state, dataset.validation, "validation")
            results |= scalars
            results |= pictures(logits, dataset.validation, dataset.classes, "validation")
        results |= first_filters(state.params, dataset.train.images.shape[-1])
        if int(state.step) < num_steps:
            return results
        scalars, logits = evaluate_split(state, dataset.test, "test")
        pixels = jax.ShapeDtypeStruct((1, *dataset.test.images.shape[1:]), jnp.float32)
        return {
            **results,
            **scalars,
            **pictures(logits, dataset.test, dataset.classes, "test"),
            "test_mistakes": mistakes(logits, dataset.test, dataset.classes),
            "test_by_class": class_table(confusion_of(logits, dataset.test), dataset.classes),
            "network": cost_line(state, heads[""], pixels),
            "alarm_chance": alarm(scalars["test_error_percent"], len(dataset.classes)),
        }

    return evaluate


def scores(logits: Float[np.ndarray, "image class"], split: Split, name: str) -> Evaluation:
    """Computes the scores of one split.

    Args:
        logits: the logits of the split's images.
        split: the images and labels.
        name: the split's name, which begins the names of the scores.

    Returns:
        The error in percent and the mean cross-entropy in nats. For validation and test images
        also the top-5 error, where there are more than five classes, and the expected calibration
        error, both in percent. Lower is better for all.
    """
    results = {
        f"{name}_error_percent": error_percent(logits, split.labels),
        f"{name}_cross_entropy": mean_cross_entropy(jnp.asarray(logits), jnp.asarray(split.labels)),
    }
    if name == "train":
        return results
    if logits.shape[1] > 5:
        results[f"{name}_top5_error_percent"] = error_percent(logits, split.labels, 5)
    calibration = expected_calibration_error(reliability(logits, split.labels))
    return results | {f"{name}_calibration_error_percent": 100.0 * calibration}


def pictures(
    logits: Float[np.ndarray, "image class"], split: Split, classes: tuple[str, ...], name: str
) -> dict[str, Images]:
    """Draws the confusion matrix and the reliability diagram of one split.

    Args:
        logits: the logits of the split's images.
        split: the images and labels.
        classes: the names of the classes.
        name: the split's name, which begins the names of the pictures.

    Returns:
        The two pictures by name.
    """
    bins: Reliability = reliability(logits, split.labels)
    confusion = confusion_plot(confusion_of(logits, split), classes)
    return {
        f"{name}_confusion": Images(
            confusion[None], 1, f"{name} images: rows are true classes, columns predicted ones"
        ),
        f"{name}_reliability": Images(
            reliability_plot(*bins, expected_calibration_error(bins))[None],
            1,
            f"{name} images: accuracy by confidence; red where confidence exceeds accuracy, light "
            "blue where accuracy exceeds confidence, gray the share of images",
        ),
    }


def confusion_of(
    logits: Float[np.ndarray, "image class"], split: Split
) -> Int64[np.ndarray, "class class"]:
    """Counts images by their class (rows) and predicted class (columns).

    Args:
        logits: the logits of the split's images.
        split: the images and labels.

    Returns:
        The confusion matrix.
    """
    return confusion_matrix(split.labels, logits.argmax(-1), logits.shape[1])


def mistakes(
    logits: Float[np.ndarray, "image class"], split: Split, classes: tuple[str, ...]
) -> Images:
    """Shows the first images that are classified wrong.

    Args:
        logits: the logits of the split's images.
        split: the images and labels.
        classes: the names of the classes.

    Returns:
        Up to 30 images, the first ten named in the caption; one mid-gray image if there is no
        mistake.
    """
    wrong = np.flatnonzero(~in_top(logits, split.labels, 1))[: 3 * SHOWN]
    names = [
        f"{classes[split.labels[image]]} as {classes[logits[image].argmax()]}"
        for image in wrong[:SHOWN]
    ]
    shown = split.images[wrong] if len(wrong) else np.zeros_like(split.images[:1])
    return Images(
        shown,
        SHOWN,
        f"the first test images that are classified wrong: {', '.join(names) or 'none'}",
    )


def class_table(confusion: Int64[np.ndarray, "class class"], classes: tuple[str, ...]) -> str:
    """Formats a table of the images of each class, its accuracy, and its most frequent confusion.

    Args:
        confusion: the confusion matrix, true classes in rows.
        classes: the names of the classes.

    Returns:
        Lines of text.
    """
    lines = [f"{'class':20}{'images':>8}{'right, %':>10}  most often taken for"]
    accuracies = per_class_accuracy(confusion)
    for index, (name, accuracy) in enumerate(zip(classes, accuracies, strict=True)):
        others = confusion[index] * (np.arange(len(classes)) != index)
        other = f"{classes[others.argmax()]} ({others.max()})" if others.any() else ""
        count = confusion[index].sum()
        lines.append(f"{name[:20]:20}{count:8}{100.0 * accuracy:10.2f}  {other}".rstrip())
    return "\n".join(lines)


def first_filters(params: Params, channels: int) -> dict[str, Images]:
    """Shows the filters of the convolution that sees the pixels.

    It is recognized as the first 4-D array, by its path, whose third axis has as many entries as
    the images have channels.

    Args:
        params: the classifier's parameters.
        channels: the number of channels of the images.

    Returns:
        One picture by name; nothing if there is no such convolution.
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
    """Formats the cost of a classifier in one line.

    Args:
        state: the classifier.
        head: maps (state, images) to logits.
        image: the shape of one image, with the batch axis.

    Returns:
        The numbers of parameters and of multiply-adds.
    """
    parameters, products = count_parameters(state.params), multiply_adds(head, state, image)
    return f"{parameters:,} parameters, {products:,} multiply-adds for an image"


def alarm(error: float, num_classes: int) -> str:
    """Returns a warning if the classifier hardly beats guessing, else an empty text.

    Args:
        error: the test error in percent.
        num_classes: the number of classes.

    Returns:
        One line, or "".
    """
    chance = 100.0 * (1.0 - 1.0 / num_classes)
    if error < 0.95 * chance:
        return ""
    return f"the test error is {error:.2f}%, where guessing has {chance:.2f}%"
