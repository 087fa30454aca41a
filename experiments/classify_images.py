"""What a pretrained ImageNet network sees in somebody's own pictures.

    python launch.py --experiment=classify_images --images=PATH,PATH --model=googlenet_bvlc

Paper: Szegedy et al., 2014, Going deeper with convolutions; one crop of each picture
Data: picture files or folders of them (else the two photos that scikit-learn ships)
Cost: seconds
Expected: top-1 and top-5 accuracy on photos of known classes: see --table=pretrained_accuracy
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from lecture_models.config import require_at_least
from lecture_models.data.lookup import Library
from lecture_models.data.picture import Picture, shown
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.tasks.analysis import Analysis
from lecture_models.tasks.class_judge import TOP, caption
from lecture_models.weights.error import WeightsError
from lecture_models.weights.preprocessing import ten_crops
from lecture_models.weights.pretrained import UNTRAINED, Pretrained, Weights

BAR = 20  # Characters for a probability of 1.


@dataclasses.dataclass(frozen=True)
class Config(Analysis):
    images: tuple[str, ...] = ()  # Picture files, and folders of them.
    # The first that can be had; "untrained" is one of noise.
    model: str = "googlenet_bvlc,resnet18_timm,digits_convnet"
    ten_crops: bool = False  # Corners, center and their mirror images: ten times the cost.
    batch_size: int = 8
    shown_pictures: int = 24  # In the report; all are in its texts.
    seed: int = 0  # Nothing is drawn.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "batch_size", "shown_pictures")


# As the ImageNet classifiers of the time were tested: Krizhevsky et al., 2012, section 4.1.
PAPER = {"ten_crops": True}

SMOKE = {"model": UNTRAINED, "batch_size": 2}


def make_classify(
    network: Pretrained, crops: bool
) -> Callable[[UInt8[np.ndarray, "batch side side 3"]], Float[Array, "batch class"]]:
    """Square pictures -> probabilities, the mean over ten crops where `crops`."""

    def probabilities(images):
        logits, _ = network.model.apply(network.variables, images)
        return jax.nn.softmax(logits)

    def ten(images):
        views = ten_crops(images, network.preprocess.size)
        means = probabilities(network.preprocess.normalize(views))
        return means.reshape(10, len(images), -1).mean(0)

    one = jax.jit(ten if crops else lambda images: probabilities(network.preprocess(images)))
    return lambda pixels: one(jnp.asarray(images_from_uint8(pixels)))


def top_lines(probabilities: Float[np.ndarray, " class"], classes: tuple[str, ...]) -> list[str]:
    """The most probable classes, with bars."""
    lines = []
    for index in np.argsort(-probabilities, kind="stable")[:TOP]:
        probability = float(probabilities[index])
        bar = "█" * round(BAR * probability)
        lines.append(f"{probability:7.2%}  {bar:<{BAR}}  {classes[index]}")
    return lines


def make_evaluate(config: Config, network: Pretrained, pictures: list[Picture]):
    classify = make_classify(network, config.ten_crops)

    def evaluate(state, key) -> Evaluation:
        batches = np.array_split(range(len(pictures)), -(-len(pictures) // config.batch_size))
        found: Evaluation = {}
        best = []
        for batch in batches:
            probabilities = np.asarray(classify(np.stack([pictures[i].pixels for i in batch])))
            for index, row in zip(batch, probabilities, strict=True):
                best.append(float(row.max()))
                path, name = pictures[index].path, f"picture_{index + 1:04d}"
                lines = [shown(path), *top_lines(row, network.classes)]
                found[f"{name}_top{TOP}"] = "\n".join(lines)
                if index < config.shown_pictures:
                    image = images_from_uint8(pictures[index].pixels[None])
                    words = f"{shown(path.name)}: {caption(row, network.classes)}"
                    found[name] = Images(image, 1, words)
        return found | {
            "pictures": float(len(pictures)),
            "mean_top1_probability": float(np.mean(best)),
            "alarm_weights": network.alarm,
        }

    return evaluate


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    library.find_pictures(config.images)
    network = weights.load(config.model)
    if not network.classes:
        raise WeightsError(f"{config.model} has no class scores; name another --model")
    pictures = library.pictures(config.images, network.preprocess.shorter_side)
    return Experiment(
        init=lambda key: {},
        step=(),
        evaluate=make_evaluate(config, network, pictures),
        batches=lambda first_step: iter(()),
    )
