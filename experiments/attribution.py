"""Attribution: which pixels decide, by seven methods on your own pictures, with their scores.

    python launch.py --experiment=attribution --images=PATH,PATH --model=googlenet_bvlc

Paper: Simonyan et al., 2014; Zeiler and Fergus, 2014; Springenberg et al., 2015; and later ones
Data: picture files or folders of them (default: the two photos that scikit-learn ships)
Cost: one core: 6 minutes for six photos
Expected: Grad-CAM and occlusion win the pointing game more often than chance
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lecture_models.config import require_at_least, require_between
from lecture_models.data.lookup import Library
from lecture_models.data.picture import PictureFile, shown
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment
from lecture_models.tasks.attribution.methods import (
    AttributionFunctions,
    AttributionInputs,
    AttributionMaps,
    MethodSettings,
    attribution_maps,
    class_probabilities,
    make_attribution_functions,
)
from lecture_models.tasks.attribution.scores import ScoreSettings, score_maps
from lecture_models.tasks.attribution.sheet import contact_sheet
from lecture_models.tasks.class_judge import first_name
from lecture_models.tasks.image_optimization import classifier_network
from lecture_models.tasks.layers import cam_layer, class_index, require_layers, require_unit
from lecture_models.weights.preprocessing import central_crop
from lecture_models.weights.pretrained import UNTRAINED, Pretrained, Weights


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    images: tuple[str, ...] = ()  # Picture files, samples, and folders of picture files.
    # Comma-separated names; the first available one is used. "untrained" has random weights.
    model: str = "googlenet_bvlc,resnet18_timm,digits_convnet"
    target: str = ""  # Class to explain, a name or index; empty for each picture's most probable.
    # Layer whose largest activation guided backprop and deconvnet explain; empty: the class score.
    layer: str = ""
    unit: int = -1  # Index of that layer's feature; -1 for the one with the largest activation.
    cam_layer: str = ""  # Layer of Grad-CAM; empty for the last one with rows and columns.
    occlusion_size: float = 0.215  # Side of the patch, as a share of the network's input side.
    occlusion_stride: float = 0.1  # Distance between patches, as a share of the input side.
    smooth_samples: int = 16  # Number of noisy images of SmoothGrad.
    # Standard deviation of SmoothGrad's noise, as a share of the range from black to white.
    smooth_noise: float = 0.15
    integrated_steps: int = 32  # Number of points of integrated gradients.
    replacement_steps: int = 14  # Number of steps of deletion and insertion.
    # Shares of the parameter arrays that the sanity check shuffles, counted from the logits down.
    randomized_shares: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    measured_pictures: int = 8  # Scores are computed for the first so many; 0 for no scores.
    shown_pictures: int = 8  # Contact sheets are drawn of the first so many.
    batch_size: int = 4  # Number of images per pass; memory grows with it.
    seed: int = 0  # Of SmoothGrad's noise, the composites and the shuffled parameters.

    def __post_init__(self):
        super().__post_init__()
        require_between(self, 0.01, 1.0, "occlusion_size", "occlusion_stride")
        if self.occlusion_stride > self.occlusion_size:
            raise ValueError(
                f"--occlusion_stride is {self.occlusion_stride}; it must be at most "
                f"--occlusion_size, {self.occlusion_size}, so that patches cover every pixel"
            )
        require_at_least(
            self, 1, "smooth_samples", "integrated_steps", "replacement_steps", "shown_pictures"
        )
        require_at_least(self, 1, "batch_size")
        require_at_least(self, 0, "measured_pictures")
        require_at_least(self, 0.0, "smooth_noise")
        require_at_least(self, -1, "unit")
        require_at_least(self, 0.0, "randomized_shares")
        if max(self.randomized_shares, default=0.0) > 1.0:
            raise ValueError(
                f"--randomized_shares is {self.randomized_shares}; each must be from 0 to 1"
            )


# Smaller patches, more samples and smaller steps than a few minutes allow.
PAPER = {
    "occlusion_size": 0.143,
    "occlusion_stride": 0.036,
    "smooth_samples": 50,
    "integrated_steps": 200,
    "replacement_steps": 224,
}

SMOKE = {
    "model": UNTRAINED,
    "occlusion_size": 0.5,
    "occlusion_stride": 0.5,
    "smooth_samples": 2,
    "integrated_steps": 2,
    "replacement_steps": 3,
    "randomized_shares": (1.0,),
    "batch_size": 2,
}


def make_functions(config: Config, network: Pretrained) -> AttributionFunctions:
    """Returns the network's jitted functions.

    Raises WeightsError for a layer or a unit that the network does not have.
    """
    side = network.preprocess.size
    layers = [layer for layer in (config.layer, config.cam_layer) if layer]
    shapes = require_layers(classifier_network(network), network, (side, side), layers)
    require_unit(shapes, config.layer, config.unit)
    return make_attribution_functions(
        network, config.layer, config.unit, cam_layer(shapes, config.cam_layer)
    )


def method_settings(config: Config, side: int) -> MethodSettings:
    """Returns the settings of the methods, with lengths in pixels of an input of this side."""
    return MethodSettings(
        config.batch_size,
        max(1, round(side * config.occlusion_size)),
        max(1, round(side * config.occlusion_stride)),
        config.smooth_samples,
        config.smooth_noise,
        config.integrated_steps,
    )


def network_images(
    network: Pretrained, pictures: list[PictureFile]
) -> Float[np.ndarray, "image side side 3"]:
    """Returns the central squares that the network is given, in [-1, 1]."""
    squares = images_from_uint8(np.stack([picture.pixels for picture in pictures]))
    return np.asarray(central_crop(jnp.asarray(squares), network.preprocess.size))


def contact_sheets(
    config: Config,
    network: Pretrained,
    pictures: list[PictureFile],
    inputs: AttributionInputs,
    probabilities: Float[np.ndarray, "image class"],
    maps: AttributionMaps,
) -> Evaluation:
    """Returns the contact sheets of the first pictures."""
    unit = "its strongest unit" if config.unit < 0 else f"unit {config.unit}"
    projected = f"; guided backprop, deconvnet: {config.layer}, {unit}" if config.layer else ""
    sheets: Evaluation = {}
    for index, picture in enumerate(pictures[: config.shown_pictures]):
        target = inputs.targets[index]
        title = f"{first_name(network.classes[target])} {probabilities[index, target]:.1%}"
        sheet = contact_sheet(inputs.images[index], maps, index, title)
        caption = f"{shown(picture.path.name)}: {title}{projected}"
        sheets[f"picture_{index + 1:04d}"] = Images(sheet, 1, caption)
    return sheets


def first_scores(
    config: Config,
    functions: AttributionFunctions,
    inputs: AttributionInputs,
    maps: AttributionMaps,
    most_probable: Int[np.ndarray, " image"],
    key: jax.Array,
) -> Evaluation:
    """Returns the scores of the maps of the first pictures."""
    count = config.measured_pictures
    if count == 0:
        return {}
    return score_maps(
        functions,
        inputs.first(count),
        {name: method_maps[:count] for name, method_maps in maps.maps.items()},
        most_probable[:count],
        method_settings(config, inputs.images.shape[1]),
        ScoreSettings(config.replacement_steps, config.randomized_shares, config.seed),
        key,
    )


def make_evaluate(
    config: Config,
    network: Pretrained,
    functions: AttributionFunctions,
    pictures: list[PictureFile],
    target: int | None,
):
    """Returns the evaluation; `target` is the class to explain, None for the most probable one."""
    used = pictures[: max(config.shown_pictures, config.measured_pictures)]
    settings = method_settings(config, network.preprocess.size)

    def evaluate(state, key) -> Evaluation:
        images = network_images(network, used)
        probabilities = class_probabilities(functions, network.variables, images, config.batch_size)
        most_probable = probabilities.argmax(axis=1)
        targets = most_probable if target is None else np.full_like(most_probable, target)
        inputs = AttributionInputs(network.variables, images, targets)
        map_key, composite_key = jax.random.split(key)
        maps = attribution_maps(functions, inputs, settings, map_key)
        return {
            "pictures": float(len(used)),
            **contact_sheets(config, network, used, inputs, probabilities, maps),
            **first_scores(config, functions, inputs, maps, most_probable, composite_key),
            "alarm_weights": network.alarm,
        }

    return evaluate


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    library.find_pictures(config.images)  # Cheap: a missing file is an error before the weights.
    network = weights.load(config.model)
    functions = make_functions(config, network)
    target = class_index(config.target, network.classes) if config.target else None
    pictures = library.pictures(config.images, network.preprocess.shorter_side)
    return analysis_experiment(make_evaluate(config, network, functions, pictures, target))
