"""Linear autoencoder on MNIST: by gradient to the principal components.

    python launch.py --experiment=linear_ae_mnist

Paper: Baldi and Hornik, 1989, Neural networks and principal component analysis; Bourlard and Kamp,
  1988, Auto-association by multilayer perceptrons
Data: MNIST (else the 1,797 digits that scikit-learn ships, announced and recorded)
Cost: 20 seconds on two cores
Expected: angles to the principal components below 1e-4 rad with 2, 10 and 30 code units, and their
  squared errors, 43.64, 26.71 and 13.87 an image (13.87 by PCA in Hinton and Salakhutdinov, 2006)
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

from lecture_models.config import require_at_least
from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.lookup import Library
from lecture_models.experiment import Cadence, Evaluation, Experiment, Images
from lecture_models.linear import autoencoder, pca
from lecture_models.metrics.reconstruction import originals_above
from lecture_models.models.filters import filter_pictures
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.plots.scatter import scatter_picture
from lecture_models.steps.descent import TrainState, descend, init_train_state

MAX_DIM = 4_096  # Its covariance is 134 MB in float64, its eigenvectors take half a minute.
MAX_ANGLE = 1e-2  # In radians: an autoencoder that ends farther off is flagged.
SHOWN = 10  # Pictures in a row.
PLOTTED = 3_000  # Points in a scatter plot.


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # The first that can be had; a single name is never replaced.
    seed: int = 0
    code_dims: tuple[int, ...] = (2, 10, 30)  # An autoencoder of its own for each, in one run.
    num_steps: int = 2_000  # On all of the data each: see expected_squared_error.
    learning_rate: float = 5e-3  # Of Adam; it falls to 0 along a cosine.
    log_every: int = 100
    eval_every: int = 500
    checkpoint_every: int = 500

    def __post_init__(self):
        require_at_least(self, 1, "code_dims", *Cadence._fields)
        require_at_least(self, 0, "seed", "learning_rate")
        if not self.code_dims or len(set(self.code_dims)) < len(self.code_dims):
            given = ",".join(map(str, self.code_dims))
            raise ValueError(f"--code_dims is {given or 'empty'}; it must be numbers, each once")


# No recipe was published: the papers prove where the optimum lies. A wider code, and so a
# smaller gap between the variances at its end, which takes more steps to tell apart.
PAPER = {
    "code_dims": (2, 10, 30, 100),
    "num_steps": 20_000,
    "eval_every": 5_000,
    "checkpoint_every": 5_000,
}

SMOKE = {
    "dataset": "digits",
    "code_dims": (2, 3),
    "num_steps": 12,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


class Reference(NamedTuple):
    """What the data alone determine: moments, and the PCA of the largest code."""

    moments: pca.Moments
    components: pca.PCA


def analyze(config: Config, dataset: Dataset) -> Reference:
    """Of training and validation images, as the published error of PCA: nothing is chosen here.

    Raises DataError for images too large, or a code too wide for them or for their number.
    """
    shape = dataset.train.images.shape[1:]
    dim, widest = int(np.prod(shape)), max(config.code_dims)
    if dim > MAX_DIM:
        raise DataError(
            f"images of {dataset.provenance.dataset} are {'x'.join(map(str, shape))}, {dim} "
            f"values; a covariance of at most {MAX_DIM} values is computed"
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
    return Reference(moments, pca.principal_components(moments, widest))


def make_evaluate(
    config: Config, dataset: Dataset, reference: Reference
) -> Callable[[TrainState, Key[Array, ""]], Evaluation]:
    """Each autoencoder beside the PCA of as many components, on the test images."""
    test = flatten_to_unit_range(dataset.test.images)
    principal = [pca.leading(reference.components, k) for k in config.code_dims]
    by_pca = [pca.reconstruct(each, pca.project(each, test)) for each in principal]

    def evaluate(state, key):
        networks = [jax.tree.map(np.asarray, network) for network in state.params]
        scalars, kinds, far = {}, [test], []
        for k, network, components, theirs in zip(
            config.code_dims, networks, principal, by_pca, strict=True
        ):
            ours = autoencoder.reconstruct(network, components.mean, test)
            angle = float(pca.principal_angles(network.decoder, components.components)[-1])
            error, least = (float(((each - test) ** 2).sum(1).mean()) for each in (ours, theirs))
            scalars |= {
                f"max_angle_{k}": angle,
                f"squared_error_{k}": error,
                f"pca_squared_error_{k}": least,
                f"squared_error_ratio_{k}": error / least,
            }
            kinds += [theirs, ours]
            far += [f"{angle:.2g} rad with {k} code units"] * (angle > MAX_ANGLE)
        ended = int(state.optimizer_state[0].count) >= config.num_steps  # By Adam's own count.
        return {
            **scalars,
            "reconstructions": reconstruction_pictures(config, kinds, dataset),
            "axes": axis_pictures(networks[-1], principal[-1], reference, dataset),
            **code_pictures(config, networks, principal, reference, dataset),
            "alarm_angle": (
                f"not at the principal components: {', '.join(far)}; more --num_steps help"
                if far and ended
                else ""
            ),
        }

    return evaluate


def reconstruction_pictures(config: Config, kinds: list, dataset: Dataset) -> Images:
    """Test images, and below them in turn PCA's and the autoencoder's of each code size."""
    shape = dataset.test.images.shape[1:]
    rows = [2.0 * each[:SHOWN].reshape(-1, *shape) - 1.0 for each in kinds]
    sizes = ", ".join(map(str, config.code_dims))
    caption = f"test images; below by PCA, then by the autoencoder, with {sizes} code units"
    return Images(originals_above(*rows, columns=SHOWN), SHOWN, caption)


def axis_pictures(
    network: autoencoder.LinearAutoencoder, found: pca.PCA, reference: Reference, dataset: Dataset
) -> Images:
    """Ten eigenvectors to a row, and below them the axes of the autoencoder, signs matched."""
    axes = aligned(autoencoder.principal_axes(network, reference.moments.covariance), found)
    shape = dataset.test.images.shape[1:]
    rows = [filter_pictures(each, shape) for each in (found.components, axes)]
    caption = "principal components; below each, the autoencoder's axis of the same rank"
    return Images(originals_above(*rows, columns=SHOWN), SHOWN, caption)


def aligned(axes: np.ndarray, found: pca.PCA) -> np.ndarray:
    """The axes with the signs that bring them nearest to the components: signs are arbitrary."""
    overlaps = np.sum(axes * found.components, axis=0, keepdims=True)
    return axes * np.where(overlaps < 0.0, -1.0, 1.0)


def code_pictures(
    config: Config, networks: list, principal: list, reference: Reference, dataset: Dataset
) -> dict[str, Images]:
    """The codes of the autoencoder with two units by class, where there is one with two."""
    if 2 not in config.code_dims:
        return {}
    network, found = next(
        pair for pair in zip(networks, principal, strict=True) if pair[0].decoder.shape[1] == 2
    )
    test = flatten_to_unit_range(dataset.test.images[:PLOTTED])
    axes = aligned(autoencoder.principal_axes(network, reference.moments.covariance), found)
    reconstructions = autoencoder.reconstruct(network, found.mean, test)
    kinds = (
        autoencoder.encode(network, found.mean, test),
        (reconstructions - found.mean[None, :]) @ axes,
        pca.project(found, test),
    )
    labels = dataset.test.labels[:PLOTTED]
    plots = [scatter_picture(codes, labels, dataset.classes) for codes in kinds]
    caption = "test images as codes; the same along the autoencoder's own axes; by PCA"
    return {"codes": Images(np.stack(plots), len(plots), caption)}


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    reference = analyze(config, dataset)
    rate = optax.cosine_decay_schedule(config.learning_rate, config.num_steps)
    optimizer = optax.adam(rate)
    dim = len(reference.moments.mean)

    def init(key):
        keys = jax.random.split(key, len(config.code_dims))
        networks = tuple(
            autoencoder.init_linear_autoencoder(each, dim, k)
            for each, k in zip(keys, config.code_dims, strict=True)
        )
        return init_train_state(optimizer, networks)

    def loss(networks, covariance):
        # Adam treats each weight by itself, so that the sum trains each as if it were alone.
        errors = [autoencoder.expected_squared_error(each, covariance) for each in networks]
        names = [f"squared_error_{k}" for k in config.code_dims]
        return sum(errors), dict(zip(names, errors, strict=True))

    def step(state, batch, key):
        return descend(optimizer, state, lambda networks: loss(networks, batch["covariance"]))

    batch = {"covariance": jnp.asarray(reference.moments.covariance, jnp.float32)}
    evaluate = make_evaluate(config, dataset, reference)
    return Experiment(init, step, evaluate, lambda first_step: itertools.repeat(batch))
