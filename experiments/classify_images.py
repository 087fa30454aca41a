"""Image classification: what a pretrained network, or one of your runs, sees in your pictures.

    python launch.py --experiment=classify_images --images=PATH,PATH --model=googlenet_bvlc
    python launch.py --experiment=classify_images --images=PATH,PATH --model=runs/my_classifier

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
from lecture_models.data.picture import PictureFile, shown
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment
from lecture_models.tasks.class_judge import TOP, caption
from lecture_models.weights.error import WeightsError
from lecture_models.weights.preprocessing import ten_crops
from lecture_models.weights.pretrained import UNTRAINED, Pretrained, Weights

BAR = 20  # Characters for a probability of 1.


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    images: tuple[str, ...] = ()  # Picture files, samples, and folders of picture files.
    # Comma-separated names; the first available one is used. "untrained" has random weights. Or the
    # folder of a run that trained a classifier.
    model: str = "googlenet_bvlc,resnet18_timm,digits_convnet"
    # Averages over four corners, the center and their mirror images, at ten times the cost.
    ten_crops: bool = False
    batch_size: int = 8
    shown_pictures: int = 24  # The report shows the first so many; its texts cover all.
    seed: int = 0  # Has no effect: nothing is random.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "batch_size", "shown_pictures")


SMOKE = {"model": UNTRAINED, "batch_size": 2}


def make_classify(
    network: Pretrained, crops: bool
) -> Callable[[UInt8[np.ndarray, "batch side side 3"]], Float[Array, "batch class"]]:
    """Returns the function that computes class probabilities of square pictures.

    Args:
        network: the network.
        crops: True to average the probabilities over ten crops of each picture.

    Returns:
        A function of RGB values from 0 to 255, (picture, side, side, 3).
    """

    def probabilities(images):
        logits, _ = network.model.apply(network.variables, images)
        return jax.nn.softmax(logits)

    def mean_over_crops(images):
        views = ten_crops(images, network.preprocess.size)
        of_views = probabilities(network.preprocess.normalize(views))
        return of_views.reshape(10, len(images), -1).mean(0)

    def central(images):
        return probabilities(network.preprocess(images))

    classify = jax.jit(mean_over_crops if crops else central)
    return lambda pixels: classify(jnp.asarray(images_from_uint8(pixels)))


def top_lines(probabilities: Float[np.ndarray, " class"], classes: tuple[str, ...]) -> list[str]:
    """Returns the most probable classes, each in a line with a bar."""
    lines = []
    for index in np.argsort(-probabilities, kind="stable")[:TOP]:
        probability = float(probabilities[index])
        bar = "█" * round(BAR * probability)
        lines.append(f"{probability:7.2%}  {bar:<{BAR}}  {classes[index]}")
    return lines


def picture_results(
    config: Config,
    network: Pretrained,
    picture: PictureFile,
    index: int,
    probabilities: Float[np.ndarray, " class"],
) -> Evaluation:
    """Returns the most probable classes of one picture, and the picture if it is shown."""
    name = f"picture_{index + 1:04d}"
    lines = [shown(picture.path), *top_lines(probabilities, network.classes)]
    results: Evaluation = {f"{name}_top{TOP}": "\n".join(lines)}
    if index < config.shown_pictures:
        image = images_from_uint8(picture.pixels[None])
        words = f"{shown(picture.path.name)}: {caption(probabilities, network.classes)}"
        results[name] = Images(image, 1, words)
    return results


def make_evaluate(config: Config, network: Pretrained, pictures: list[PictureFile]):
    classify = make_classify(network, config.ten_crops)

    def evaluate(state, key) -> Evaluation:
        batches = np.array_split(range(len(pictures)), -(-len(pictures) // config.batch_size))
        results: Evaluation = {}
        best = []
        for batch in batches:
            pixels = np.stack([pictures[index].pixels for index in batch])
            for index, probabilities in zip(batch, np.asarray(classify(pixels)), strict=True):
                best.append(float(probabilities.max()))
                results |= picture_results(config, network, pictures[index], index, probabilities)
        return results | {
            "pictures": float(len(pictures)),
            "mean_top1_probability": float(np.mean(best)),
            "alarm_weights": network.alarm,
        }

    return evaluate


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    library.find_pictures(config.images)  # Cheap: a missing file is an error before the weights.
    network = weights.load(config.model)
    if not network.classes:
        raise WeightsError(f"{config.model} has no class scores; name another --model")
    pictures = library.pictures(config.images, network.preprocess.shorter_side)
    return analysis_experiment(make_evaluate(config, network, pictures))
