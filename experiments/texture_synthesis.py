"""Texture synthesis: new samples of a texture from the Gram matrices of a network's feature maps.

    python launch.py --experiment=texture_synthesis --texture=PATH

Paper: Gatys, Ecker and Bethge, 2015, Texture synthesis using convolutional neural networks
Data: a picture of a texture, half of it held out (default: gravel, which ships with scikit-image)
Cost: one core: 40 s for 100 steps at 96 pixels, 3 minutes for 200 at 160; defaults not measured
Expected: a texture that looks like its source; see results/texture_synthesis.md
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.config import require_at_least
from lecture_models.data.lookup import Library
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.image_space.histogram import match_histogram
from lecture_models.image_space.lbfgs import lbfgs
from lecture_models.image_space.parameterizations import pixels
from lecture_models.image_space.step import Network
from lecture_models.image_space.terms import Term
from lecture_models.image_space.texture import (
    num_parameters,
    principal_directions,
    relative_gram_error,
    texture_match,
    texture_target,
)
from lecture_models.nn.pooling import mean_pool
from lecture_models.tasks.canvas import canvas_size
from lecture_models.tasks.image_optimization import (
    Stage,
    feature_network,
    image_experiment,
    untrained_alarm,
)
from lecture_models.tasks.layers import layer_shapes, require_layers
from lecture_models.tasks.texture import (
    Halves,
    Pixels,
    judge_copying,
    read_halves,
    show_halves,
)
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Pretrained, Weights

COARSEST_SIDE = 32  # Pixels of the smaller side at the coarsest scale.
# Pixels around the result that are cut off: mirrored padding dulls the outer ones.
MARGIN = 8


@dataclasses.dataclass(frozen=True)
class Config:
    texture: str = ""  # A picture's path or a sample's name; default: gravel.
    texture_size: int = 256  # Pixels of its longer side; half of the picture is imitated.
    size: tuple[int, ...] = (192,)  # Pixels of the result: one side, or height,width.
    seamless: bool = False  # Make a tile, whose right edge continues at its left, bottom at top.
    scales: int = 3  # Sizes from coarse to fine, each twice the one before; tiny ones are skipped.
    model: str = "vgg19_normalized,vgg19_random"  # Comma-separated; the first available one.
    # The paper's conv1_1 is the output of its rectifier, relu1_1 here.
    layers: tuple[str, ...] = ("relu1_1", "pool1", "pool2", "pool3", "pool4")
    every_layer: bool = False  # Use all relu and pool layers up to the deepest of --layers.
    components: int = 0  # Principal components per layer; 0 uses the feature maps unchanged.
    # As in the paper; else each layer's loss is relative to its Gram matrix.
    equal_weights: bool = False
    average_pooling: bool = True  # Average pooling in place of max-pooling: section 2.
    noise: float = 0.1  # Standard deviation of the initial image around the mean color.
    history_size: int = 10  # Past steps that L-BFGS keeps.
    patch: int = 12  # Pixels of the patches whose nearest source patch is searched.
    seed: int = 0
    num_steps: int = 450  # Shared evenly among the scales.
    log_every: int = 10
    eval_every: int = 100
    checkpoint_every: int = 100

    def __post_init__(self):
        require_at_least(
            self, 1, "texture_size", "size", "scales", "history_size", "patch", "num_steps"
        )
        require_at_least(self, 0, "components", "noise", "seed")
        require_at_least(self, 1, "log_every", "eval_every", "checkpoint_every")
        if not 1 <= len(self.size) <= 2:
            raise ValueError(f"--size has {len(self.size)} values; it must have 1 or 2")
        if self.num_steps < self.scales:
            raise ValueError(
                f"--num_steps is {self.num_steps}; it must be at least --scales, {self.scales}"
            )
        if not self.layers:
            raise ValueError("--layers is empty; it must name at least one layer")


# Section 3: 256x256 pixels, many steps.
PAPER = {"size": (256,), "equal_weights": True, "scales": 1, "noise": 1.0, "num_steps": 2_000}

_TEXT = "Gatys et al., 2015"
PAPER_SOURCES = {
    "size": f"{_TEXT}, section 4: 256x256 pixels",
    "layers": f"{_TEXT}, section 4 and figure 3A: conv1_1 and pool1 to pool4",
    "average_pooling": f"{_TEXT}, section 2",
    "equal_weights": f"{_TEXT}, section 3: equal weights",
    "scales": f"{_TEXT}: one size",
    "noise": f"{_TEXT}, section 3: white noise",
}
PAPER_DEPARTURES = (
    ("convolutions pad with zeros", "they mirror the image"),
    ("the whole picture is the source", "half of it; the other half is the reference"),
    ("L-BFGS-B of SciPy", "L-BFGS with one evaluation a step"),
)

SMOKE = {
    "texture_size": 48,
    "size": (24,),
    "model": "untrained",
    "layers": ("relu1_1", "pool1"),
    "patch": 6,
    "history_size": 1,
    "num_steps": 4,
    "eval_every": 2,
    "checkpoint_every": 2,
    "log_every": 1,
}


def averaging(network: Pretrained) -> Pretrained:
    """Returns the network with average pooling; raises WeightsError where it cannot be replaced."""
    if not hasattr(network.model, "pool"):
        raise WeightsError(
            f"{network.name} does not support average pooling; use --noaverage_pooling"
        )
    return network._replace(model=network.model.clone(pool=mean_pool))


def bordered(network: Pretrained, padding: str) -> Pretrained:
    """Returns the network with another padding of its convolutions, REFLECT or CIRCULAR.

    With zeros, the border of an image has other feature maps than its middle, and the Gram matrices
    are matched by the border at the cost of the middle. A network whose padding is fixed keeps it;
    for a seamless tile, which needs CIRCULAR, WeightsError is raised.
    """
    if hasattr(network.model, "padding"):
        return network._replace(model=network.model.clone(padding=padding))
    if padding == "CIRCULAR":
        raise WeightsError(
            f"{network.name} pads with zeros only; --seamless needs another --model, such as "
            "vgg19_random"
        )
    return network


def chosen_layers(config: Config, shapes: dict[str, tuple[int, ...]]) -> list[str]:
    """Returns the layers of the loss in network order."""
    order = list(shapes)
    deepest = max(order.index(layer) for layer in config.layers)
    between = [name for name in order[:deepest] if name.startswith(("relu", "pool"))]
    chosen = {*config.layers, *(between if config.every_layer else [])}
    return [name for name in order if name in chosen]


def texture_terms(
    config: Config, activations: dict[str, jax.Array], layers: list[str]
) -> tuple[Term, ...]:
    """Returns one term per layer; its target is the source's Gram matrix."""
    terms = []
    for layer in layers:
        maps = activations[layer]
        basis = principal_directions(maps, config.components) if config.components else None
        target = texture_target(maps, basis)
        components = target["gram"].shape[0]
        energy = float(jnp.square(target["gram"] / target["places"]).sum())
        # Relative errors suit networks whose layers differ in scale. The feature maps of the
        # normalized VGG have a mean of 1, so equal weights suit it as well.
        weight = 1.0 if config.equal_weights else 4.0 * components**2 / max(energy, 1e-12)
        terms.append(Term(f"gram_{layer}", texture_match(layer), weight / len(layers), target))
    return tuple(terms)


def make_judge(config: Config, network: Pretrained, apply: Network, halves: Halves, stage: Stage):
    """Returns the function that measures an image: Gram errors against both halves, and copying."""
    layers = [term.name.removeprefix("gram_") for term in stage.terms]
    source = {layer: term.target for layer, term in zip(layers, stage.terms, strict=True)}

    @jax.jit
    def errors(variables, images, targets):
        _, activations = apply(variables, images)
        return jnp.stack(
            [relative_gram_error(activations[layer], targets[layer])[0] for layer in layers]
        )

    def gram_errors(image, targets) -> np.ndarray:
        return np.asarray(errors(network.variables, jnp.asarray(image)[None], targets))

    @jax.jit
    def held_out_targets(variables, images):
        _, activations = apply(variables, images)
        return {
            layer: texture_target(activations[layer], source[layer].get("basis"))
            for layer in layers
        }

    held_out = held_out_targets(network.variables, jnp.asarray(halves.held_out)[None])
    between_halves = gram_errors(halves.source, held_out)
    sizes = [source[layer]["gram"].shape[0] for layer in layers]

    def judge(images) -> Evaluation:
        image = np.asarray(images[0])
        to_source, to_held_out = gram_errors(image, source), gram_errors(image, held_out)
        lines = [
            f"texture model of {num_parameters(sizes):,} parameters",
            "relative errors of the Gram matrices: of the texture against the source and against "
            "the held-out half, and of the source against the held-out half",
            f"{'layer':<10} {'maps':>5} {'source':>9} {'held out':>9} {'the halves':>11}",
        ]
        lines += [
            f"{layer:<10} {size:>5} {ours:9.2%} {other:9.2%} {halves_error:11.2%}"
            for layer, size, ours, other, halves_error in zip(
                layers, sizes, to_source, to_held_out, between_halves, strict=True
            )
        ]
        return {
            "parameters": float(num_parameters(sizes)),
            "gram_error": float(to_source.mean()),
            "gram_error_held_out": float(to_held_out.mean()),
            "gram_error_of_halves": float(between_halves.mean()),
            "gram_errors": "\n".join(lines),
            "histogram_matched": Images(match_histogram(image, halves.source)[None], 1),
            **untrained_alarm(network),
            **judge_copying(image, halves, config.patch),
            **show_halves(halves),
        }

    return judge


def result_size(config: Config) -> tuple[int, int]:
    """Returns height and width of the result in pixels."""
    return config.size if len(config.size) == 2 else config.size * 2


def halved(size: tuple[int, int], times: int) -> tuple[int, int]:
    """Returns a size divided by 2 so many times, rounded down."""
    return size[0] >> times, size[1] >> times


def stage_halvings(config: Config, source_size: tuple[int, int]) -> list[int]:
    """Returns how many times the sizes of each stage are halved, the coarsest first and 0 last.

    A stage is skipped if a side of the result or of the source would be below `COARSEST_SIDE`.
    """
    sides = (*result_size(config), *source_size)
    halvings = range(1, config.scales)
    fitting = [times for times in halvings if min(sides) >> times >= COARSEST_SIDE]
    return [*reversed(fitting), 0]


def make_stages(
    config: Config, apply: Network, network: Pretrained, source: Pixels
) -> tuple[Stage, ...]:
    """Returns the stages from coarse to fine, each with its Gram matrices of the source."""
    activations = jax.jit(lambda variables, images: apply(variables, images)[1])
    halvings = stage_halvings(config, source.shape[:2])
    steps, rest = divmod(config.num_steps, len(halvings))
    stages = []
    for times in halvings:
        size, source_size = halved(result_size(config), times), halved(source.shape[:2], times)
        margin = 0 if config.seamless else MARGIN
        around = (size[0] + 2 * margin, size[1] + 2 * margin)
        canvas = canvas_size(apply, network, around, config.layers)
        for seen in (canvas, source_size):
            require_layers(apply, network, seen, config.layers)
        if config.seamless and not times and canvas != size:
            raise WeightsError(
                f"--size is {size[0]},{size[1]} (height, width); for a seamless tile of these "
                f"--layers of {network.name} the next possible size is {canvas[0]},{canvas[1]}"
            )
        layers = chosen_layers(config, layer_shapes(apply, network, canvas))
        seen = jax.image.resize(source[None], (1, *source_size, 3), "linear")
        terms = texture_terms(config, activations(network.variables, seen), layers)
        stages.append(
            Stage(*size, steps + rest * (times == 0), terms, canvas=canvas, margin=margin)
        )
    return tuple(stages)


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    network = weights.load(config.model)
    network = averaging(network) if config.average_pooling else network
    mirrored = bordered(network, "REFLECT")
    apply = feature_network(mirrored)
    halves = read_halves(library, config.texture, config.texture_size, config.patch)
    stages = make_stages(config, apply, mirrored, halves.source)
    mean = jnp.asarray(halves.source.mean((0, 1))).reshape(1, 1, 1, 3)

    def start(key):
        return mean + config.noise * jax.random.normal(key, (1, *result_size(config), 3))

    return image_experiment(
        feature_network(bordered(network, "CIRCULAR")) if config.seamless else apply,
        network.variables,
        stages,
        start,
        lbfgs(config.history_size),
        parameterize=lambda rows, columns: pixels(limited=False),
        judge=make_judge(config, mirrored, apply, halves, stages[-1]),
    )
