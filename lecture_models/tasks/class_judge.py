"""What networks say of images that were made for a class of each."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from lecture_models.experiment import Evaluation, Images
from lecture_models.tasks.image_optimization import Pictures, classifier_network, resized
from lecture_models.weights.error import WeightsAbsentError
from lecture_models.weights.pretrained import Pretrained, Weights

TOP = 5
ANY_SIDE = 224  # Of a network that takes any picture.


class Judge(NamedTuple):
    """`network` None where there is nobody to ask, for the reason that `alarm` gives."""

    network: Pretrained | None
    alarm: str = ""


def find_judge(names: str, weights: Weights, network: Pretrained) -> Judge:
    """The first network of a list that can be had and has the same classes as `network`.

    Raises WeightsError for an unknown name, and for a judge that has no class scores.
    """
    if not names:
        return Judge(None)
    try:
        judge = weights.load(names)
    except WeightsAbsentError as error:
        return Judge(None, f"judged by no other network: {error}")
    classifier_network(judge)
    if judge.classes != network.classes:
        return Judge(
            None,
            f"judged by no other network: {judge.name} has {len(judge.classes)} other classes than "
            f"the {len(network.classes)} of {network.name}",
        )
    return Judge(judge)


def make_probabilities(network: Pretrained) -> Callable[[Pictures], np.ndarray]:
    """Images in [-1, 1] -> probabilities of the classes, at the size the network was made for."""
    apply = classifier_network(network)
    side = network.preprocess.size or ANY_SIDE

    @jax.jit
    def probabilities(variables: Any, images: Pictures):
        return jax.nn.softmax(apply(variables, resized(images, (side, side)))[0])

    return lambda images: np.asarray(probabilities(network.variables, images))


def first_name(name: str) -> str:
    return name.partition(",")[0]


def figures(prefix: str, probabilities: np.ndarray, indices: np.ndarray) -> dict[str, float]:
    """The mean probability of each image's own class, and how many have it first or among five."""
    own = probabilities[np.arange(len(indices)), indices]
    rank = (probabilities > own[:, None]).sum(1)
    return {
        f"{prefix}_probability": float(own.mean()),
        f"{prefix}_top1": float((rank == 0).sum()),
        f"{prefix}_top{TOP}": float((rank < TOP).sum()),
    }


def make_class_judge(
    network: Pretrained, judge: Judge, indices: np.ndarray, columns: int
) -> Callable[[Pictures], Evaluation]:
    """An evaluation: the images with what the judge, else the network itself, says of each.

    Figures named `own_...` are of the network whose score was raised, `judge_...` of the other.
    """
    own = make_probabilities(network)
    other = make_probabilities(judge.network) if judge.network else None

    def evaluate(images: Pictures) -> Evaluation:
        images = jnp.asarray(images)
        found: Evaluation = figures("own", own(images), indices)
        said, speaker = own(images), network.name
        if other is not None:
            said, speaker = other(images), judge.network.name
            found |= figures("judge", said, indices)
        lines = [
            f"{first_name(network.classes[index])}: {caption(row, network.classes)}"
            for index, row in zip(indices, said, strict=True)
        ]
        return found | {
            "image": Images(images, columns, f"{speaker} sees: " + "; ".join(lines)),
            "seen": f"{speaker} sees\n" + "\n".join(lines),
            "alarm_judge": judge.alarm,
        }

    return evaluate


def caption(probabilities: Float[np.ndarray, " class"], classes: tuple[str, ...]) -> str:
    """The same in a line, each class by its first name."""
    best = np.argsort(-probabilities, kind="stable")[:TOP]
    return ", ".join(f"{classes[i].partition(',')[0]} {probabilities[i]:.1%}" for i in best)
