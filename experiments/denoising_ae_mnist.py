"""Denoising autoencoder on MNIST, beside the same net without noise.

    python launch.py --experiment=denoising_ae_mnist

Paper: Vincent et al., 2010, Stacked Denoising Autoencoders, sections 3 and 4
Data: MNIST (else the 1,797 digits that scikit-learn ships, announced and recorded)
Cost: 1 minute on two cores
Expected: 20.3 dB of PSNR where the noisy image has 9.2 and the plain autoencoder leaves 13.4;
  strokes among its filters, which are noise without corruption (the paper prints pictures, Fig. 8)
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

# What both nets are shown besides, whatever they were trained on.
OTHERS: tuple[dict[str, float], ...] = (
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
OTHER_IMAGES = 1_000  # Of the test set, for each of them.
NAMES = ("noisy", "denoised", "plain_autoencoder")  # What psnr_* are of.
SHOWN, FILTERS = 10, 100  # Pictures in a row; hidden units whose weights are shown.
MOST_DECIBELS = 60.0  # An image that the noise has spared would have infinitely many.


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # The first that can be had; a single name is never replaced.
    seed: int = 0
    batch_size: int = 128
    num_steps: int = 4_000
    hidden: int = 500
    init_gain: float = 1.0  # Times Glorot's range of first weights.
    masking: float = 0.0  # The fraction of pixels that turn black.
    gaussian: float = 0.0  # The standard deviation of what is added to pixels on [0, 1].
    salt_and_pepper: float = 0.25  # The fraction of pixels that turn black or white.
    learning_rate: float = 1e-2
    constant_rate_sgd: bool = (
        False  # As the paper, at a constant rate; else Adam, whose rate falls to 0.
    )
    log_every: int = 100
    eval_every: int = 1_000
    checkpoint_every: int = 1_000

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "hidden", *Cadence._fields)
        require_at_least(self, 0, "seed", "gaussian", "learning_rate", "init_gain")
        require_between(self, 0.0, 1.0, "masking", "salt_and_pepper")
        if not (self.masking or self.gaussian or self.salt_and_pepper):
            raise ValueError(
                "--masking, --gaussian and --salt_and_pepper are all 0; one must be more"
            )


# The paper prints the ranges that its settings were chosen from; these are the values of its
# authors' tutorial, github.com/lisa-lab/DeepLearningTutorials, code/dA.py: 15 epochs.
PAPER = {
    "batch_size": 20,
    "num_steps": 37_500,
    "init_gain": 4.0,  # Glorot and Bengio's advice for sigmoids; the noise stays in the filters.
    "masking": 0.3,
    "salt_and_pepper": 0.0,
    "learning_rate": 0.1,
    "constant_rate_sgd": True,
    "log_every": 500,
    "eval_every": 7_500,
    "checkpoint_every": 7_500,
}

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
    """Both nets on the test images under the noise of training, and under each other kind."""
    clean = dataset.test.images

    @jax.jit
    def restore(params, images):
        return pixels(net.apply({"params": params}, images))

    def restored(state: AutoencoderPair, noisy: np.ndarray) -> list[np.ndarray]:
        """By the denoising and by the plain net."""
        return [
            batched_apply(functools.partial(restore, rival.params), noisy, min(1_000, len(noisy)))
            for rival in state
        ]

    def evaluate(state, key):
        key, others_key = jax.random.split(key)
        noisy = np.asarray(corruption(config)(key, jnp.asarray(clean)))
        kinds = (noisy, *restored(state, noisy))
        decibels = dict(zip(NAMES, [mean_psnr(each, clean) for each in kinds], strict=True))
        rows = [each[:SHOWN] for each in (clean, *kinds)]
        filters = [
            filter_pictures(each.params["kernel"][:, :FILTERS], net.image_shape) for each in state
        ]
        return {
            **{f"psnr_{name}": value for name, value in decibels.items()},
            "denoised": Images(
                originals_above(*rows, columns=SHOWN),
                SHOWN,
                "test images, corrupted, denoised, and by the plain autoencoder",
            ),
            "filters_denoising": Images(filters[0], SHOWN, "weights of the denoising autoencoder"),
            "filters_plain": Images(filters[1], SHOWN, "weights of the same units without noise"),
            **other_corruptions(others_key, clean, functools.partial(restored, state)),
            "alarm_denoising": alarm(decibels),
        }

    return evaluate


def corruption(config: Config) -> Callable[[Key[Array, ""], Array], Array]:
    """The noise of training."""
    return functools.partial(
        corrupt,
        masking=config.masking,
        gaussian=config.gaussian,
        salt_and_pepper=config.salt_and_pepper,
    )


def mean_psnr(found: np.ndarray, clean: np.ndarray) -> float:
    """Over images, in dB."""
    return float(jnp.minimum(psnr(found, clean), MOST_DECIBELS).mean())


def alarm(decibels: dict[str, float]) -> str:
    """A line where denoising has not helped, else nothing."""
    denoised = decibels["denoised"]
    ahead = [
        f"{name} ({value:.2f} dB)"
        for name, value in decibels.items()
        if name != "denoised" and value >= denoised
    ]
    return f"denoised ({denoised:.2f} dB) is no better than {', '.join(ahead)}" if ahead else ""


def other_corruptions(
    key: Key[Array, ""], images: np.ndarray, restored: Callable[[np.ndarray], list[np.ndarray]]
) -> dict[str, str | Images]:
    """A table of PSNR in dB for each of OTHERS, and the first image under each of them."""
    clean = images[:OTHER_IMAGES]
    lines, shown = [f"{'dB':22}" + "".join(f"{name:>20}" for name in NAMES)], []
    for each, level in zip(jax.random.split(key, len(OTHERS)), OTHERS, strict=True):
        noisy = np.asarray(corrupt(each, jnp.asarray(clean), **level))
        kinds = (noisy, *restored(noisy))
        values = [mean_psnr(found, clean) for found in kinds]
        ((kind, amount),) = level.items()
        lines.append(f"{kind + f' {amount:g}':22}" + "".join(f"{value:20.2f}" for value in values))
        shown.append([found[0] for found in (clean, *kinds)])
    rows = [np.stack(row) for row in zip(*shown, strict=True)]
    caption = "one image: clean, corrupted, denoised, plain; masking, Gaussian, salt and pepper"
    return {
        "psnr_by_corruption": "\n".join(lines),
        "corruptions": Images(originals_above(*rows, columns=len(OTHERS)), len(OTHERS), caption),
    }


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    image_shape = dataset.train.images.shape[1:]
    kernel_init = nn.initializers.variance_scaling(config.init_gain**2, "fan_avg", "uniform")
    net = TiedAutoencoder(config.hidden, image_shape, kernel_init)
    falling = optax.cosine_decay_schedule(config.learning_rate, config.num_steps)
    optimizer = optax.sgd(config.learning_rate) if config.constant_rate_sgd else optax.adam(falling)

    def init(key):
        params = net.init(key, jnp.zeros((1, *image_shape)))["params"]
        # Both from the same point, so that they differ by the noise alone: section 4.2.
        rival = init_train_state(optimizer, params)
        return AutoencoderPair(denoising=rival, plain=rival)

    def loss(params, inputs, targets):
        logits = net.apply({"params": params}, inputs)
        return bernoulli_cross_entropy(logits, targets).mean()

    def step(state, batch, key):
        return denoising_step(optimizer, corruption(config), loss, state, batch["images"], key)

    evaluate = make_evaluate(config, dataset, net)
    batches = ArrayBatches({"images": dataset.train.images}, config.batch_size, config.seed)
    return Experiment(init, step, evaluate, batches)
