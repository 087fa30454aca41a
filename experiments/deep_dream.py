"""DeepDream: a picture changed so that a network sees more of what it already sees in it.

    python launch.py --experiment=deep_dream --images=PATH --layer=inception_3b/5x5_reduce

Paper: Mordvintsev, Olah and Tyka, 2015, github.com/google/deepdream, whose step the lecture prints
Data: your own picture (default: a photo that ships with a package); --guide=PATH is a second one
Cost: one core: 88 s for 512 pixels, half of it for compilation, which is cached for the next run
Expected: the layer's energy rises 1.5 to 4.6 times in each octave, see results/deep_dream.md
"""

import dataclasses
import sys
from typing import Any

import jax
import jax.numpy as jnp

from lecture_models.config import require_at_least, require_single
from lecture_models.data.lookup import Library
from lecture_models.experiment import Experiment
from lecture_models.image_space.objectives import guided_match, layer_energy
from lecture_models.image_space.optimizers import normalized_gradient
from lecture_models.image_space.step import Network
from lecture_models.image_space.terms import Objective, Term
from lecture_models.image_space.transforms import identity, jitter
from lecture_models.tasks.canvas import canvas_size
from lecture_models.tasks.image_optimization import (
    Pictures,
    Stage,
    feature_network,
    image_experiment,
    resized,
    untrained_alarm,
)
from lecture_models.tasks.layers import layer_shapes, require_layers
from lecture_models.tasks.pictures import read_picture, read_with_opacity
from lecture_models.tasks.tiled_network import Arguments, layer_fields, tiled_network, tiled_value
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Pretrained, Weights

# Without --layer, the first of these that the network has.
LAYERS = ("inception_4c/output", "layer3_out", "fire8/concat", "relu4_3", "relu3_2", "relu2_1")
UNIT = 127.5  # Levels of 0..255 in one unit of -1..1.


@dataclasses.dataclass(frozen=True)
class Config:
    images: tuple[str, ...] = ("sample:china",)  # One picture: a file or the name of a sample.
    guide: str = ""  # A second picture whose features the dream imitates; default: none.
    size: int = 512  # Pixels of the longer side.
    model: str = (
        "googlenet_bvlc,resnet50_timm,digits_convnet"  # Comma-separated; the first available one.
    )
    layer: str = ""  # Default: inception_4c/output, or a middle layer of another network.
    octaves: int = 4  # Number of sizes, from the smallest to the picture's own.
    octave_scale: float = 1.4  # Ratio of one size to the next smaller one.
    step_size: float = 1.5  # In levels of 0..255; the gradient is divided by its mean |value|.
    jitter: int = 32  # Largest random shift in pixels, drawn at each step.
    tile: int = 0  # Pixels of a tile; 0 for none. Tiles need less memory, more time; same result.
    guide_size: int = 224  # Pixels of the guide's longer side.
    seed: int = 0
    num_steps: int = 80  # For all octaves together: 20 each.
    log_every: int = 5
    eval_every: int = 20
    checkpoint_every: int = 20

    def __post_init__(self):
        require_single(self, "images")
        require_at_least(self, 1, "size", "guide_size", "octaves", "num_steps")
        require_at_least(self, 1, "log_every", "eval_every", "checkpoint_every")
        require_at_least(self, 0, "seed", "jitter", "tile", "step_size")
        require_at_least(self, 1.01, "octave_scale")
        if self.num_steps < self.octaves:
            raise ValueError(
                f"--num_steps is {self.num_steps}; it must be at least {self.octaves}, one per "
                "octave (--octaves)"
            )


PAPER = {"size": 1024, "num_steps": 40}

_NOTEBOOK = "dream.ipynb of github.com/google/deepdream"
PAPER_SOURCES = {
    "size": f"{_NOTEBOOK}: the picture of the sky has 1,024x575 pixels",
    "octaves": _NOTEBOOK,
    "octave_scale": _NOTEBOOK,
    "step_size": _NOTEBOOK,
    "jitter": _NOTEBOOK,
    "num_steps": f"{_NOTEBOOK}: 10 for each of 4 octaves",
    "layer": f"{_NOTEBOOK}: the default, inception_4c/output",
}
PAPER_DEPARTURES = (
    ("adding an octave's detail does not clip the image", "the sum is clipped to black and white"),
)

SMOKE = {
    "model": "untrained",
    "size": 48,
    "octaves": 2,
    "jitter": 4,
    "num_steps": 4,
    "log_every": 1,
    "eval_every": 2,
    "checkpoint_every": 2,
}


def redetailed(previous: Pictures, base: Pictures, size: tuple[int, int]) -> Pictures:
    """Returns the dream at a larger size with the base's detail that the smaller size had lost.

    resize(base, k) + resize(previous - resize(base, k-1), k), clipped to [-1, 1].
    """
    dreamed = previous - resized(base, previous.shape[1:3])
    return jnp.clip(resized(base, size) + resized(dreamed, size), -1.0, 1.0)


def chosen_layer(apply: Network, network: Pretrained, size: tuple[int, int], layer: str) -> str:
    """Returns the layer to dream of: `layer`, else the first of LAYERS, else the last feature map.

    Raises WeightsError where the network lacks it, it has no rows and columns, or is empty here.
    """
    shapes = layer_shapes(apply, network, size)
    maps = [name for name, shape in shapes.items() if len(shape) == 4]
    found = layer or next((each for each in LAYERS if each in shapes), maps[-1])
    require_layers(apply, network, size, [found])
    if found not in maps:
        raise WeightsError(
            f"--layer={found} of {network.name} has no rows and columns; choose another"
        )
    return found


def octave_sizes(
    config: Config, apply: Network, network: Pretrained, size: tuple[int, int], layer: str
) -> list[tuple[int, int]]:
    """Returns the sizes of the octaves, the smallest first.

    Sizes at which the layer is empty, or which are not larger than the jitter, are skipped.
    """
    found = []
    for octave in reversed(range(config.octaves)):
        sides = tuple(max(1, round(side / config.octave_scale**octave)) for side in size)
        if _is_usable(config, apply, network, sides, layer):
            found.append(sides)
    return found


def _is_usable(config, apply, network, sides, layer) -> bool:
    if min(sides) <= config.jitter:
        return False
    try:
        require_layers(apply, network, sides, [layer])
    except WeightsError:
        return False
    return True


def make_objective(
    config: Config, library: Library, apply: Network, network: Pretrained, layer: str
) -> tuple[str, Objective, Any]:
    """Returns name, objective and target: the layer's energy, or the match with the guide."""
    if not config.guide:
        return "energy", layer_energy(layer), ()
    guide = read_picture(library, config.guide, config.guide_size, "--guide_size")
    require_layers(apply, network, guide.shape[1:3], [layer])
    features = jax.jit(apply)(network.variables, guide)[1][layer]
    return "guided", guided_match(layer), features.reshape(-1, features.shape[-1])


def make_stages(
    config: Config, sizes: list[tuple[int, int]], canvases: list[tuple[int, int]], term: Term
) -> tuple[Stage, ...]:
    """Returns a stage per octave with equal numbers of steps; the last one gets the remainder."""
    steps, rest = divmod(config.num_steps, len(sizes))
    stages = []
    for index, (size, canvas) in enumerate(zip(sizes, canvases, strict=True)):
        # The mean |gradient| is taken over the largest canvas, of which this one is a part.
        share = canvas[0] * canvas[1] / (canvases[-1][0] * canvases[-1][1])
        optimizer = normalized_gradient(config.step_size / UNIT * share)
        last = index == len(sizes) - 1
        stages.append(Stage(*size, steps + rest * last, (term,), optimizer, canvas))
    return tuple(stages)


def notes(
    config: Config, apply: Network, network: Pretrained, sizes: list[tuple[int, int]], layer: str
) -> dict[str, str]:
    """Returns texts for the record: layer, sizes, skipped octaves, fields beyond the picture."""
    listed = ", ".join(f"{width}x{height}" for height, width in sizes)
    found = {"dream": f"{layer} of {network.name}, octaves {listed}"}
    if len(sizes) < config.octaves:
        found["octaves"] = f"{len(sizes)} of {config.octaves}; the smallest were skipped"
    field = layer_fields(apply, network, layer, sizes[-1]).rows
    if field is None or field.size > min(sizes[-1]):
        extent = "the whole picture" if field is None else f"{field.size} pixels"
        found["field"] = f"a unit of {layer} sees {extent}; beyond the picture it sees zeros"
    return found


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    picture, opacity = read_with_opacity(library, config.images[0], config.size)
    size = picture.shape[1:3]
    if config.jitter >= min(size):
        raise WeightsError(
            f"--jitter is {config.jitter}; it must be below the picture's shorter side, {min(size)}"
        )
    network = weights.load(config.model)
    apply = feature_network(network)
    layer = chosen_layer(apply, network, size, config.layer)
    name, objective, target = make_objective(config, library, apply, network, layer)
    sizes = octave_sizes(config, apply, network, size, layer)
    canvases = [canvas_size(apply, network, octave, [layer]) for octave in sizes]
    said = notes(config, apply, network, sizes, layer)
    for line in said.values():
        print(line, file=sys.stderr)
    variables: Any = network.variables
    if config.tile:
        apply = tiled_network(apply, network, layer, objective, config.tile, canvases[-1])
        variables = Arguments(variables, target)
        objective, target = tiled_value, ()
    return image_experiment(
        apply,
        variables,
        make_stages(config, sizes, canvases, Term(name, objective, -1.0, target)),
        lambda key: picture,
        normalized_gradient(config.step_size / UNIT),
        transform=jitter(config.jitter) if config.jitter else identity,
        carry=redetailed,
        judge=lambda images: said | untrained_alarm(network),
        opacity=opacity,
    )
