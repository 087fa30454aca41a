"""Neural style transfer: the content of one picture in the style of another.

    python launch.py --experiment=style_transfer --content=PATH --style=PATH

Paper: Gatys, Ecker and Bethge, 2016, Image style transfer using convolutional neural networks
Data: your own content and style pictures (default: two photos that ship with the packages)
Cost: one core: 8 minutes for 384 pixels and 220 steps, 1.2 GB; 3 GB at 1024 pixels
Expected: a picture; the loss of each term is logged, see results/style_transfer.md
"""

import dataclasses
import functools
import sys
from collections.abc import Callable

import optax
from jaxtyping import Array, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.dataset import DataError
from lecture_models.data.film import Film
from lecture_models.data.lookup import Library
from lecture_models.experiment import Evaluation, Experiment, Result
from lecture_models.image_space.colors import gray, luminance_pixels
from lecture_models.image_space.lbfgs import lbfgs
from lecture_models.image_space.optimizers import Optimizer, from_optax
from lecture_models.image_space.parameterizations import Parameterization, pixels
from lecture_models.tasks.image_optimization import image_experiment, resized, untrained_alarm
from lecture_models.tasks.pictures import Picture, as_images, read_picture, read_with_opacity
from lecture_models.tasks.style import images
from lecture_models.tasks.style.images import Style
from lecture_models.tasks.style.inputs import (
    StyleInputs,
    balance,
    canvas_of,
    make_stage,
    other_terms,
    require_style_inputs,
    style_network,
)
from lecture_models.tasks.style.terms import Weighting, content_targets, content_terms
from lecture_models.tasks.style.video import Frames, frames_experiment, require_steps
from lecture_models.weights.pretrained import Weights

# Below this ratio of beta to alpha, with balanced layers, the content hardly changes.
LEAST_RATIO = 1e4
CONTENT_SAMPLE, STYLE_SAMPLE = "china", "tissue"
COARSE_SIZES = (160,)  # Unless others are given; not used where --size is no larger.


@dataclasses.dataclass(frozen=True)
class Config:
    # A picture, or a film: a GIF, a video, or a folder of frames (1, 2, 10: by number).
    content: str = ""
    style: tuple[str, ...] = ()  # One picture, or several separated by commas.
    style_mix: tuple[float, ...] = ()  # The share of each style; default: equal shares.
    style_scale: float = 1.0  # The longer side of the style pictures, as a multiple of --size.
    content_mask: tuple[str, ...] = ()  # Per style, a gray picture: white where the style applies.
    style_mask: tuple[str, ...] = ()  # Per style, a gray picture: white where its picture counts.
    size: int = 320  # Longer side of the result in pixels; the other follows from the content.
    # Earlier sizes; each starts from the result before it. The default is for larger sizes only.
    coarse_sizes: tuple[int, ...] = COARSE_SIZES
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
    # Weigh as github.com/jcjohnson/neural-style: --content_weight=5 --style_weight=100, with
    # --model=vgg19_caffe_conv. In place of per_pixel and balance_layers.
    neural_style_weights: bool = False
    variation_weight: float = 10.0  # Weight of squared differences of neighboring pixels.
    keep_colors: bool = False  # Transfer the luminance only.
    match_colors: bool = False  # Give the style picture the content's colors first.
    # Frames: start each one from the previous result where the colors agree.
    warm_start: bool = True
    temporal_weight: float = 100.0  # Frames: weight of the change where nothing moved.
    frame_rate: float = 10.0  # Frames per second of a folder; a GIF or a video has its own.
    tile: int = 0  # Pixels of a tile; 0 for none. Tiles need less memory, more time; same result.
    history_size: int = 10  # Past steps that L-BFGS keeps.
    adam: bool = False  # Adam in place of L-BFGS, which needs less memory and more steps.
    learning_rate: float = 0.02  # Of Adam; pixels are from -1 to 1.
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
        require_at_least(self, 0, "seed", "tile", "learning_rate")
        require_between(self, 0.01, 50.0, "frame_rate")
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
            ("coarse_steps", "coarse_sizes", len(coarse_sizes(self))),
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
        sizes = (*coarse_sizes(self), self.size)
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

_TEXT = "Gatys et al., 2016"
PAPER_SOURCES = {
    "white_noise": f"{_TEXT}, section 2.3",
    "average_pooling": f"{_TEXT}, section 2",
    "content_layers": f"{_TEXT}, section 3.1: conv4_2",
    "style_layers": f"{_TEXT}, section 3.1: conv1_1 to conv5_1",
    "style_layer_weights": f"{_TEXT}, section 2.2: equal, of sum 1",
    "coarse_sizes": f"{_TEXT}: one size",
    "variation_weight": f"{_TEXT}, equation 7: no such term",
    "per_pixel": f"{_TEXT}, equation 1: no scaling",
    "balance_layers": f"{_TEXT}, equation 4: no scaling",
}
PAPER_DEPARTURES = (
    (
        "alpha / beta is 0.001 or 0.0001; the text and the authors' later code divide the losses "
        "by different counts, so it is not known to which normalization this belongs",
        "alpha / beta is 3.3e-7, with the sums of equations 1 and 4",
    ),
    ("512 pixels approximately; the number of steps is not stated", "512 pixels, 1,000 steps"),
)

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


def coarse_sizes(config: Config) -> tuple[int, ...]:
    """Returns the earlier sizes; of the default ones, those below --size."""
    if config.coarse_sizes != COARSE_SIZES:
        return config.coarse_sizes
    return tuple(size for size in COARSE_SIZES if size < config.size)


def stage_steps(config: Config) -> tuple[int, ...]:
    """Returns the number of steps of every size; the last one is --size."""
    coarse = config.coarse_steps
    if not coarse:
        count = len(coarse_sizes(config))
        coarse = (config.num_steps // (count + 1),) * count
    return (*coarse, config.num_steps - sum(coarse))


def make_weighting(config: Config) -> Weighting:
    """Returns the weights of the loss terms."""
    weights = config.style_layer_weights
    if not weights:
        count = len(config.style_layers)
        weights = (1.0 if config.neural_style_weights else 1.0 / count,) * count
    return Weighting(
        config.content_weight,
        config.style_weight,
        dict(zip(config.style_layers, weights, strict=True)),
        config.content_layers,
        config.variation_weight,
        config.per_pixel and not config.neural_style_weights,
        mean_squares=config.neural_style_weights,
    )


def weights_remark(config: Config) -> str:
    """Returns a line if the style has too little weight to be seen, else ""."""
    is_own_scale = config.balance_layers and not config.neural_style_weights
    if not is_own_scale or config.style_weight >= LEAST_RATIO * config.content_weight:
        return ""
    return (
        f"--style_weight={config.style_weight:g} is little beside "
        f"--content_weight={config.content_weight:g}: the content will hardly change (default: 3e6 "
        "and 1); --neural_style_weights takes the weights of neural-style"
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
    init = read_picture(library, config.init, config.size)
    init = resized(init, content.shape[1:3])
    if config.keep_colors:
        init = content + gray(init - content)
    return lambda key: init


def make_form(config: Config) -> Parameterization:
    """Returns the parameterization of the image."""
    # A clipped pixel has no gradient for L-BFGS, so pixels are clipped only when they are shown.
    return luminance_pixels() if config.keep_colors else pixels(limited=False)


def make_optimizer(config: Config) -> Optimizer:
    """Returns the optimizer of the image."""
    if config.adam:
        return from_optax(optax.adam(config.learning_rate))
    return lbfgs(config.history_size)


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    network = weights.load(config.model)
    apply = style_network(network, config.average_pooling, config.keep_colors)
    name = config.content or CONTENT_SAMPLE
    film = library.film(name, config.size)
    if film:
        require_film(config, film)
        content, opacity = as_images(film.frames[0]), None
    else:
        content, opacity = read_with_opacity(library, name, config.size)
    styles = read_styles(config, library, content)
    inputs = StyleInputs(network, apply, content, styles, make_weighting(config), config.tile)
    start = make_start(config, library, content)
    factors = [size / config.size for size in (*coarse_sizes(config), config.size)]
    require_style_inputs(inputs, factors[0])
    if config.balance_layers and not config.neural_style_weights:
        inputs = balance(inputs)

    def judge(image) -> Evaluation:
        return untrained_alarm(network)

    if remark := weights_remark(config):
        print(remark, file=sys.stderr)
    optimizer, form = make_optimizer(config), make_form(config)
    if film:
        sequence = make_frames(inputs, film, config)
        experiment = frames_experiment(
            inputs, sequence, config.eval_every, start, optimizer, form, judge
        )
        seconds = film.seconds_per_frame or 1.0 / config.frame_rate
        return experiment._replace(result=Result("frame", seconds))
    stages = tuple(
        make_stage(inputs, factor, steps)
        for factor, steps in zip(factors, stage_steps(config), strict=True)
    )
    return image_experiment(
        *(apply, network.variables, stages, start, optimizer),
        parameterize=lambda height, width: form,
        judge=judge,
        opacity=opacity,
    )


def require_film(config: Config, film: Film) -> None:
    """Says what of the film was ignored; raises DataError unless the numbers of steps fit."""
    if film.note:
        print(f"{config.content}: {film.note}", file=sys.stderr)
    if config.tile:
        raise DataError("--tile does not work with frames; give --tile=0")
    if config.neural_style_weights:
        raise DataError("--neural_style_weights does not work with frames")
    if config.coarse_sizes not in ((), COARSE_SIZES):
        raise DataError("--coarse_sizes does not work with frames; give --coarse_sizes= (empty)")
    require_steps(len(film.frames), config.eval_every, config.num_steps)


def make_frames(inputs: StyleInputs, film: Film, config: Config) -> Frames:
    """Returns the frames with the loss terms that they share."""
    height, width = canvas_of(inputs, 1.0)
    weighting = inputs.weighting
    # The content terms get their targets frame by frame.
    blank = [()] * len(weighting.content_layers)
    return Frames(
        film.frames,
        film.names,
        (height, width),
        content_terms(blank, weighting, height, width),
        content_targets(inputs.apply, weighting.content_layers),
        other_terms(inputs, 1.0),
        config.temporal_weight * weighting.position_scale(height, width),
        config.warm_start,
        from_content=not (config.white_noise or config.init),
    )
