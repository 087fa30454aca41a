"""Linear autoencoder on MNIST, which gradient descent leads to the principal components.

    python launch.py --experiment=linear_ae_mnist

Paper: Baldi and Hornik, 1989, Neural networks and principal component analysis; Bourlard and Kamp,
  1988, Auto-association by multilayer perceptrons
Data: MNIST, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 21 to 28 seconds on one core
Expected: with 2, 10 and 30 code units, angles to the principal components below 1e-4 rad, and PCA's
  squared errors of 43.64, 26.71 and 13.87 per image (Hinton and Salakhutdinov, 2006: 13.87); see
  results/linear_ae_mnist.md
"""

import dataclasses
import itertools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Key

from lecture_models.config import as_typed, require_at_least
from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.lookup import Library
from lecture_models.experiment import Cadence, Evaluation, Experiment, Images
from lecture_models.linear import autoencoder, pca
from lecture_models.metrics.reconstruction import originals_above
from lecture_models.models.filters import filter_pictures
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.plots.scatter import scatter_plot
from lecture_models.steps.descent import TrainState, descend, init_train_state

# Largest number of values in an image. The covariance of 4,096 has 134 MB in float64, and computing
# its eigenvectors takes half a minute.
MAX_DIM = 4_096
MAX_ANGLE = 1e-2  # In radians; a larger principal angle after the last step raises an alarm.
SHOWN = 10  # Images in a row.
PLOTTED = 3_000  # Points in a scatter plot.


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "mnist,digits"
    seed: int = 0
    # Widths of the codes; one run trains an autoencoder for each.
    code_dims: tuple[int, ...] = (2, 10, 30)
    num_steps: int = 2_000  # Each step uses all of the data: see expected_squared_error.
    learning_rate: float = 5e-3  # Adam's, which decays to 0 along a cosine.
    log_every: int = 100
    eval_every: int = 500
    checkpoint_every: int = 500

    def __post_init__(self):
        require_at_least(self, 1, "code_dims", *Cadence._fields)
        require_at_least(self, 0, "seed", "learning_rate")
        if not self.code_dims or len(set(self.code_dims)) < len(self.code_dims):
            raise ValueError(
                f"--code_dims is {as_typed(self.code_dims)!r}; it must be one or more different "
                "numbers"
            )


SMOKE = {
    "dataset": "digits",
    "code_dims": (2, 3),
    "num_steps": 12,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


class DataStatistics(NamedTuple):
    """Holds the moments of the data, and the PCA with as many components as the widest code."""

    moments: pca.Moments
    components: pca.PCA


def analyze(config: Config, dataset: Dataset) -> DataStatistics:
    """Computes the moments and the PCA of the training and validation images.

    The validation images are included, as for the published error of PCA, because nothing is chosen
    on them.

    Raises:
        DataError: the images are too large, or a code is as wide as the number of images or of
            values in an image.
    """
    shape = dataset.train.images.shape[1:]
    dim, widest = int(np.prod(shape)), max(config.code_dims)
    if dim > MAX_DIM:
        raise DataError(
            f"images of {dataset.provenance.dataset} are {'x'.join(map(str, shape))}, {dim} "
            f"values; at most {MAX_DIM} are allowed, because their covariance is computed"
        )
    count = len(dataset.train.images) + len(dataset.validation.images)
    if widest >= min(count, dim):
        raise DataError(
            f"--code_dims has {widest}; with {count} images of {dim} values it must be less than "
            f"{min(count, dim)}"
        )
    vectors = np.concatenate(
        [flatten_to_unit_range(split.images) for split in (dataset.train, dataset.validation)]
    )
    moments = pca.moments(vectors)
    return DataStatistics(moments, pca.principal_components(moments, widest))


def make_evaluate(
    config: Config, dataset: Dataset, statistics: DataStatistics
) -> Callable[[TrainState, Key[Array, ""]], Evaluation]:
    """Returns a function that compares each autoencoder with PCA on the test images."""
    test = flatten_to_unit_range(dataset.test.images)
    pcas = [pca.leading(statistics.components, code_dim) for code_dim in config.code_dims]
    pca_outputs = [
        pca.reconstruct(components, pca.project(components, test)) for components in pcas
    ]

    def evaluate(state, key):
        networks = [jax.tree.map(np.asarray, network) for network in state.params]
        scalars, rows, far = {}, [test], []
        for code_dim, network, components, pca_output in zip(
            config.code_dims, networks, pcas, pca_outputs, strict=True
        ):
            output = autoencoder.reconstruct(network, components.mean, test)
            angle = float(pca.principal_angles(network.decoder, components.components)[-1])
            error = mean_squared_error(output, test)
            pca_error = mean_squared_error(pca_output, test)
            scalars |= {
                f"max_angle_{code_dim}": angle,
                f"squared_error_{code_dim}": error,
                f"pca_squared_error_{code_dim}": pca_error,
                f"squared_error_ratio_{code_dim}": error / pca_error,
            }
            rows += [pca_output, output]
            if angle > MAX_ANGLE:
                far.append(f"{angle:.2g} rad with {code_dim} code units")
        ended = int(state.optimizer_state[0].count) >= config.num_steps  # Adam counts its steps.
        return {
            **scalars,
            "reconstructions": reconstruction_images(config, rows, dataset),
            "axes": axis_images(networks[-1], pcas[-1], statistics, dataset),
            **code_images(config, networks, pcas, statistics, dataset),
            "alarm_angle": (
                f"not at the principal components: {', '.join(far)}; more --num_steps help"
                if far and ended
                else ""
            ),
        }

    return evaluate


def mean_squared_error(outputs: np.ndarray, vectors: np.ndarray) -> float:
    """Returns the squared error per image: summed over pixels in [0, 1], averaged over images."""
    return float(((outputs - vectors) ** 2).sum(1).mean())


def reconstruction_images(config: Config, rows: list[np.ndarray], dataset: Dataset) -> Images:
    """Shows test images, and below them the reconstructions of each code size.

    `rows` are the test images, then for each code size the outputs of PCA and of the autoencoder,
    as vectors of pixels in [0, 1].
    """
    shape = dataset.test.images.shape[1:]
    images = [2.0 * vectors[:SHOWN].reshape(-1, *shape) - 1.0 for vectors in rows]
    sizes = ", ".join(map(str, config.code_dims))
    caption = (
        "test images; below, for each code size, the reconstructions of PCA and those of the "
        f"autoencoder; code units: {sizes}"
    )
    return Images(originals_above(*images, columns=SHOWN), SHOWN, caption)


def axis_images(
    network: autoencoder.LinearAutoencoder,
    components: pca.PCA,
    statistics: DataStatistics,
    dataset: Dataset,
) -> Images:
    """Shows the principal components, and below each the autoencoder's axis of the same rank."""
    axes = autoencoder.principal_axes(network, statistics.moments.covariance)
    shape = dataset.test.images.shape[1:]
    rows = [
        filter_pictures(columns, shape)
        for columns in (components.components, match_signs(axes, components))
    ]
    caption = "principal components; below each, the autoencoder's axis of the same rank"
    return Images(originals_above(*rows, columns=SHOWN), SHOWN, caption)


def match_signs(axes: np.ndarray, components: pca.PCA) -> np.ndarray:
    """Returns axes with the signs of the principal components; signs are arbitrary."""
    overlaps = np.sum(axes * components.components, axis=0, keepdims=True)
    return axes * np.where(overlaps < 0.0, -1.0, 1.0)


def code_images(
    config: Config,
    networks: list[autoencoder.LinearAutoencoder],
    pcas: list[pca.PCA],
    statistics: DataStatistics,
    dataset: Dataset,
) -> dict[str, Images]:
    """Plots the codes of the autoencoder with two units by class; no plot if there is none."""
    if 2 not in config.code_dims:
        return {}
    index = config.code_dims.index(2)
    network, components = networks[index], pcas[index]
    test = flatten_to_unit_range(dataset.test.images[:PLOTTED])
    axes = autoencoder.principal_axes(network, statistics.moments.covariance)
    outputs = autoencoder.reconstruct(network, components.mean, test)
    points = {
        "codes": autoencoder.encode(network, components.mean, test),
        "along the principal axes": (
            (outputs - components.mean[None, :]) @ match_signs(axes, components)
        ),
        "PCA": pca.project(components, test),
    }
    labels = dataset.test.labels[:PLOTTED]
    plots = [
        scatter_plot(codes, labels, dataset.classes, title=title) for title, codes in points.items()
    ]
    caption = "codes of test images; the same along the autoencoder's own axes; codes of PCA"
    return {"codes": Images(np.stack(plots), len(plots), caption)}


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    statistics = analyze(config, dataset)
    rate = optax.cosine_decay_schedule(config.learning_rate, config.num_steps)
    optimizer = optax.adam(rate)
    dim = len(statistics.moments.mean)

    def init(key):
        keys = jax.random.split(key, len(config.code_dims))
        networks = tuple(
            autoencoder.init_linear_autoencoder(network_key, dim, code_dim)
            for network_key, code_dim in zip(keys, config.code_dims, strict=True)
        )
        return init_train_state(optimizer, networks)

    def loss(networks, covariance):
        # Adam scales each weight separately, so the sum trains each network as if it were alone.
        errors = [autoencoder.expected_squared_error(network, covariance) for network in networks]
        names = [f"squared_error_{code_dim}" for code_dim in config.code_dims]
        return sum(errors), dict(zip(names, errors, strict=True))

    def step(state, batch, key):
        return descend(optimizer, state, lambda networks: loss(networks, batch["covariance"]))

    batch = {"covariance": jnp.asarray(statistics.moments.covariance, jnp.float32)}
    evaluate = make_evaluate(config, dataset, statistics)
    return Experiment(
        init,
        step,
        evaluate,
        lambda first_step: itertools.repeat(batch),
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )
