"""Class images: an empty image changed until a network gives a class a high score.

    python launch.py --experiment=class_image --classes=flamingo,goldfish

Paper: Simonyan, Vedaldi and Zisserman, 2014, Deep inside convolutional networks, section 2
Data: none; another network (--judge) classifies the images
Cost: one core: 5 minutes for six classes
Expected: another network ranks the class first in 4 of 6 images, see results/class_image.md
"""

import dataclasses
import math
import sys

import jax.numpy as jnp
import numpy as np
import optax

from lecture_models.config import require_at_least, require_between
from lecture_models.data.lookup import Library
from lecture_models.experiment import Experiment
from lecture_models.image_space import objectives, regularizers
from lecture_models.image_space.optimizers import Optimizer, from_optax, normalized_gradient
from lecture_models.image_space.parameterizations import fourier, pixels
from lecture_models.image_space.terms import Term
from lecture_models.image_space.transforms import random_placement
from lecture_models.tasks.canvas import canvas_size
from lecture_models.tasks.class_judge import find_judge, first_name, make_class_judge
from lecture_models.tasks.image_optimization import (
    Pictures,
    Stage,
    classifier_network,
    image_experiment,
    untrained_alarm,
)
from lecture_models.tasks.layers import class_index, layer_shapes
from lecture_models.weights.error import WeightsError
from lecture_models.weights.network import Pretrained
from lecture_models.weights.preprocessing import Preprocessing
from lecture_models.weights.pretrained import Weights

# Without --classes: those of these that the network has, else its first ten classes.
CLASSES = ("flamingo", "goldfish", "monarch", "hartebeest", "volcano", "pirate")
UNIT = 127.5  # Levels of 0..255 in one unit of -1..1.
ANY_SIDE = 224  # For networks that take images of any size.
PIXEL_RULES = ("blur_every", "clip_norm", "clip_contribution")


@dataclasses.dataclass(frozen=True)
class Config:
    classes: tuple[str, ...] = ()  # Names or indices, one image each; default: six classes.
    model: str = (
        "googlenet_bvlc,resnet50_timm,digits_convnet"  # Comma-separated; the first available one.
    )
    judge: str = "squeezenet1_1_rgb,mobilenet_v2_folded"  # The judging network; empty for none.
    size: int = 0  # Pixels of a side; 0 for the size that the network was trained on.
    log_probability: bool = False  # Raise log p, not the score before the softmax (section 2).
    fourier: bool = True  # Optimize a spectrum of decorrelated colors, else pixels.
    learning_rate: float = 0.05  # Of Adam, for the spectrum.
    step_size: float = (
        1.0  # For pixels: levels of 0..255; the gradient is divided by its mean |value|.
    )
    l2_decay: float = 0.0  # Lambda of section 2, times 127.5^2 because images are in [-1, 1].
    variation: float = 0.0  # Weight of the squared differences of neighboring pixels.
    jitter: int = 8  # Largest random shift in pixels, drawn at each step.
    scale: float = 0.1  # The image is scaled by a factor from 1 - scale to 1 + scale.
    rotation: float = 10.0  # Largest random rotation in degrees, in either direction.
    blur_every: int = 0  # Blur pixels after so many updates; 0 for never.
    blur_sigma: float = 1.0  # Pixels.
    clip_norm: float = 0.0  # Fraction of the faintest pixels that are reset to the mean.
    clip_contribution: float = 0.0  # Fraction of pixels that matter least to the loss, likewise.
    seed: int = 0
    num_steps: int = 120
    log_every: int = 10
    eval_every: int = 40
    checkpoint_every: int = 40

    def __post_init__(self):
        require_at_least(self, 1, "num_steps", "log_every", "eval_every", "checkpoint_every")
        require_at_least(self, 0, "seed", "size", "learning_rate", "step_size", "l2_decay")
        require_at_least(self, 0, "variation", "jitter", "rotation", "blur_every")
        require_between(self, 0.0, 0.9, "scale", "clip_norm", "clip_contribution")
        require_at_least(self, 0.1, "blur_sigma")
        pixel_rules = [name for name in PIXEL_RULES if getattr(self, name)]
        if self.fourier and pixel_rules:
            raise ValueError(f"--{pixel_rules[0]} works with pixels only; add --nofourier")


# The four steps of the lecture: from the mean image, forward, gradient, step; L2 decay alone.
PAPER = {"fourier": False, "l2_decay": 1e-3, "jitter": 0, "scale": 0.0, "rotation": 0.0}

PAPER_SOURCES = {
    "fourier": "Simonyan et al., 2014, section 2: pixels",
    "log_probability": "section 2: the score before the softmax",
    "jitter": "section 2: none",
    "scale": "section 2: none",
    "rotation": "section 2: none",
    "variation": "section 2: none",
}
PAPER_DEPARTURES = (
    ("the network of the authors, trained on ILSVRC-2013", "a public network"),
    ("the L2 weight, the step and the number of steps are not stated", "chosen here"),
)

SMOKE = {
    "model": "untrained",
    "judge": "untrained",
    "classes": ("0", "goldfish"),
    "num_steps": 4,
    "log_every": 1,
    "eval_every": 2,
    "checkpoint_every": 2,
}


def chosen_classes(config: Config, network: Pretrained) -> np.ndarray:
    """Returns the class indices; raises WeightsError for a class that the network does not have."""
    if config.classes:
        indices = [class_index(name, network.classes, "classes") for name in config.classes]
    else:
        known = [first_name(names) for names in network.classes]
        indices = [known.index(name) for name in CLASSES if name in known]
    return np.array(indices or range(min(10, len(network.classes))), np.int32)


def mean_color(preprocess: Preprocessing) -> np.ndarray:
    """Returns the RGB color in [-1, 1] that preprocessing maps to 0."""
    mean = np.array(preprocess.mean, np.float32) * (2.0 / preprocess.white) - 1.0
    mean = np.broadcast_to(mean, 3)  # A network of gray images has one.
    return mean[::-1].copy() if preprocess.bgr else mean


def make_terms(config: Config, color: Pictures, indices: np.ndarray) -> tuple[Term, ...]:
    """Returns the terms of the loss: the score, and the priors with a weight above 0."""
    if config.log_probability:
        score = objectives.own_class_log_probability()
    else:
        score = objectives.own_class_logit()
    terms = [Term("score", score, -1.0, jnp.asarray(indices))]
    if config.l2_decay:
        # The objective has a factor of 1/2 that section 2's lambda |I|^2 has not.
        norm = objectives.image_match()
        terms.append(Term("decay", norm, 2.0 * config.l2_decay, {"image": color[0]}))
    if config.variation:
        terms.append(Term("variation", objectives.total_variation(2.0), config.variation))
    return tuple(terms)


def make_optimizer(config: Config, origin: np.ndarray) -> Optimizer:
    """Returns Adam for a spectrum, else normalized gradient steps with the rules for pixels."""
    if config.fourier:
        return from_optax(optax.adam(config.learning_rate))
    rules = []
    if config.blur_every:
        rules.append(regularizers.blur_every(config.blur_every, config.blur_sigma))
    if config.clip_norm:
        rules.append(regularizers.clip_small_norm(config.clip_norm, jnp.asarray(origin)))
    if config.clip_contribution:
        share = config.clip_contribution
        rules.append(regularizers.clip_small_contribution(share, jnp.asarray(origin)))
    return regularizers.with_rules(normalized_gradient(config.step_size / UNIT), rules)


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    network = weights.load(config.model)
    apply = classifier_network(network)
    indices = chosen_classes(config, network)
    side = config.size or network.preprocess.size or ANY_SIDE
    if config.jitter >= side:
        raise WeightsError(
            f"--jitter is {config.jitter}; it must be below {side}, the image's side"
        )
    shapes = layer_shapes(apply, network, (side, side))
    judge = find_judge(config.judge, weights, network)
    judged = judge.network.name if judge.network else "nobody"
    print(f"{len(indices)} classes of {network.name}, judged by {judged}", file=sys.stderr)
    origin = mean_color(network.preprocess)
    color = jnp.asarray(origin).reshape(1, 1, 1, 3)
    columns = math.ceil(math.sqrt(len(indices)))
    evaluate = make_class_judge(network, judge, indices, columns)
    canvas = canvas_size(apply, network, (side, side), list(shapes))
    terms = make_terms(config, color, indices)
    stage = Stage(side, side, config.num_steps, terms, canvas=canvas)
    return image_experiment(
        apply,
        network.variables,
        (stage,),
        lambda key: jnp.broadcast_to(color, (len(indices), side, side, 3)),
        make_optimizer(config, origin),
        parameterize=fourier if config.fourier else lambda height, width: pixels(),
        transform=random_placement(config.jitter, config.scale, config.rotation),
        judge=lambda images: evaluate(images) | untrained_alarm(network),
        columns=columns,
    )
