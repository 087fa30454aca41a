"""Texture synthesis: new samples of a texture from the Gram matrices of a network's maps.

    python launch.py --experiment=texture_synthesis --texture=PATH

Paper: Gatys, Ecker and Bethge, 2015, Texture synthesis using convolutional neural networks
Data: a picture of a texture, half of it held out (else gravel that ships with scikit-image)
Cost: one core: 40 s for 100 steps at 96 pixels, 3 minutes for 200 at 160; the defaults not timed
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
from lecture_models.tasks.image_optimization import Stage, feature_network, image_experiment
from lecture_models.tasks.layers import layer_shapes, require_layers
from lecture_models.tasks.texture import Halves, judge_copying, read_halves, show_halves
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Pretrained, Weights


@dataclasses.dataclass(frozen=True)
class Config:
    texture: str = ""  # A picture's path or a sample's name; gravel where none is given.
    texture_size: int = 256  # Its longer side is resized to so many pixels; half of it is imitated.
    size: tuple[int, ...] = (192,)  # Of what is made: a side, or height and width.
    scales: int = 1  # From coarse to fine, each twice the size of the one before.
    model: str = "vgg19_normalized,vgg19_random"  # The first that can be had.
    # As the paper names them, conv1_1 is what is behind its rectifier.
    layers: tuple[str, ...] = ("relu1_1", "pool1", "pool2", "pool3", "pool4")
    every_layer: bool = False  # All rectified maps and poolings up to the deepest of `layers`.
    components: int = 0  # Principal components for each layer; 0 takes the maps as they are.
    equal_weights: bool = (
        False  # As in the paper; else each layer counts relative to its Gram matrix.
    )
    average_pooling: bool = True  # In place of maxima: section 2.
    noise: float = 0.1  # Standard deviation of the first image around the source's mean color.
    history_size: int = 10  # Pairs that L-BFGS remembers.
    patch: int = 12  # Side of the patches whose nearest in the source are looked for.
    seed: int = 0
    num_steps: int = 300  # Shared evenly by the scales.
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
            raise ValueError(f"--size has {len(self.size)} numbers; it must have 1 or 2")
        if self.num_steps < self.scales:
            raise ValueError(
                f"--num_steps is {self.num_steps}; it must be at least --scales, {self.scales}"
            )
        if not self.layers:
            raise ValueError("--layers is empty; it must name at least one layer")


# 256 pixels on a side, many steps: section 3.
PAPER = {"size": (256,), "equal_weights": True, "num_steps": 2_000}

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
    """The network with means in place of the maxima of its poolings.

    Raises WeightsError where its poolings cannot be replaced.
    """
    if not hasattr(network.model, "pool"):
        raise WeightsError(
            f"{network.name} has poolings that cannot be averaged: give --noaverage_pooling"
        )
    return network._replace(model=network.model.clone(pool=mean_pool))


def chosen_layers(config: Config, shapes: dict[str, tuple[int, ...]]) -> list[str]:
    """Those that are named, from the image on; with `every_layer` also all that lie between."""
    order = list(shapes)
    deepest = max(order.index(layer) for layer in config.layers)
    between = [name for name in order[:deepest] if name.startswith(("relu", "pool"))]
    wanted = {*config.layers, *(between if config.every_layer else [])}
    return [name for name in order if name in wanted]


def texture_terms(
    config: Config, activations: dict[str, jax.Array], layers: list[str]
) -> tuple[Term, ...]:
    """One for each layer, the matrices of the source being its target."""
    terms = []
    for layer in layers:
        maps = activations[layer]
        basis = principal_directions(maps, config.components) if config.components else None
        target = texture_target(maps, basis)
        components = target["gram"].shape[0]
        energy = float(jnp.square(target["gram"] / target["places"]).sum())
        # Relative errors suit networks whose layers differ in scale; those of the normalized
        # VGG, whose maps have a mean of 1, do so by themselves.
        weight = 1.0 if config.equal_weights else 4.0 * components**2 / max(energy, 1e-12)
        terms.append(Term(f"gram_{layer}", texture_match(layer), weight / len(layers), target))
    return tuple(terms)


def make_judge(config: Config, network: Pretrained, apply: Network, halves: Halves, stage: Stage):
    """Gram errors against both halves, copying, and what is left to say about the model."""
    layers = [term.name.removeprefix("gram_") for term in stage.terms]
    source = {layer: term.target for layer, term in zip(layers, stage.terms, strict=True)}

    @jax.jit
    def errors(variables, images, wanted):
        _, activations = apply(variables, images)
        found = [relative_gram_error(activations[layer], wanted[layer])[0] for layer in layers]
        return jnp.stack(found)

    def compared(image, targets) -> np.ndarray:
        return np.asarray(errors(network.variables, jnp.asarray(image)[None], targets))

    @jax.jit
    def held_out_targets(variables, images):
        _, activations = apply(variables, images)
        return {
            layer: texture_target(activations[layer], source[layer].get("basis"))
            for layer in layers
        }

    held_out = held_out_targets(network.variables, jnp.asarray(halves.held_out)[None])
    apart = compared(halves.source, held_out)
    sizes = [source[layer]["gram"].shape[0] for layer in layers]

    def judge(images) -> Evaluation:
        image = np.asarray(images[0])
        fitted, beside = compared(image, source), compared(image, held_out)
        lines = [
            f"texture model of {num_parameters(sizes):,} parameters",
            "relative errors of the Gram matrices: of the texture against the source's and the "
            "held-out half's, of the source against the held-out half's",
            f"{'layer':<10} {'maps':>5} {'source':>9} {'held out':>9} {'the halves':>11}",
        ]
        lines += [
            f"{layer:<10} {size:>5} {mine:9.2%} {other:9.2%} {between:11.2%}"
            for layer, size, mine, other, between in zip(
                layers, sizes, fitted, beside, apart, strict=True
            )
        ]
        return {
            "parameters": float(num_parameters(sizes)),
            "gram_error": float(fitted.mean()),
            "gram_error_held_out": float(beside.mean()),
            "gram_error_of_halves": float(apart.mean()),
            "gram_errors": "\n".join(lines),
            "histogram_matched": Images(match_histogram(image, halves.source)[None], 1),
            "alarm_network": network.alarm,
            **judge_copying(image, halves, config.patch),
            **show_halves(halves),
        }

    return judge


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    network = weights.load(config.model)
    network = averaging(network) if config.average_pooling else network
    apply = feature_network(network)
    halves = read_halves(library, config.texture, config.texture_size, config.patch)
    height, width = config.size if len(config.size) == 2 else config.size * 2
    seen = jax.jit(lambda variables, images: apply(variables, images)[1])
    stages = []
    for scale in reversed(range(config.scales)):
        made = height >> scale, width >> scale
        imitated = halves.source.shape[0] >> scale, halves.source.shape[1] >> scale
        for size in (made, imitated):
            require_layers(apply, network, size, config.layers)
        layers = chosen_layers(config, layer_shapes(apply, network, made))
        source = jax.image.resize(halves.source[None], (1, *imitated, 3), "linear")
        terms = texture_terms(config, seen(network.variables, source), layers)
        steps = config.num_steps // config.scales
        if scale == 0:
            steps = config.num_steps - steps * (config.scales - 1)
        stages.append(Stage(*made, steps, terms))

    mean = jnp.asarray(halves.source.mean((0, 1))).reshape(1, 1, 1, 3)

    def start(key):
        return mean + config.noise * jax.random.normal(key, (1, height, width, 3))

    return image_experiment(
        apply,
        network.variables,
        stages,
        start,
        lbfgs(config.history_size),
        parameterize=lambda rows, columns: pixels(limited=False),
        judge=make_judge(config, network, apply, halves, stages[-1]),
    )
