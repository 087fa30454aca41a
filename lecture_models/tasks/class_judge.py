"""Asks networks which classes they see in images that were made for one class each."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lecture_models.experiment import Evaluation, Images
from lecture_models.tasks.image_optimization import Pictures, classifier_network, resized
from lecture_models.weights.error import WeightsAbsentError
from lecture_models.weights.pretrained import Pretrained, Weights

TOP = 5
DEFAULT_SIDE = 224  # Input side in pixels of networks that take images of any size.

Probabilities = Float[np.ndarray, "image class"]


class Judge(NamedTuple):
    """Holds the network that judges the images.

    Attributes:
        network: the network; None if none is asked for or available.
        alarm: why it is not available; "" if it is, or if none is asked for.
    """

    network: Pretrained | None
    alarm: str = ""


def find_judge(names: str, weights: Weights, network: Pretrained) -> Judge:
    """Returns the network that judges images made with another network.

    Args:
        names: comma-separated names of networks, the first available one is used; "" for none.
        weights: reads pretrained weights.
        network: the network that the images are made with; the judge must have the same classes.

    Returns:
        The judge; without a network, and with the reason, if none is available or suitable.

    Raises:
        WeightsError: if a name is unknown, or the judge has no class scores.
    """
    if not names:
        return Judge(None)
    try:
        judge = weights.load(names)
    except WeightsAbsentError as error:
        return Judge(None, f"no other network judges the images: {error}")
    classifier_network(judge)
    if judge.classes != network.classes:
        return Judge(
            None,
            f"no other network judges the images: the {len(judge.classes)} classes of {judge.name} "
            f"are not the {len(network.classes)} classes of {network.name}",
        )
    return Judge(judge)


def make_probabilities(network: Pretrained) -> Callable[[Pictures], Probabilities]:
    """Returns the function that computes class probabilities of images in [-1, 1] of any size.

    The images are resized to the input size of the network.
    """
    apply = classifier_network(network)
    side = network.preprocess.size or DEFAULT_SIDE

    @jax.jit
    def probabilities(variables: Any, images: Pictures):
        return jax.nn.softmax(apply(variables, resized(images, (side, side)))[0])

    return lambda images: np.asarray(probabilities(network.variables, images))


def first_name(class_names: str) -> str:
    """Returns the first of the comma-separated names of a class."""
    return class_names.partition(",")[0]


def class_metrics(
    prefix: str, probabilities: Probabilities, indices: Int[np.ndarray, " image"]
) -> dict[str, float]:
    """Returns how well a network recognizes the classes that images were made for.

    Args:
        prefix: the first word of the metrics' names.
        probabilities: the network's probabilities, (image, class).
        indices: index of the class that each image was made for.

    Returns:
        `{prefix}_probability`, the mean probability of those classes; `{prefix}_top1` and
        `{prefix}_top5`, the numbers of images whose class ranks first and among the first five.
    """
    own = probabilities[np.arange(len(indices)), indices]
    rank = (probabilities > own[:, None]).sum(1)
    return {
        f"{prefix}_probability": float(own.mean()),
        f"{prefix}_top1": float((rank == 0).sum()),
        f"{prefix}_top{TOP}": float((rank < TOP).sum()),
    }


def make_class_judge(
    network: Pretrained, judge: Judge, indices: Int[np.ndarray, " image"], columns: int
) -> Callable[[Pictures], Evaluation]:
    """Returns the function that evaluates images that were made for one class each.

    Args:
        network: the network whose scores were maximized.
        judge: another network, if there is one.
        indices: index of the class that each image was made for.
        columns: number of images in a row.

    Returns:
        A function of images in [-1, 1] that returns the images with what the judge sees in each, or
        the network itself without a judge; metrics of the network, `own_...`, and of the judge,
        `judge_...`.
    """
    own_probabilities = make_probabilities(network)
    judge_probabilities = make_probabilities(judge.network) if judge.network else None

    def evaluate(images: Pictures) -> Evaluation:
        images = jnp.asarray(images)
        probabilities, speaker = own_probabilities(images), network.name
        result: Evaluation = class_metrics("own", probabilities, indices)
        if judge_probabilities is not None:
            probabilities, speaker = judge_probabilities(images), judge.network.name
            result |= class_metrics("judge", probabilities, indices)
        lines = [
            f"{first_name(network.classes[index])}: {caption(image_probabilities, network.classes)}"
            for index, image_probabilities in zip(indices, probabilities, strict=True)
        ]
        return result | {
            "image": Images(images, columns, f"{speaker} sees: " + "; ".join(lines)),
            "seen": f"{speaker} sees\n" + "\n".join(lines),
            "alarm_judge": judge.alarm,
        }

    return evaluate


def caption(probabilities: Float[np.ndarray, " class"], classes: tuple[str, ...]) -> str:
    """Returns the most probable classes, by their first names, in one line."""
    best = np.argsort(-probabilities, kind="stable")[:TOP]
    return ", ".join(f"{first_name(classes[index])} {probabilities[index]:.1%}" for index in best)
