"""Attribution: which pixels decide, by eleven methods on your own pictures, with their scores.

    python launch.py --experiment=attribution --images=PATH,PATH --model=googlenet_bvlc
    python launch.py --experiment=attribution --images=PATH --methods=grad_cam,lrp --targets=cat,dog
    python launch.py --experiment=attribution --images=PATH --model=runs/my_classifier

Paper: Simonyan et al., 2014; Zeiler and Fergus, 2014; Springenberg et al., 2015; and later ones
Data: picture files or folders of them (default: the two photos that scikit-learn ships)
Cost: one core: 8 minutes for six photos
Expected: Grad-CAM and occlusion win the pointing game more often than chance
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lecture_models.attribution.replacement import blurred
from lecture_models.config import did_you_mean, require_at_least, require_between
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.data.picture import PictureFile
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import Evaluation, Experiment
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment
from lecture_models.tasks.attribution.completeness import completeness
from lecture_models.tasks.attribution.functions import (
    AttributionFunctions,
    AttributionInputs,
    class_probabilities,
    has_nonlinearity,
    make_attribution_functions,
)
from lecture_models.tasks.attribution.methods import (
    METHODS,
    AttributionMaps,
    Image,
    MethodSettings,
    attribution_maps,
)
from lecture_models.tasks.attribution.pictures import explained_pictures, shown_results
from lecture_models.tasks.attribution.scores import BLUR, ScoreSettings, score_maps
from lecture_models.tasks.image_optimization import classifier_network
from lecture_models.tasks.layers import cam_layer, class_index, require_layers, require_unit
from lecture_models.weights.error import WeightsError
from lecture_models.weights.network import Pretrained
from lecture_models.weights.preprocessing import central_crop
from lecture_models.weights.pretrained import UNTRAINED, Weights

# Baselines of integrated gradients beside pictures: from an image in [-1, 1].
BASELINES: dict[str, Callable[[Image], Image]] = {
    "black": lambda image: np.full_like(image, -1.0),
    "gray": lambda image: np.full_like(image, 0.0),
    "white": lambda image: np.full_like(image, 1.0),
    "blur": lambda image: np.asarray(blurred(image, BLUR)),
}


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    images: tuple[str, ...] = ()  # Picture files, samples, and folders of picture files.
    # Comma-separated names; the first available one is used. "untrained" has random weights. Or the
    # folder of a run that trained a classifier, or FILE.py:FUNCTION, a network of your own.
    model: str = "googlenet_bvlc,resnet18_timm,digits_convnet"
    methods: tuple[str, ...] = tuple(METHODS)  # Names, separated by commas.
    # Classes to explain in each picture, names or indices; empty for its most probable one.
    targets: tuple[str, ...] = ()
    # Layer whose largest activation guided backprop and deconvnet explain; empty: the class score.
    layer: str = ""
    unit: int = -1  # Index of that layer's feature; -1 for the one with the largest activation.
    cam_layer: str = ""  # Layer of Grad-CAM; empty for the last one with rows and columns.
    occlusion_size: float = 0.215  # Side of the patch, as a share of the network's input side.
    occlusion_stride: float = 0.1  # Distance between patches, as a share of the input side.
    smooth_samples: int = 16  # Number of noisy images of SmoothGrad.
    # Standard deviation of SmoothGrad's noise, as a share of the range from black to white.
    smooth_noise: float = 0.15
    # Start of integrated gradients: black, gray, white, blur, or a picture file or sample.
    baseline: str = "gray"
    integrated_steps: int = 32  # Number of points of integrated gradients.
    # Stabilizer of LRP, as a share of the root mean square of a layer's inputs.
    lrp_epsilon: float = 0.1
    score_cam_features: int = 64  # Number of feature maps of Score-CAM, the most varied; 0: all.
    replacement_steps: int = 14  # Number of steps of deletion and insertion.
    # Shares of the parameter arrays that the sanity check shuffles, counted from the logits down.
    randomized_shares: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    measured_pictures: int = 8  # Scores are computed for the first so many; 0 for no scores.
    shown_pictures: int = 8  # Contact sheets are drawn of the first so many.
    raw_maps: bool = True  # Writes each shown map as a .npy file into the folder arrays.
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
        require_at_least(self, 0, "measured_pictures", "score_cam_features")
        require_at_least(self, 0.0, "smooth_noise", "lrp_epsilon")
        require_at_least(self, -1, "unit")
        require_at_least(self, 0.0, "randomized_shares")
        if max(self.randomized_shares, default=0.0) > 1.0:
            raise ValueError(
                f"--randomized_shares is {self.randomized_shares}; each must be from 0 to 1"
            )
        if not self.methods:
            raise ValueError(f"--methods is empty; allowed: {', '.join(METHODS)}")
        for name in self.methods:
            if name not in METHODS:
                raise ValueError(
                    f"--methods has {name!r}{did_you_mean(name, METHODS)} "
                    f"Allowed: {', '.join(METHODS)}"
                )


# Smaller patches, more samples and smaller steps than a few minutes allow.
PAPER = {
    "occlusion_size": 0.143,
    "occlusion_stride": 0.036,
    "smooth_samples": 50,
    "integrated_steps": 200,
    "score_cam_features": 0,
    "replacement_steps": 224,
}

PAPER_SOURCES = {
    "smooth_samples": "Smilkov et al., 2017, section 3: little is gained above 50",
    "integrated_steps": "Sundararajan et al., 2017, section 5: 20 to 300 steps",
    "score_cam_features": "Wang et al., 2020, algorithm 1: all",
    "replacement_steps": "Petsiuk et al., 2018: as many pixels a step as the image has columns",
}
PAPER_DEPARTURES = (
    ("each method has a paper of its own, with its own network and pictures", "one for all"),
)

SMOKE = {
    "model": UNTRAINED,
    "occlusion_size": 0.5,
    "occlusion_stride": 0.5,
    "smooth_samples": 2,
    "integrated_steps": 2,
    "score_cam_features": 2,
    "replacement_steps": 3,
    "randomized_shares": (1.0,),
    "batch_size": 2,
}


def make_functions(config: Config, network: Pretrained) -> AttributionFunctions:
    """Returns the network's jitted functions.

    Raises WeightsError for a layer or a unit that the network does not have, and for a method that
    it does not allow.
    """
    side = network.preprocess.size
    layers = [layer for layer in (config.layer, config.cam_layer) if layer]
    shapes = require_layers(classifier_network(network), network, (side, side), layers)
    require_unit(shapes, config.layer, config.unit)
    if not has_nonlinearity(network):
        refused = [name for name in config.methods if METHODS[name].has_own_rule]
        allowed = [name for name, method in METHODS.items() if not method.has_own_rule]
        if refused:
            raise WeightsError(
                f"--methods has {', '.join(refused)}, which replace the model's nonlinearity; "
                f"{network.name} does not let it be replaced; "
                f"allowed: {','.join(allowed)}"
            )
    return make_attribution_functions(
        network,
        config.layer,
        config.unit,
        cam_layer(shapes, config.cam_layer),
        config.lrp_epsilon,
    )


def make_baseline(
    config: Config, library: Library, network: Pretrained
) -> Callable[[Image], Image]:
    """Returns the function that computes the baseline of integrated gradients for an image.

    Raises DataError if --baseline is neither one of `BASELINES` nor a picture.
    """
    if config.baseline in BASELINES:
        return BASELINES[config.baseline]
    try:
        pictures = library.pictures((config.baseline,), network.preprocess.shorter_side)
    except DataError as error:
        raise DataError(
            f"--baseline is {config.baseline!r}; it must be {', '.join(BASELINES)}, or a picture "
            f"({error})"
        ) from error
    if len(pictures) != 1:
        raise DataError(
            f"--baseline is {config.baseline!r}, a folder of {len(pictures)} pictures; it must be "
            "one picture"
        )
    (image,) = network_images(network, pictures)
    return lambda of_image: image


def method_settings(
    config: Config, side: int, baseline: Callable[[Image], Image]
) -> MethodSettings:
    """Returns the settings of the methods, with lengths in pixels of an input of this side."""
    return MethodSettings(
        config.batch_size,
        max(1, round(side * config.occlusion_size)),
        max(1, round(side * config.occlusion_stride)),
        config.smooth_samples,
        config.smooth_noise,
        config.integrated_steps,
        baseline,
        config.score_cam_features,
    )


def network_images(
    network: Pretrained, pictures: list[PictureFile]
) -> Float[np.ndarray, "image side side 3"]:
    """Returns the central squares that the network is given, in [-1, 1]."""
    squares = images_from_uint8(np.stack([picture.pixels for picture in pictures]))
    return np.asarray(central_crop(jnp.asarray(squares), network.preprocess.size))


def projected(config: Config) -> str:
    """Returns what guided backpropagation and the deconvnet explain, unless it is the class."""
    unit = "its strongest unit" if config.unit < 0 else f"unit {config.unit}"
    return f"; guided backprop, deconvnet: {config.layer}, {unit}" if config.layer else ""


def first_scores(
    config: Config,
    functions: AttributionFunctions,
    inputs: AttributionInputs,
    found: AttributionMaps,
    most_probable: Int[np.ndarray, " image"],
    settings: MethodSettings,
    key: jax.Array,
) -> Evaluation:
    """Returns the scores of the maps of the first pictures."""
    count = min(config.measured_pictures, len(most_probable))
    if count == 0:
        return {}
    classes = len(inputs.images) // len(most_probable)
    each_once = AttributionInputs(
        inputs.variables, inputs.images[: count * classes : classes], most_probable[:count]
    )
    return score_maps(
        functions,
        inputs.first(count * classes),
        {name: maps[: count * classes] for name, maps in found.maps.items()},
        each_once,
        settings,
        ScoreSettings(config.replacement_steps, config.randomized_shares, config.seed),
        key,
    )


def make_evaluate(
    config: Config,
    network: Pretrained,
    functions: AttributionFunctions,
    pictures: list[PictureFile],
    targets: tuple[int, ...],
    settings: MethodSettings,
):
    """Returns the evaluation; `targets` are the classes to explain, () for the most probable."""
    used = pictures[: max(config.shown_pictures, config.measured_pictures)]
    methods = tuple(dict.fromkeys(config.methods))

    def evaluate(state, key) -> Evaluation:
        images = network_images(network, used)
        probabilities = class_probabilities(functions, network.variables, images, config.batch_size)
        explained = explained_pictures(network, used, targets, probabilities)
        inputs = AttributionInputs(
            network.variables,
            np.repeat(images, max(1, len(targets)), axis=0),
            np.array([pair.target for pair in explained]),
        )
        map_key, composite_key = jax.random.split(key)
        found = attribution_maps(methods, functions, inputs, settings, map_key)
        labels = [pair.label for pair in explained]
        most_probable = probabilities.argmax(axis=1)
        return {
            "pictures": float(len(used)),
            **shown_results(
                inputs, found, explained, config.shown_pictures, config.raw_maps, projected(config)
            ),
            **completeness(functions, inputs, found, settings, labels),
            **first_scores(
                config, functions, inputs, found, most_probable, settings, composite_key
            ),
            "alarm_weights": network.alarm,
        }

    return evaluate


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    library.find_pictures(config.images)  # Cheap: a missing file is an error before the weights.
    network = weights.load(config.model)
    functions = make_functions(config, network)
    targets = dict.fromkeys(
        class_index(name, network.classes, "targets") for name in config.targets
    )
    pictures = library.pictures(config.images, network.preprocess.shorter_side)
    settings = method_settings(
        config, network.preprocess.size, make_baseline(config, library, network)
    )
    return analysis_experiment(
        make_evaluate(config, network, functions, pictures, tuple(targets), settings)
    )
