"""Where a network looks: seven attribution methods on somebody's own pictures, and their numbers.

    python launch.py --experiment=attribution --images=PATH,PATH --model=googlenet_bvlc

Paper: Simonyan et al., 2014; Zeiler and Fergus, 2014; Springenberg et al., 2015; and later ones
Data: picture files or folders of them (else the two photos that scikit-learn ships)
Cost: one core: 6 minutes for six photos
Expected: Grad-CAM and occlusion find the picture asked for more often than chance
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.config import require_at_least, require_between
from lecture_models.data.lookup import Library
from lecture_models.data.picture import Picture, shown
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.tasks.analysis import Analysis
from lecture_models.tasks.attribution import scores as numbers
from lecture_models.tasks.attribution.methods import (
    AttributionFunctions,
    Effort,
    attributions,
    in_batches,
    make_attribution_functions,
)
from lecture_models.tasks.attribution.sheet import contact_sheet
from lecture_models.tasks.layers import cam_layer, class_index, feature_shapes, require_unit
from lecture_models.weights.error import WeightsError
from lecture_models.weights.preprocessing import central_crop
from lecture_models.weights.pretrained import UNTRAINED, Pretrained, Weights


@dataclasses.dataclass(frozen=True)
class Config(Analysis):
    images: tuple[str, ...] = ()  # Picture files, and folders of them.
    # The first that can be had; "untrained" is one of noise.
    model: str = "googlenet_bvlc,resnet18_timm,digits_convnet"
    target: str = ""  # A class by name or index; empty: each picture's most probable one.
    layer: str = ""  # Guided backprop and deconvnet project its strongest activation; or the class.
    unit: int = -1  # The feature of that layer; -1: the strongest.
    cam_layer: str = ""  # Of Grad-CAM; empty: the last that has rows and columns.
    occlusion_size: float = 0.215  # Of the patch, as a share of the side that the network sees.
    occlusion_stride: float = 0.1
    smooth_samples: int = 16
    smooth_noise: float = 0.15  # Standard deviation as a share of the range from black to white.
    integrated_steps: int = 32
    replacement_steps: int = 14  # Of deletion and insertion.
    randomized_shares: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)  # Of the layers, from the top.
    measured_pictures: int = 8  # The numbers are of the first so many; 0: sheets alone.
    shown_pictures: int = 8  # Sheets of the first so many.
    batch_size: int = 4  # Memory grows with it, and with nothing else.
    seed: int = 0  # Of the noise, the composites and the shuffled parameters.

    def __post_init__(self):
        super().__post_init__()
        require_between(self, 0.01, 1.0, "occlusion_size", "occlusion_stride")
        if self.occlusion_stride > self.occlusion_size:
            raise ValueError(
                f"--occlusion_stride is {self.occlusion_stride}; it must be at most "
                f"--occlusion_size, {self.occlusion_size}, or places are never covered"
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
                f"--randomized_shares are {self.randomized_shares}; each must be from 0 to 1"
            )


# Finer than minutes allow.
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


def network_inputs(network: Pretrained, pictures: list[Picture]) -> np.ndarray:
    """The squares that the network sees, in [-1, 1]."""
    squares = images_from_uint8(np.stack([each.pixels for each in pictures]))
    return np.asarray(central_crop(jnp.asarray(squares), network.preprocess.size))


def make_evaluate(
    config: Config,
    network: Pretrained,
    probes: AttributionFunctions,
    pictures: list[Picture],
    target: int | None,
):
    effort = Effort(*(getattr(config, name) for name in Effort._fields))
    side = network.preprocess.size
    effort = effort._replace(
        occlusion_size=max(1, round(side * config.occlusion_size)),
        occlusion_stride=max(1, round(side * config.occlusion_stride)),
    )
    used = pictures[: max(config.shown_pictures, config.measured_pictures)]
    unit = "its strongest unit" if config.unit < 0 else f"unit {config.unit}"
    projected = f"; guided backprop, deconvnet: {config.layer}, {unit}" if config.layer else ""

    def evaluate(state, key) -> Evaluation:
        images = network_inputs(network, used)
        probabilities = in_batches(
            lambda variables, batch, targets: probes.probabilities(variables, batch),
            network.variables,
            images,
            np.zeros(len(images), np.int64),
            config.batch_size,
        )
        top = probabilities.argmax(axis=1)
        targets = top if target is None else np.full_like(top, target)
        map_key, composite_key = jax.random.split(key)
        found = attributions(probes, network.variables, images, targets, effort, map_key)
        evaluation: Evaluation = {"pictures": float(len(used))}
        for index in range(min(len(used), config.shown_pictures)):
            probability = probabilities[index, targets[index]]
            name = network.classes[targets[index]].partition(",")[0]
            sheet = contact_sheet(images[index], found, index, f"{name} {probability:.1%}")
            words = f"{shown(used[index].path.name)}: {name} {probability:.1%}{projected}"
            evaluation[f"picture_{index + 1:04d}"] = Images(sheet, 1, words)
        if config.measured_pictures:
            count = min(config.measured_pictures, len(used))
            evaluation |= measured(
                config,
                network,
                probes,
                images[:count],
                targets[:count],
                top[:count],
                {name: each[:count] for name, each in found.maps.items()},
                composite_key,
            )
        return evaluation | {"alarm_weights": network.alarm}

    return evaluate


def measured(config, network, probes, images, targets, top, maps, key) -> Evaluation:
    """The numbers, and their table."""
    effort = Effort(*(getattr(config, name) for name in Effort._fields))
    side = network.preprocess.size
    effort = effort._replace(
        occlusion_size=max(1, round(side * config.occlusion_size)),
        occlusion_stride=max(1, round(side * config.occlusion_stride)),
    )
    random = np.random.default_rng(config.seed)
    variables = network.variables
    deletion, insertion = numbers.replacement_areas(
        probes,
        variables,
        images,
        targets,
        numbers.with_baselines(maps, random),
        config.replacement_steps,
        config.batch_size,
    )
    pointing = numbers.pointing_hits(probes, variables, images, top, effort, random, key)
    correlations = numbers.rank_correlations(
        probes,
        variables,
        images,
        targets,
        maps,
        config.randomized_shares,
        config.batch_size,
        random,
    )
    columns = {"deletion": deletion, "insertion": insertion, "pointing": pointing}
    columns |= {f"shuffled {share:g}": each for share, each in correlations.items()}
    words = (
        f"{len(images)} pictures, {len(pointing.get('random', []))} composites of four; mean ± "
        "standard deviation\n"
        "deletion, insertion: area under the probability; less and more are better\n"
        "pointing: share of composites where the maximum lies on the picture asked for\n"
        "shuffled: rank correlation with the maps of a network whose last share of layers is"
    )
    return {"numbers": f"{words}\n\n{numbers.table(columns)}"} | numbers.means(columns)


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    library.find_pictures(config.images)
    network = weights.load(config.model)
    if not network.classes:
        raise WeightsError(f"{config.model} has no class scores; name another --model")
    target = class_index(config.target, network.classes) if config.target else None
    shapes = feature_shapes(network)
    require_unit(shapes, config.layer, config.unit)
    probes = make_attribution_functions(
        network, config.layer, config.unit, cam_layer(shapes, config.cam_layer)
    )
    pictures = library.pictures(config.images, network.preprocess.shorter_side)
    return Experiment(
        init=lambda key: {},
        step=(),
        evaluate=make_evaluate(config, network, probes, pictures, target),
        batches=lambda first_step: iter(()),
    )
