"""Denoising autoencoder on MNIST, compared with the same net trained without noise.

    python launch.py --experiment=denoising_ae_mnist

Paper: Vincent et al., 2010, Stacked Denoising Autoencoders, sections 3 and 4
Data: MNIST, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 3 to 4 minutes on one core
Expected: PSNR 20.3 dB denoised, 9.2 dB noisy, 13.4 dB by the plain autoencoder; the denoising net's
  filters show strokes, the plain net's look like noise (the paper prints pictures, Fig. 8); see
  results/denoising_ae_mnist.md
"""

import dataclasses
import functools
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import Dataset
from lecture_models.data.lookup import Library
from lecture_models.experiment import Cadence, Evaluation, Experiment, Images
from lecture_models.losses.reconstruction import bernoulli_cross_entropy
from lecture_models.metrics.classification import batched_apply
from lecture_models.metrics.reconstruction import originals_above, psnr
from lecture_models.models.autoencoder import pixels
from lecture_models.models.filters import filter_pictures
from lecture_models.models.tied_autoencoder import TiedAutoencoder
from lecture_models.nn.corruption import corrupt
from lecture_models.steps.denoising import AutoencoderPair, denoising_step
from lecture_models.steps.descent import init_train_state

# Corruptions that both nets are tested on, beside that of training.
TEST_CORRUPTIONS: tuple[dict[str, float], ...] = (
    {"masking": 0.25},
    {"masking": 0.5},
    {"masking": 0.75},
    {"gaussian": 0.15},
    {"gaussian": 0.3},
    {"gaussian": 0.5},
    {"salt_and_pepper": 0.1},
    {"salt_and_pepper": 0.25},
    {"salt_and_pepper": 0.4},
)
CORRUPTED_IMAGES = 1_000  # Test images for each of them.
NAMES = ("noisy", "denoised", "plain_autoencoder")  # Of the images whose PSNR is reported.
SHOWN, FILTERS = 10, 100  # Images in a row; hidden units whose weights are shown.
MAX_PSNR = 60.0  # In dB; the PSNR of an image that the noise did not change is infinite.


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "mnist,digits"
    seed: int = 0
    batch_size: int = 128
    num_steps: int = 4_000
    hidden: int = 500
    init_gain: float = 1.0  # Factor of the initial weights; 1 is Glorot's initialization.
    masking: float = 0.0  # Fraction of pixels set to black.
    gaussian: float = 0.0  # Standard deviation of the noise added to pixels in [0, 1].
    salt_and_pepper: float = 0.25  # Fraction of pixels set to black or white.
    learning_rate: float = 1e-2
    # Uses gradient descent at a constant rate, as the paper, not Adam with a decay to 0.
    constant_rate_sgd: bool = False
    log_every: int = 100
    eval_every: int = 1_000
    checkpoint_every: int = 1_000

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "hidden", *Cadence._fields)
        require_at_least(self, 0, "seed", "gaussian", "learning_rate", "init_gain")
        require_between(self, 0.0, 1.0, "masking", "salt_and_pepper")
        if not (self.masking or self.gaussian or self.salt_and_pepper):
            raise ValueError(
                "--masking, --gaussian and --salt_and_pepper are all 0; one must be greater than 0"
            )


# The paper prints only the ranges of its hyperparameters. These are the values of the authors'
# tutorial, github.com/lisa-lab/DeepLearningTutorials, code/dA.py, which trains for 15 epochs.
PAPER = {
    "batch_size": 20,
    "num_steps": 37_500,
    "init_gain": 4.0,  # Glorot and Bengio, for sigmoids; filters keep their initial noise.
    "masking": 0.3,
    "salt_and_pepper": 0.0,
    "learning_rate": 0.1,
    "constant_rate_sgd": True,
    "log_every": 500,
    "eval_every": 7_500,
    "checkpoint_every": 7_500,
}

_THEANO = "the deeplearning.net tutorial on denoising autoencoders"
PAPER_SOURCES = {
    "batch_size": _THEANO,
    "num_steps": f"{_THEANO}: 15 epochs of 50,000 images",
    "hidden": _THEANO,
    "init_gain": f"{_THEANO}: Glorot's uniform weights, times 4 for sigmoids",
    "masking": f"{_THEANO}: a corruption level of 0.3",
    "learning_rate": _THEANO,
    "constant_rate_sgd": _THEANO,
}
PAPER_DEPARTURES = (
    (
        "Vincent et al. print no recipe for the filters: their corruption levels and rates were "
        "chosen by validation",
        "the recipe of a public tutorial",
    ),
)

SMOKE = {
    "dataset": "digits",
    "batch_size": 16,
    "num_steps": 12,
    "hidden": 16,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


def make_evaluate(
    config: Config, dataset: Dataset, net: TiedAutoencoder
) -> Callable[[AutoencoderPair, Key[Array, ""]], Evaluation]:
    """Returns a function that evaluates both nets on test images.

    The images have the noise of training, and each of `TEST_CORRUPTIONS`.
    """
    clean = dataset.test.images

    @jax.jit
    def restore(params, images):
        return pixels(net.apply({"params": params}, images))

    def restore_by_both(state: AutoencoderPair, noisy: np.ndarray) -> list[np.ndarray]:
        """Returns the outputs of the denoising net and those of the plain net."""
        return [
            batched_apply(functools.partial(restore, network.params), noisy, min(1_000, len(noisy)))
            for network in state
        ]

    def evaluate(state, key):
        key, corruptions_key = jax.random.split(key)
        noisy = np.asarray(corruption(config)(key, jnp.asarray(clean)))
        images = dict(zip(NAMES, (noisy, *restore_by_both(state, noisy)), strict=True))
        decibels = {name: mean_psnr(shown, clean) for name, shown in images.items()}
        rows = [shown[:SHOWN] for shown in (clean, *images.values())]
        filters = [
            filter_pictures(network.params["kernel"][:, :FILTERS], net.image_shape)
            for network in state
        ]
        return {
            **{f"psnr_{name}": value for name, value in decibels.items()},
            "denoised": Images(
                originals_above(*rows, columns=SHOWN),
                SHOWN,
                "test images; below, with noise, denoised, and restored by the plain autoencoder",
            ),
            "filters_denoising": Images(filters[0], SHOWN, "weights of the denoising autoencoder"),
            "filters_plain": Images(
                filters[1], SHOWN, "weights of the same units, trained without noise"
            ),
            **compare_corruptions(
                corruptions_key, clean, functools.partial(restore_by_both, state)
            ),
            "alarm_denoising": alarm(decibels),
        }

    return evaluate


def corruption(config: Config) -> Callable[[Key[Array, ""], Array], Array]:
    """Returns a function of (key, images) that adds the noise of training."""
    return functools.partial(
        corrupt,
        masking=config.masking,
        gaussian=config.gaussian,
        salt_and_pepper=config.salt_and_pepper,
    )


def mean_psnr(images: np.ndarray, clean: np.ndarray) -> float:
    """Returns the mean PSNR of the images in dB, each at most `MAX_PSNR`; higher is better."""
    return float(jnp.minimum(psnr(images, clean), MAX_PSNR).mean())


def alarm(decibels: dict[str, float]) -> str:
    """Returns a warning if denoising did not raise the PSNR, else an empty text."""
    denoised = decibels["denoised"]
    better = [
        f"{name} ({value:.2f} dB)"
        for name, value in decibels.items()
        if name != "denoised" and value >= denoised
    ]
    return f"denoised ({denoised:.2f} dB) is no better than {', '.join(better)}" if better else ""


def compare_corruptions(
    key: Key[Array, ""], images: np.ndarray, restore: Callable[[np.ndarray], list[np.ndarray]]
) -> dict[str, str | Images]:
    """Returns the PSNR in dB under each of `TEST_CORRUPTIONS`, and one image under each of them."""
    clean = images[:CORRUPTED_IMAGES]
    lines, columns = [f"{'dB':22}" + "".join(f"{name:>20}" for name in NAMES)], []
    keys = jax.random.split(key, len(TEST_CORRUPTIONS))
    for noise_key, noise in zip(keys, TEST_CORRUPTIONS, strict=True):
        noisy = np.asarray(corrupt(noise_key, jnp.asarray(clean), **noise))
        outputs = (noisy, *restore(noisy))
        cells = "".join(f"{mean_psnr(output, clean):20.2f}" for output in outputs)
        ((kind, level),) = noise.items()
        lines.append(f"{kind + f' {level:g}':22}" + cells)
        columns.append([shown[0] for shown in (clean, *outputs)])
    rows = [np.stack(row) for row in zip(*columns, strict=True)]
    caption = (
        "one test image; below, with noise, denoised, and restored by the plain autoencoder; the "
        "columns have masking, Gaussian and salt-and-pepper noise"
    )
    num_columns = len(TEST_CORRUPTIONS)
    return {
        "psnr_by_corruption": "\n".join(lines),
        "corruptions": Images(originals_above(*rows, columns=num_columns), num_columns, caption),
    }


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    image_shape = dataset.train.images.shape[1:]
    kernel_init = nn.initializers.variance_scaling(config.init_gain**2, "fan_avg", "uniform")
    net = TiedAutoencoder(config.hidden, image_shape, kernel_init)
    schedule = optax.cosine_decay_schedule(config.learning_rate, config.num_steps)
    optimizer = (
        optax.sgd(config.learning_rate) if config.constant_rate_sgd else optax.adam(schedule)
    )

    def init(key):
        params = net.init(key, jnp.zeros((1, *image_shape)))["params"]
        # Both have the same initial parameters, so that they differ only by the noise: section 4.2.
        network = init_train_state(optimizer, params)
        return AutoencoderPair(denoising=network, plain=network)

    def loss(params, inputs, targets):
        logits = net.apply({"params": params}, inputs)
        return bernoulli_cross_entropy(logits, targets).mean()

    def step(state, batch, key):
        return denoising_step(optimizer, corruption(config), loss, state, batch["images"], key)

    evaluate = make_evaluate(config, dataset, net)
    batches = ArrayBatches({"images": dataset.train.images}, config.batch_size, config.seed)
    scheduled = {} if config.constant_rate_sgd else {"num_steps": "the schedule of learning_rate"}
    return Experiment(init, step, evaluate, batches, cadence_decides=scheduled)
