"""Feature inversion: images whose code in one layer of a network equals that of a picture.

    python launch.py --experiment=feature_inversion --images=PATH

Paper: Mahendran and Vedaldi, 2015, Understanding deep image representations by inverting them
Data: your own picture (default: a photo that ships with scikit-image)
Cost: one core: 3.5 minutes for all layers at 96 pixels; defaults not measured
Expected: images whose codes are close to the picture's code; see results/feature_inversion.md
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.config import require_at_least, require_single
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.image_space.inversion import central, code_error, code_match, prior_terms
from lecture_models.image_space.lbfgs import lbfgs
from lecture_models.image_space.step import Network
from lecture_models.image_space.terms import Term
from lecture_models.tasks.canvas import canvas_size, cropped, extended
from lecture_models.tasks.image_optimization import feature_network
from lecture_models.tasks.inversion import (
    Inversion,
    field_boxes,
    framed,
    gradient_box,
    inversion_experiment,
)
from lecture_models.tasks.layers import layer_shapes, require_layers
from lecture_models.tasks.pictures import read_picture
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Pretrained, Weights

COLUMNS = 8


@dataclasses.dataclass(frozen=True)
class Config:
    images: tuple[str, ...] = ("chelsea",)  # One picture: a file or the name of a sample.
    size: int = 128  # Pixels of its longer side after resizing.
    model: str = "vgg19_caffe_conv,vgg19_random"  # Comma-separated; the first available one.
    layers: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    all_layers: bool = False  # Invert every layer that has rows and columns.
    reconstructions: int = 1  # Images per code, each from another random start.
    field: int = 0  # Match only the central field x field units of each layer; 0 for all.
    variation_weights: tuple[float, ...] = (0.05, 0.5, 0.5)  # At the first, middle and last layer.
    beta: float = 2.0  # Exponent of the total variation: section 2.
    alpha_weight: float = 0.01  # Weight of the alpha-norm.
    alpha: float = 6.0  # Exponent of the alpha-norm: section 2.
    noise: float = 0.1  # Standard deviation of the initial images around gray.
    history_size: int = 10  # Past steps that L-BFGS keeps.
    seed: int = 0
    num_steps: int = 500  # Shared evenly among the layers.
    log_every: int = 10
    eval_every: int = 100
    checkpoint_every: int = 100

    def __post_init__(self):
        require_single(self, "images")
        require_at_least(
            self, 1, "size", "reconstructions", "beta", "alpha", "history_size", "num_steps"
        )
        require_at_least(self, 0, "field", "variation_weights", "alpha_weight", "noise", "seed")
        require_at_least(self, 1, "log_every", "eval_every", "checkpoint_every")
        if not self.layers and not self.all_layers:
            raise ValueError(
                "--layers is empty; it must name a layer, or --all_layers must be given"
            )
        if not self.variation_weights:
            raise ValueError("--variation_weights is empty; it must have at least one value")
        if not self.all_layers and self.num_steps < len(self.layers):
            raise ValueError(
                f"--num_steps is {self.num_steps}; it must be at least the number of layers, "
                f"{len(self.layers)}"
            )


# Every layer, at the size that the networks were trained on.
PAPER = {"size": 224, "all_layers": True, "num_steps": 37 * 300}

_TEXT = "Mahendran and Vedaldi, 2015"
PAPER_SOURCES = {
    "all_layers": f"{_TEXT}, figure 6",
    "beta": f"{_TEXT}, section 2: 2 (1 in the first version)",
    "alpha": f"{_TEXT}, section 2",
    "num_steps": f"{_TEXT}, section 3: 300 steps per layer",
}
PAPER_DEPARTURES = (
    ("CNN-A, a CaffeNet, on 227 pixels", "the convolutions of VGG-19, on 224 pixels"),
    ("gradient descent with momentum", "L-BFGS"),
    ("variation weights that double the error of the layer", "0.05, 0.5 and 0.5, by eye"),
    ("sigma is the mean norm of the training images", "that of a root mean square of 0.5"),
)

SMOKE = {
    "size": 64,
    "model": "untrained",
    "layers": ("relu1_1", "pool1"),
    "reconstructions": 2,
    "history_size": 1,
    "num_steps": 4,
    "eval_every": 2,
    "checkpoint_every": 2,
    "log_every": 1,
}


def chosen_layers(config: Config, apply: Network, network: Pretrained, size: tuple[int, int]):
    """Returns the shapes of the layers to invert, in network order.

    Raises WeightsError for an unknown layer or fewer steps than layers, and DataError for a layer
    smaller than the field.
    """
    shapes = layer_shapes(apply, network, size)
    names = [name for name, shape in shapes.items() if len(shape) == 4]
    if not config.all_layers:
        require_layers(apply, network, size, config.layers)
        names = [name for name in shapes if name in config.layers]
    if config.num_steps < len(names):
        raise WeightsError(
            f"--num_steps is {config.num_steps}; it must be at least the number of layers of "
            f"{network.name}, {len(names)}"
        )
    for name in names:
        if config.field and (len(shapes[name]) != 4 or min(shapes[name][1:3]) < config.field):
            units = "x".join(map(str, shapes[name][1:-1]))
            raise DataError(
                f"--field is {config.field}, but {name} has {units} units for an image of "
                f"{size[0]}x{size[1]}: give a larger --size, or other --layers"
            )
    return {name: shapes[name] for name in names}


def variation_weight(weights: tuple[float, ...], depth: float) -> float:
    """Returns the weight at a depth from 0 to 1, interpolated linearly in its logarithm."""
    logarithms = np.log(np.maximum(weights, 1e-30))
    return float(np.exp(np.interp(depth, np.linspace(0.0, 1.0, len(weights)), logarithms)))


def make_inversions(
    config: Config, apply: Network, network: Pretrained, picture: jax.Array
) -> list[Inversion]:
    """Returns the layers to invert, each with its loss terms."""
    size = picture.shape[1:3]
    shapes = chosen_layers(config, apply, network, size)
    order = list(layer_shapes(apply, network, size))
    codes = jax.jit(lambda *args: apply(*args)[1])(network.variables, picture)
    windows = {}
    if config.field:
        windows = {name: central(shape[1:3], config.field) for name, shape in shapes.items()}
    boxes = field_boxes(apply, network.variables, size, windows) if windows else {}
    inversions = []
    for name in shapes:
        depth = order.index(name) / max(len(order) - 1, 1)
        weight = variation_weight(config.variation_weights, depth)
        priors = prior_terms(
            size[0] * size[1], weight, config.beta, config.alpha_weight, config.alpha
        )
        match = Term("code_error", code_match(name, windows.get(name)), 1.0, codes[name][0])
        inversions.append(Inversion(name, (match, *priors), windows.get(name), boxes.get(name)))
    return inversions


def make_judge(config: Config, apply: Network, network: Pretrained, inversions, picture, size):
    """Returns the function that shows all images and measures their codes' errors by layer.

    `picture` has the size of the canvas, whose upper left part of `size` is shown.
    """

    @jax.jit
    def errors(variables, images, target, index):
        _, activations = apply(variables, images)
        return jnp.stack(
            [
                code_error(activations[inversion.layer], code, inversion.window)
                for inversion, code in zip(inversions, target, strict=True)
            ]
        )[index]

    picture_codes = [inversion.terms[0].target for inversion in inversions]
    boxes = _box_lines(config, apply, network, inversions, picture)
    shown = cropped(np.asarray(picture), size)

    def judge(images: np.ndarray, done: int) -> Evaluation:
        found: Evaluation = {}
        lines = [f"{'layer':<14} {'code error':>10} {'spread':>8} {'to picture':>10} {'pairs':>8}"]
        relative = []
        for index in range(done):
            squares = errors(network.variables, images[index], picture_codes, index)
            codes = np.sqrt(np.asarray(squares, np.float64))
            relative.append(float(codes.mean()))
            layer = inversions[index].layer
            found[f"code_error_{layer}"] = relative[-1]
            made = cropped(images[index], size)
            lines.append(
                f"{layer:<14} {relative[-1]:10.2%} {np.ptp(codes):8.2%} "
                f"{_root_mean_square(made - shown):10.4f} {pairwise_distance(made):8.4f}"
            )
        rising = all(np.diff(relative) >= 0.0)
        lines.append(f"relative code error rises with depth: {'yes' if rising else 'no'}")
        return found | {
            "codes": "\n".join(lines),
            "inverted": contact_sheet(images[:done, :, : size[0], : size[1]], inversions, shown),
            "alarm_network": network.alarm,
            **boxes,
        }

    return judge


def pairwise_distance(images: np.ndarray) -> float:
    """Returns the root mean square difference of two images, averaged over all pairs; 0 for one."""
    count = len(images)
    pairs = [(i, j) for i in range(count) for j in range(i)]
    return float(np.mean([_root_mean_square(images[i] - images[j]) for i, j in pairs] or [0.0]))


def _root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values).mean()))


def contact_sheet(images: np.ndarray, inversions: list[Inversion], picture: np.ndarray) -> Images:
    """Returns the picture and the images of all layers; several images of a layer form a row."""
    names = [inversion.layer for inversion in inversions[: len(images)]]
    rows = [framed(row, inversion.box) for row, inversion in zip(images, inversions, strict=False)]
    if images.shape[1] == 1:
        shown = np.concatenate([picture, *rows])
        return Images(shown, min(COLUMNS, len(shown)), f"the picture, {', '.join(names)}")
    shown = np.concatenate([block for row in rows for block in (picture, row)])
    return Images(shown, 1 + images.shape[1], f"rows: {', '.join(names)}; the picture first")


def _box_lines(config: Config, apply, network, inversions, picture) -> Evaluation:
    """Compares the fields of the traced program with the support of random images' gradients."""
    if not config.field:
        return {}
    random = np.random.default_rng(config.seed).uniform(-1.0, 1.0, (3, *picture.shape[1:]))
    images = jnp.concatenate([picture, jnp.asarray(random, jnp.float32)])
    lines = [
        f"pixels that the central {config.field}x{config.field} units see: top left, bottom right"
    ]
    for inversion in inversions:
        layer, box = inversion.layer, inversion.box
        support = gradient_box(apply, network.variables, layer, inversion.window, images)
        agree = "the support of the gradient" if support == box else f"the gradient's is {support}"
        lines.append(f"{layer:<14} {box[:2]} to {box[2:]}: {agree}")
    return {"fields": "\n".join(lines)}


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    network = weights.load(config.model)
    apply = feature_network(network)
    picture = read_picture(library, config.images[0], config.size)
    size = picture.shape[1:3]
    layers = list(chosen_layers(config, apply, network, size))
    picture = extended(picture, canvas_size(apply, network, size, layers))
    inversions = make_inversions(config, apply, network, picture)
    shape = (config.reconstructions, *picture.shape[1:])
    return inversion_experiment(
        apply,
        network.variables,
        inversions,
        config.num_steps,
        picture.shape[1:3],
        lambda key: config.noise * jax.random.normal(key, shape),
        lbfgs(config.history_size),
        make_judge(config, apply, network, inversions, picture, size),
    )
