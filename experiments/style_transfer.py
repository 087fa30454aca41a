"""Neural style transfer: the content of one picture in the style of another.

    python launch.py --experiment=style_transfer --content=PATH --style=PATH

Paper: Gatys, Ecker and Bethge, 2016, Image style transfer using convolutional neural networks
Data: your own content and style pictures (default: two photos that ship with the packages)
Cost: one core: 8 minutes for 384 pixels and 220 steps, 1.2 GB; 3 GB at 1024 pixels
Expected: a picture; the loss of each term is logged, see results/style_transfer.md
"""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Array, Key, UInt8

from lecture_models.config import require_at_least
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.data.picture import find
from lecture_models.experiment import Evaluation, Experiment
from lecture_models.image_space.colors import gray, luminance_pixels
from lecture_models.image_space.lbfgs import lbfgs
from lecture_models.image_space.parameterizations import Parameterization, pixels
from lecture_models.tasks.image_optimization import image_experiment, resized, untrained_alarm
from lecture_models.tasks.style import images
from lecture_models.tasks.style.images import Picture, Style
from lecture_models.tasks.style.inputs import (
    StyleInputs,
    balance,
    make_stage,
    other_terms,
    require_style_inputs,
    style_network,
)
from lecture_models.tasks.style.terms import Weighting, content_targets, content_terms
from lecture_models.tasks.style.video import Frames, frames_experiment, require_steps
from lecture_models.weights.pretrained import Weights

CONTENT_SAMPLE, STYLE_SAMPLE = "china", "tissue"


@dataclasses.dataclass(frozen=True)
class Config:
    content: str = ""  # A picture, or a folder of frames, used in the order of their names.
    style: tuple[str, ...] = ()  # One picture, or several separated by commas.
    style_mix: tuple[float, ...] = ()  # The share of each style; default: equal shares.
    style_scale: float = 1.0  # The longer side of the style pictures, as a multiple of --size.
    content_mask: tuple[str, ...] = ()  # Per style, a gray picture: white where the style applies.
    style_mask: tuple[str, ...] = ()  # Per style, a gray picture: white where its picture counts.
    size: int = 320  # Longer side in pixels.
    coarse_sizes: tuple[int, ...] = (160,)  # Earlier sizes; each starts from the result before it.
    coarse_steps: tuple[int, ...] = ()  # Steps of each coarse size; default: equal parts.
    init: str = ""  # A picture to start from instead of the content.
    white_noise: bool = False  # Start from noise, as in the paper; needs more steps.
    model: str = "vgg19_normalized,vgg19_random"  # Comma-separated; the first available one.
    average_pooling: bool = False  # As in the paper; the weights were trained with max-pooling.
    content_layers: tuple[str, ...] = ("relu4_2",)
    style_layers: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    style_layer_weights: tuple[float, ...] = ()  # w_l; default: equal weights that sum to 1.
    content_weight: float = 1.0  # alpha.
    style_weight: float = 3e6  # beta.
    # Scale sums over positions to a picture of 256x256 pixels, so one ratio serves all sizes.
    per_pixel: bool = True
    # Weight layers as if their mean activation on the content were 1, so one ratio serves all nets.
    balance_layers: bool = True
    variation_weight: float = 10.0  # Weight of squared differences of neighboring pixels.
    keep_colors: bool = False  # Transfer the luminance only.
    match_colors: bool = False  # Give the style picture the content's colors first.
    # Frames: start each one from the previous result where the colors agree.
    warm_start: bool = True
    temporal_weight: float = 100.0  # Frames: weight of the change where nothing moved.
    history_size: int = 10  # Past steps that L-BFGS keeps.
    seed: int = 0
    num_steps: int = 200
    log_every: int = 10
    eval_every: int = 25  # For frames, also the steps of each frame.
    checkpoint_every: int = 100

    def __post_init__(self):
        require_at_least(self, 1, "log_every", "eval_every", "checkpoint_every", "num_steps")
        require_at_least(self, 1, "size", "coarse_sizes", "coarse_steps", "history_size")
        require_at_least(self, 0.0, "style_mix", "style_layer_weights", "content_weight")
        require_at_least(self, 0.0, "style_weight", "variation_weight", "temporal_weight")
        require_at_least(self, 0, "seed")
        if not self.style_scale > 0.0:
            raise ValueError(f"--style_scale is {self.style_scale}; it must be above 0")
        if self.keep_colors and self.match_colors:
            raise ValueError(
                "--keep_colors and --match_colors are both set; give at most one of them"
            )
        if self.white_noise and self.init:
            raise ValueError("--white_noise and --init are both given; give at most one of them")
        self._require_counts()
        self._require_stages()

    def _require_counts(self):
        styles = max(1, len(self.style))
        pairs = (
            ("style_mix", "style", styles),
            ("content_mask", "style", styles),
            ("style_mask", "style", styles),
            ("style_layer_weights", "style_layers", len(self.style_layers)),
            ("coarse_steps", "coarse_sizes", len(self.coarse_sizes)),
        )
        for name, other, wanted in pairs:
            count = len(getattr(self, name))
            if count not in (0, wanted):
                raise ValueError(
                    f"--{name} has {count} values; it must have {wanted}, one per --{other}"
                )
        for name in ("style_mix", "style_layer_weights"):
            if getattr(self, name) and not sum(getattr(self, name)) > 0.0:
                raise ValueError(f"--{name} adds up to 0; at least one value must be above 0")

    def _require_stages(self):
        sizes = (*self.coarse_sizes, self.size)
        if list(sizes) != sorted(set(sizes)):
            raise ValueError(
                f"--coarse_sizes and --size are {sizes}; each must be above the one before"
            )
        if sum(stage_steps(self)) != self.num_steps or min(stage_steps(self)) < 1:
            raise ValueError(
                f"--coarse_steps is {self.coarse_steps}; each must be at least 1, and their sum "
                f"must be below --num_steps={self.num_steps}"
            )


# Sections 2 and 3 of the paper: white noise, average pooling, one size, L-BFGS.
PAPER = {
    "white_noise": True,
    "average_pooling": True,
    "size": 512,
    "coarse_sizes": (),
    "variation_weight": 0.0,
    "per_pixel": False,
    "balance_layers": False,
    "num_steps": 1_000,
}

SMOKE = {
    "model": "untrained",
    "size": 32,
    "coarse_sizes": (16,),
    "content_layers": ("relu2_1",),
    "style_layers": ("relu1_1", "relu2_1"),
    "history_size": 3,
    "num_steps": 4,
    "log_every": 1,
    "eval_every": 2,
    "checkpoint_every": 1,
}


def stage_steps(config: Config) -> tuple[int, ...]:
    """Returns the number of steps of every size; the last one is --size."""
    coarse = config.coarse_steps
    if not coarse:
        part = config.num_steps // (len(config.coarse_sizes) + 1)
        coarse = (part,) * len(config.coarse_sizes)
    return (*coarse, config.num_steps - sum(coarse))


def make_weighting(config: Config) -> Weighting:
    """Returns the weights of the loss terms."""
    weights = config.style_layer_weights
    if not weights:
        weights = (1.0 / len(config.style_layers),) * len(config.style_layers)
    return Weighting(
        config.content_weight,
        config.style_weight,
        dict(zip(config.style_layers, weights, strict=True)),
        config.content_layers,
        config.variation_weight,
        config.per_pixel,
    )


def read_styles(config: Config, library: Library, content: Picture) -> tuple[Style, ...]:
    """Reads the style pictures with their masks."""
    names = config.style or (STYLE_SAMPLE,)
    blank = ("",) * len(names)
    return images.read_styles(
        library,
        names,
        images.shares(config.style_mix, len(names)),
        max(1, round(config.size * config.style_scale)),
        content,
        functools.partial(
            images.recolored,
            content=content,
            keep_colors=config.keep_colors,
            match=config.match_colors,
        ),
        config.content_mask or blank,
        config.style_mask or blank,
    )


def make_start(
    config: Config, library: Library, content: Picture
) -> Callable[[Key[Array, ""]], Picture]:
    """Returns a function key -> the initial image, at full size."""
    if config.white_noise:
        return lambda key: images.noise(key, content, config.keep_colors)
    if not config.init:
        return lambda key: content
    init = images.read_picture(library, config.init, config.size)
    init = resized(init, content.shape[1:3])
    if config.keep_colors:
        init = content + gray(init - content)
    return lambda key: init


def make_form(config: Config) -> Parameterization:
    """Returns the parameterization of the image."""
    # A clipped pixel has no gradient for L-BFGS, so pixels are clipped only when they are shown.
    return luminance_pixels() if config.keep_colors else pixels(limited=False)


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    network = weights.load(config.model)
    apply = style_network(network, config.average_pooling, config.keep_colors)
    folder = Path(config.content).expanduser()
    frames = []
    if config.content and folder.is_dir():
        frames = read_frames(config, library, folder)
        content = images.as_images(frames[0])
    else:
        name = config.content or CONTENT_SAMPLE
        content = images.read_picture(library, name, config.size)
    styles = read_styles(config, library, content)
    inputs = StyleInputs(network, apply, content, styles, make_weighting(config))
    start = make_start(config, library, content)
    factors = [size / config.size for size in (*config.coarse_sizes, config.size)]
    require_style_inputs(inputs, factors[0])
    inputs = balance(inputs) if config.balance_layers else inputs

    def judge(image) -> Evaluation:
        return untrained_alarm(network)

    optimizer, form = lbfgs(config.history_size), make_form(config)
    if frames:
        sequence = make_frames(inputs, frames, config)
        return frames_experiment(inputs, sequence, config.eval_every, start, optimizer, form, judge)
    stages = tuple(
        make_stage(inputs, factor, steps)
        for factor, steps in zip(factors, stage_steps(config), strict=True)
    )
    return image_experiment(
        *(apply, network.variables, stages, start, optimizer),
        parameterize=lambda height, width: form,
        judge=judge,
    )


def read_frames(config: Config, library: Library, folder: Path) -> list[UInt8[np.ndarray, "h w 3"]]:
    """Reads the frames of a folder; raises DataError unless sizes and numbers of steps fit."""
    if config.coarse_sizes:
        raise DataError("--coarse_sizes does not work with frames; give --coarse_sizes= (empty)")
    paths = find(folder)
    require_steps(len(paths), config.eval_every, config.num_steps)
    frames = [library.picture(str(path), config.size).pixels for path in paths]
    for path, frame in zip(paths, frames, strict=True):
        if frame.shape != frames[0].shape:
            sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in (frame, frames[0])]
            raise DataError(
                f"the frame {path} has {sizes[0]} pixels at this --size; it must have {sizes[1]}, "
                "as the first one has"
            )
    return frames


def make_frames(inputs: StyleInputs, frames: list, config: Config) -> Frames:
    """Returns the frames with the loss terms that they share."""
    height, width = inputs.content.shape[1:3]
    weighting = inputs.weighting
    # The content terms get their targets frame by frame.
    blank = [()] * len(weighting.content_layers)
    return Frames(
        frames,
        content_terms(blank, weighting, height, width),
        content_targets(inputs.apply, weighting.content_layers),
        other_terms(inputs, 1.0),
        config.temporal_weight * weighting.position_scale(height, width),
        config.warm_start,
        from_content=not (config.white_noise or config.init),
    )
