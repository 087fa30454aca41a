"""Simple densities of binarized MNIST beside MADE: exact nats of each, and samples side by side.

    python launch.py --experiment=density_baselines_mnist

Paper: Germain et al., 2015, MADE: masked autoencoder for distribution estimation
Data: MNIST, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: five minutes of one core; 14 minutes at low priority on a busy machine
Expected: test nats of independent pixels 205.8, kernels 182.5, a mixture of 500 Bernoullis 126.0
  and MADE 90.9 (a public repository: 84.87); see results/density_baselines_mnist.md
"""

import dataclasses
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lecture_models.config import require_at_least
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.lookup import Library
from lecture_models.evaluators import densities
from lecture_models.evaluators.densities import FittedDensity
from lecture_models.evaluators.samples import classifier_scorer
from lecture_models.evaluators.vae import binarized, evenly_spaced
from lecture_models.experiment import Best, Cadence, DataTable, Experiment, Images
from lecture_models.linear import pca
from lecture_models.losses.reconstruction import bernoulli_cross_entropy
from lecture_models.metrics.classification import batched_apply
from lecture_models.metrics.cost import count_parameters
from lecture_models.models.made import MADE
from lecture_models.nn.binarize import binarize
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.steps.descent import descend, init_train_state, warmup_cosine

SHOWN = 15  # Samples of each density in the picture.
DRAWN_AT_ONCE = 1_000


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # Comma-separated names; the first available one is used.
    seed: int = 0
    batch_size: int = 100
    num_steps: int = 6_000
    hidden: tuple[int, ...] = (500,)  # Units of MADE's hidden layers.
    static_binarization: bool = False  # Draws MADE's bits once for all epochs, not for each batch.
    learning_rate: float = 2e-3
    # Numbers of components of the mixture of Bernoullis; the best on validation images is kept.
    mixture_components: tuple[int, ...] = (50, 500)
    em_iterations: int = 20  # Of expectation maximization, for each number of components.
    # Of a bit of a training image, in the kernel density of bits; chosen on validation images.
    flip_probabilities: tuple[float, ...] = (0.04, 0.05, 0.06, 0.07)
    code_dim: int = 20  # Principal components that the densities of gray images have.
    code_examples: int = 10_000  # Training images of these densities.
    code_components: tuple[int, ...] = (10, 30)  # Of the mixture of Gaussians.
    # Of scikit-learn's kernel density, in units of pixels in [0, 1]; chosen on validation images.
    bandwidths: tuple[float, ...] = (0.4, 0.5, 0.6, 0.7)
    validation_images: int = 1_000  # On which all of these are chosen, and judged beside the test.
    num_samples: int = 10_000  # Of each density, for the metrics of samples.
    extractor_steps: int = 1_200  # Of the judging classifier, where none ships.
    log_every: int = 200
    eval_every: int = 6_000
    checkpoint_every: int = 1_000

    def __post_init__(self):
        counts = ("batch_size", "hidden", "mixture_components", "em_iterations", "code_dim")
        require_at_least(self, 1, *counts, "code_examples", "validation_images", *Cadence._fields)
        require_at_least(self, 2, "code_components", "num_samples")
        require_at_least(self, 1, "extractor_steps")
        require_at_least(self, 0, "seed", "learning_rate")
        require_at_least(self, 1e-3, "bandwidths")
        for name in ("mixture_components", "flip_probabilities", "code_components", "bandwidths"):
            if not getattr(self, name):
                raise ValueError(f"--{name} is empty; it must have one value or more")
        for probability in self.flip_probabilities:
            if not 0.0 < probability < 0.5:
                raise ValueError(
                    f"--flip_probabilities has {probability}; it must be between 0 and 0.5"
                )


SMOKE = {
    "dataset": "digits",
    "batch_size": 16,
    "num_steps": 12,
    "hidden": (20,),
    "mixture_components": (2, 3),
    "em_iterations": 2,
    "flip_probabilities": (0.02, 0.1),
    "code_dim": 3,
    "code_examples": 50,
    "code_components": (2,),
    "bandwidths": (0.5, 1.0),
    "validation_images": 20,
    "num_samples": 50,
    "extractor_steps": 5,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


class Judged(NamedTuple):
    """Holds a density with its mean nats, the scores of its samples, and a few of these."""

    density: FittedDensity
    validation_nats: float
    test_nats: float
    scores: dict[str, float]
    shown: np.ndarray


def bit_rows(images: np.ndarray) -> np.ndarray:
    """Returns the fixed bits of images, 0 and 1, as rows."""
    return np.asarray(flatten_to_unit_range(binarized(images)))


def fit_bits(
    config: Config, dataset: Dataset, generator: np.random.Generator
) -> list[FittedDensity]:
    """Fits the densities of bits."""
    train = bit_rows(dataset.train.images)
    validation = bit_rows(evenly_spaced(dataset.validation.images, config.validation_images))
    return [
        densities.independent_bits(train),
        densities.mixture_of_bits(
            generator, train, validation, config.mixture_components, config.em_iterations
        ),
        densities.kernels_of_bits(train, validation, config.flip_probabilities),
    ]


def fit_codes(config: Config, dataset: Dataset, components: pca.PCA, key) -> list[FittedDensity]:
    """Fits the densities of principal components; their samples are codes, too."""

    def codes(images, count):
        rows = flatten_to_unit_range(evenly_spaced(images, count))
        return np.asarray(pca.project(components, rows), np.float32)

    train = codes(dataset.train.images, config.code_examples)
    validation = codes(dataset.validation.images, config.validation_images)
    return [
        densities.gaussian_of_codes(train),
        densities.mixture_of_gaussians(key, train, validation, config.code_components),
        densities.kernels_of_codes(train, validation, config.bandwidths),
    ]


def fit_components(config: Config, dataset: Dataset) -> pca.PCA:
    """Returns the principal components of the training images. Raises DataError if too few."""
    rows = flatten_to_unit_range(dataset.train.images)
    most = min(rows.shape) - 1
    if config.code_dim > most:
        raise DataError(
            f"--code_dim is {config.code_dim}; with {len(rows)} images of {rows.shape[1]} values "
            f"it must be at most {most}"
        )
    return pca.fit_pca(rows, config.code_dim)


def judge(density: FittedDensity, rows, config: Config, score, to_images) -> Judged:
    """Scores a density by its nats and by samples.

    Args:
        density: the density.
        rows: validation and test rows.
        config: how many samples are scored, and their seed.
        score: returns the scores of images.
        to_images: makes images in [-1, 1] from samples.
    """
    validation, test = (density.nats(part) for part in rows)
    samples = to_images(density.draw(np.random.default_rng(config.seed), config.num_samples))
    return Judged(density, validation, test, score(samples).scalars, samples[:SHOWN])


def metric_names(name: str) -> tuple[str, str, str]:
    """Returns the names of a density's nats on validation and test images, and its prefix."""
    measure = "log_density" if name.startswith("code_") else "log_likelihood"
    prefix = "" if name == "made" else f"{name}_"
    validation = f"{prefix}validation_negative_{measure}"
    return validation, f"{prefix}negative_{measure}", prefix


def scalars_of(judged: Judged) -> dict[str, float]:
    """Returns a density's nats, scores and number of parameters by name."""
    validation, test, prefix = metric_names(judged.density.name)
    return {
        test: judged.test_nats,
        validation: judged.validation_nats,
        f"{prefix}parameters": float(judged.density.num_parameters),
        **{f"{prefix}{name}": value for name, value in judged.scores.items()},
    }


def table_of(judged: list[Judged], bits_scores: dict[str, float]) -> DataTable:
    """Returns the densities as rows, below them the scores of training images as bits."""
    names = tuple(bits_scores)
    rows = [
        (
            entry.density.name,
            "codes" if entry.density.name.startswith("code_") else "bits",
            entry.density.chosen,
            entry.validation_nats,
            entry.test_nats,
            entry.density.num_parameters,
            *(entry.scores[name] for name in names),
        )
        for entry in judged
    ]
    rows.append(("training images", "bits", "", "", "", "", *bits_scores.values()))
    columns = ("density", "of", "chosen", "validation nats", "test nats", "parameters", *names)
    caption = "nats of bits can be compared with each other, and nats of codes with each other"
    return DataTable(columns, tuple(rows), caption)


def pictures(judged: list[Judged], test: np.ndarray, image_shape) -> dict[str, Images]:
    """Shows samples of the densities, row by row, and the components of the mixture."""
    names = ", ".join(entry.density.name for entry in judged)
    (templates,) = (entry.density.templates for entry in judged if entry.density.name == "mixture")
    return {
        "samples": Images(
            np.concatenate([test[:SHOWN], *(entry.shown for entry in judged)]),
            SHOWN,
            f"row by row: test images as bits, {names}",
        ),
        "components": Images(
            2.0 * templates[: 3 * SHOWN].reshape(-1, *image_shape) - 1.0,
            SHOWN,
            "probabilities of the mixture's heaviest components",
        ),
    }


def make_evaluate(config: Config, dataset: Dataset, made: MADE):
    """Returns a function that judges MADE and, once, the densities beside it."""
    image_shape = dataset.test.images.shape[1:]
    score = functools.cache(lambda: classifier_scorer(dataset, config.extractor_steps))
    components = fit_components(config, dataset)
    validation, test = dataset.validation.images, dataset.test.images

    def images_of_bits(rows):
        return 2.0 * rows.reshape(-1, *image_shape) - 1.0

    def images_of_codes(rows):
        return images_of_bits(np.clip(pca.reconstruct(components, rows), 0.0, 1.0))

    def code_rows(images):
        return np.asarray(pca.project(components, flatten_to_unit_range(images)), np.float32)

    @functools.cache
    def judge_simple(seed: int) -> list[Judged]:
        some = evenly_spaced(validation, config.validation_images)
        bits = bit_rows(some), bit_rows(test)
        codes = code_rows(some), code_rows(test)
        of_bits = fit_bits(config, dataset, np.random.default_rng(seed))
        of_codes = fit_codes(config, dataset, components, jax.random.key(seed))
        return [
            *(judge(density, bits, config, score(), images_of_bits) for density in of_bits),
            *(judge(density, codes, config, score(), images_of_codes) for density in of_codes),
        ]

    @functools.cache
    def bits_scores() -> dict[str, float]:
        return score()(binarized(dataset.train.images[: config.num_samples])).scalars

    def evaluate(state, key):
        density = made_density(made, state.params, image_shape)
        bits = bit_rows(validation), bit_rows(test)
        own = judge(density, bits, config, score(), images_of_bits)
        simple = judge_simple(config.seed)
        judged = [*simple[:3], own, *simple[3:]]
        scalars = {name: v for entry in judged for name, v in scalars_of(entry).items()}
        alarms = [entry.density.alarm for entry in judged if entry.density.alarm]
        return {
            **scalars,
            **{f"training_bits_{name}": value for name, value in bits_scores().items()},
            "densities": table_of(judged, bits_scores()),
            "nats": nats_text(judged),
            **pictures(judged, binarized(test), image_shape),
            "alarm_em": "; ".join(alarms),
        }

    return evaluate


def nats_text(judged: list[Judged]) -> str:
    """Returns one line per density with its nats and what was chosen."""
    lines = [
        f"{entry.density.name:14} {entry.test_nats:8.2f} test nats; {entry.density.chosen}"
        for entry in judged
    ]
    return "\n".join(lines)


def made_density(made: MADE, params, image_shape: tuple[int, int, int]) -> FittedDensity:
    """Returns MADE with its parameters as a density of rows of bits."""

    @jax.jit
    def log_likelihoods(images):
        return -bernoulli_cross_entropy(made.apply({"params": params}, images), images)

    def log_density(rows):
        images = 2.0 * rows.reshape(-1, *image_shape) - 1.0
        return batched_apply(log_likelihoods, images, min(1_000, len(images)))

    def draw(generator, count):
        key = jax.random.key(int(generator.integers(2**31)))
        return flatten_to_unit_range(np.asarray(draw_images(made, params, key, count, image_shape)))

    chosen = f"{', '.join(map(str, made.hidden))} hidden units"
    return FittedDensity("made", chosen, log_density, count_parameters(params), draw)


def draw_images(made: MADE, params, key, count: int, image_shape: tuple[int, int, int]):
    """Draws images of -1 and 1 from MADE, a thousand at a time."""
    size = min(count, DRAWN_AT_ONCE)
    keys = jax.random.split(key, -(-count // size))
    parts = [_draw(made, params, part_key, size, image_shape) for part_key in keys]
    return jnp.concatenate(parts)[:count]


@functools.partial(jax.jit, static_argnames=("made", "count", "image_shape"))
def _draw(made, params, key, count, image_shape):
    return made.sample(params, key, count, image_shape)


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    image_shape = dataset.train.images.shape[1:]
    made = MADE(config.hidden)
    optimizer = optax.adam(warmup_cosine(config.learning_rate, config.num_steps))

    def init(key):
        return init_train_state(optimizer, made.init(key, jnp.zeros((1, *image_shape)))["params"])

    def step(state, batch, key):
        bits = binarize(key, batch["images"])  # Leaves static bits unchanged.

        def loss(params):
            nats = bernoulli_cross_entropy(made.apply({"params": params}, bits), bits).mean()
            return nats, {"loss": nats}

        return descend(optimizer, state, loss)

    images = dataset.train.images
    return Experiment(
        init,
        step,
        make_evaluate(config, dataset, made),
        ArrayBatches(
            {"images": binarized(images) if config.static_binarization else images},
            config.batch_size,
            config.seed,
        ),
        Best("validation_negative_log_likelihood", sign=-1.0),
        sample=lambda state, key, count: draw_images(made, state.params, key, count, image_shape),
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )
