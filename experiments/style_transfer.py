"""Neural style transfer: the content of one picture, the style of another.

    python launch.py --experiment=style_transfer --content=PATH --style=PATH

Paper: Gatys, Ecker and Bethge, 2016, Image style transfer using convolutional neural networks
Data: a content and a style picture of your own (else two that come with the packages)
Cost: one core: 8 minutes for 384 pixels and 220 steps, 1.1 GB; 3 GB at 1024 pixels
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
from lecture_models.tasks.image_optimization import image_experiment, resized
from lecture_models.tasks.style import images
from lecture_models.tasks.style.images import Picture, Style
from lecture_models.tasks.style.scene import (
    StyleInputs,
    balanced,
    make_stage,
    other_terms,
    require_style_inputs,
    seeing_network,
)
from lecture_models.tasks.style.terms import Weighting, content_targets, content_terms
from lecture_models.tasks.style.video import Frames, frames_experiment, require_steps
from lecture_models.weights.pretrained import Weights

CONTENT_SAMPLE, STYLE_SAMPLE = "china", "tissue"


@dataclasses.dataclass(frozen=True)
class Config:
    content: str = ""  # A picture, or a folder of frames, which are taken by name.
    style: tuple[str, ...] = ()  # One picture, or several separated by commas.
    style_mix: tuple[float, ...] = ()  # The share of each style; equal ones where not given.
    style_scale: float = 1.0  # The longer side of the styles, as a share of --size.
    content_mask: tuple[str, ...] = ()  # Gray pictures, one a style: where in the content it goes.
    style_mask: tuple[str, ...] = ()  # Gray pictures, one a style: what part of it counts.
    size: int = 320  # Longer side in pixels.
    coarse_sizes: tuple[int, ...] = (160,)  # Sizes before, each begun with the one before it.
    coarse_steps: tuple[int, ...] = ()  # Steps of each coarse size; equal parts where not given.
    init: str = ""  # A picture to begin with in place of the content.
    white_noise: bool = False  # Begins with noise, as in the paper; needs more steps.
    model: str = "vgg19_normalized,vgg19_random"  # The first of them that can be had.
    average_pooling: bool = False  # As in the paper; the weights were trained with maxima.
    content_layers: tuple[str, ...] = ("relu4_2",)
    style_layers: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    style_layer_weights: tuple[float, ...] = ()  # w_l; equal ones that sum to 1 where not given.
    content_weight: float = 1.0  # alpha.
    style_weight: float = 3e6  # beta.
    per_pixel: bool = True  # Sums over places count as at 256x256, so one ratio serves all sizes.
    # Layers count as if their mean activation on the content were 1, whatever the network.
    balance_layers: bool = True
    variation_weight: float = 10.0  # Of the squared differences of neighbors: less noise.
    keep_colors: bool = False  # Only the luminance is transferred.
    match_colors: bool = False  # The style is given the content's colors first.
    warm_start: bool = True  # Of frames: each begins with the one before where its colors stay.
    temporal_weight: float = 100.0  # Of frames: holds what the one before has, where nothing moved.
    history_size: int = 10  # Pairs that L-BFGS keeps.
    seed: int = 0
    num_steps: int = 200
    log_every: int = 10
    eval_every: int = 25  # Of frames: the steps of each.
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
            raise ValueError("--keep_colors and --match_colors are two ways; give one of them")
        if self.white_noise and self.init:
            raise ValueError("--white_noise and --init are two beginnings; give one of them")
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
                    f"--{name} has {count} parts; --{other} has {wanted}: give as many"
                )
        for name in ("style_mix", "style_layer_weights"):
            if getattr(self, name) and not sum(getattr(self, name)) > 0.0:
                raise ValueError(f"--{name} adds up to 0; one of them must be above")

    def _require_stages(self):
        sizes = (*self.coarse_sizes, self.size)
        if list(sizes) != sorted(set(sizes)):
            raise ValueError(f"the sizes {sizes} must rise from coarse to --size")
        if sum(stage_steps(self)) != self.num_steps or min(stage_steps(self)) < 1:
            raise ValueError(
                f"--coarse_steps={self.coarse_steps} leave no step of --num_steps={self.num_steps}"
            )


# White noise, average pooling, one size, L-BFGS to the end: sections 2 and 3 of the paper.
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
    """Of every size, the last one being --size."""
    coarse = config.coarse_steps
    if not coarse:
        part = config.num_steps // (len(config.coarse_sizes) + 1)
        coarse = (part,) * len(config.coarse_sizes)
    return (*coarse, config.num_steps - sum(coarse))


def make_weighting(config: Config) -> Weighting:
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
    """key -> the first image, at the full size."""
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
    # L-BFGS would not see a limit, so pixels are clipped only when they are shown.
    return luminance_pixels() if config.keep_colors else pixels(limited=False)


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    network = weights.load(config.model)
    apply = seeing_network(network, config.average_pooling, config.keep_colors)
    folder = Path(config.content).expanduser()
    frames = []
    if config.content and folder.is_dir():
        frames = read_frames(config, library, folder)
        content = images.as_images(frames[0])
    else:
        name = config.content or CONTENT_SAMPLE
        content = images.read_picture(library, name, config.size)
    styles = read_styles(config, library, content)
    scene = StyleInputs(network, apply, content, styles, make_weighting(config))
    start = make_start(config, library, content)
    factors = [size / config.size for size in (*config.coarse_sizes, config.size)]
    require_style_inputs(scene, factors[0])
    scene = balanced(scene) if config.balance_layers else scene

    def judge(images) -> Evaluation:
        return {"alarm_network": network.alarm}

    optimizer, form = lbfgs(config.history_size), make_form(config)
    if frames:
        sequence = make_frames(scene, frames, config)
        return frames_experiment(scene, sequence, config.eval_every, start, optimizer, form, judge)
    stages = tuple(
        make_stage(scene, factor, steps)
        for factor, steps in zip(factors, stage_steps(config), strict=True)
    )
    return image_experiment(
        *(apply, network.variables, stages, start, optimizer),
        parameterize=lambda height, width: form,
        judge=judge,
    )


def read_frames(config: Config, library: Library, folder: Path) -> list[UInt8[np.ndarray, "h w 3"]]:
    """Raises DataError for frames of several sizes, and where the steps are not theirs."""
    if config.coarse_sizes:
        raise DataError("frames have one size: give --coarse_sizes= with nothing behind it")
    paths = find(folder)
    require_steps(len(paths), config.eval_every, config.num_steps)
    frames = [library.picture(str(path), config.size).pixels for path in paths]
    for path, frame in zip(paths, frames, strict=True):
        if frame.shape != frames[0].shape:
            sizes = [f"{each.shape[1]}x{each.shape[0]}" for each in (frame, frames[0])]
            raise DataError(f"the frame {path} is {sizes[0]} at this --size, the first {sizes[1]}")
    return frames


def make_frames(scene: StyleInputs, frames: list, config: Config) -> Frames:
    height, width = scene.content.shape[1:3]
    weighting = scene.weighting
    # The targets of the content come with each frame.
    blank = [()] * len(weighting.content_layers)
    return Frames(
        frames,
        content_terms(blank, weighting, height, width),
        content_targets(scene.apply, weighting.content_layers),
        other_terms(scene, 1.0),
        config.temporal_weight * weighting.of_sums(height, width),
        config.warm_start,
        from_content=not (config.white_noise or config.init),
    )
