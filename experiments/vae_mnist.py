"""Variational autoencoder on binarized MNIST, with its ELBO and its likelihood.

    python launch.py --experiment=vae_mnist

Paper: Kingma and Welling, 2014, Auto-Encoding Variational Bayes; Burda et al., 2016, Table 1
Data: MNIST, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 8 to 9 minutes on two cores
Expected: negative log-likelihood 88.19 +- 0.14 nats on 1,000 test images, negative ELBO 92.98 +-
  0.10 nats, 3 seeds (published likelihood: 86.76 after 3,280 epochs, here 60); see
  results/vae_mnist.md
"""

import dataclasses

import flax.linen as nn
import jax
import numpy as np
import optax

from lecture_models.config import require_at_least, require_between
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import joined
from lecture_models.data.lookup import Library
from lecture_models.evaluators.vae import (
    BITS,
    EvaluationSettings,
    binarized,
    make_evaluate,
    make_sample,
)
from lecture_models.experiment import Best, Cadence, Experiment
from lecture_models.models.autoencoder import DenseDecoder, EncoderDecoder
from lecture_models.models.vae import GaussianEncoder
from lecture_models.nn.binarize import binarize
from lecture_models.steps.descent import init_train_state, warmup_cosine
from lecture_models.steps.vae import VAE, vae_step


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # Comma-separated names; the first available one is used.
    seed: int = 0
    batch_size: int = 100
    num_steps: int = 30_000
    latent_dim: int = 50  # As in Burda et al.; 18 of them stayed active.
    hidden: tuple[int, ...] = (500, 500)  # The encoder's layers; the decoder's are in reverse.
    tanh: bool = False  # As in the paper; rectifiers learn in a fraction of the steps.
    importance_samples: int = 1  # Trains L_k with this k; 1 is the ELBO. Burda et al., 2016, Eq. 8.
    static_binarization: bool = False  # Draws bits once for all epochs, not anew for each batch.
    train_on_validation: bool = False  # Trains on all 60,000 images, for a final run.
    learning_rate: float = 2e-3
    burda_schedule: bool = False  # Eight rates, down to a tenth, in place of a cosine to 0.
    adam_epsilon: float = 1e-8
    likelihood_images: int = 1_000  # Test images; all 10,000 take ten times as long.
    likelihood_samples: int = 5_000  # Per image, as in Burda et al., section 5.
    num_samples: int = 10_000  # Draws from the prior, for the metrics of samples.
    extractor_steps: int = 1_200  # Of the judging classifier, where none ships.
    log_every: int = 500
    eval_every: int = 15_000
    checkpoint_every: int = 5_000

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "hidden", "importance_samples", *Cadence._fields)
        require_at_least(self, 1, "likelihood_images", "likelihood_samples", "extractor_steps")
        require_at_least(self, 2, "latent_dim", "num_samples")
        require_at_least(self, 0, "seed", "learning_rate")
        require_between(self, 1e-12, 1.0, "adam_epsilon")


# Burda et al., 2016, section 5: one stochastic layer, 3,280 epochs of 60,000 images.
PAPER = {
    "batch_size": 20,
    "num_steps": 9_840_000,
    "hidden": (200, 200),
    "tanh": True,
    "train_on_validation": True,
    "learning_rate": 1e-3,
    "burda_schedule": True,
    "adam_epsilon": 1e-4,
    "likelihood_images": 10_000,
    "log_every": 3_000,
    "eval_every": 984_000,
    "checkpoint_every": 30_000,
}

PAPER_SOURCES = {
    "batch_size": "section 5",
    "num_steps": "section 5: 3^i epochs for i = 0 to 7, 3,280 in all, of 60,000 images",
    "latent_dim": "section 5 and Table 1, one stochastic layer",
    "hidden": "section 5: two deterministic layers of 200 units",
    "tanh": "section 5",
    "static_binarization": "section 5: bits are drawn anew, as Salakhutdinov and Murray, 2008",
    "train_on_validation": "section 5: the 60,000 training images",
    "learning_rate": "section 5: 0.001 * 10^(-i/7) in stage i",
    "burda_schedule": "section 5",
    "adam_epsilon": "section 5",
    "likelihood_images": "section 5: the 10,000 test images",
    "likelihood_samples": "section 5: L_5000",
}
PAPER_DEPARTURES = (
    ("weights start as Glorot and Bengio, 2010, propose", "they start as LeCun et al. propose"),
    ("the output bias starts at the log odds of the mean image (in the code)", "it starts at 0"),
)

SMOKE = {
    "dataset": "digits",
    "batch_size": 16,
    "num_steps": 12,
    "latent_dim": 4,
    "hidden": (32,),
    "likelihood_images": 5,
    "likelihood_samples": 20,
    "num_samples": 50,
    "extractor_steps": 5,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


def make_schedule(config: Config) -> optax.Schedule:
    """Returns a warmup and a cosine to 0, or Burda et al.'s schedule.

    The latter spends 3^i epochs at 10^(-i/7) of the learning rate, for i = 0 to 7.
    """
    if not config.burda_schedule:
        return warmup_cosine(config.learning_rate, config.num_steps)
    ends = np.cumsum(3 ** np.arange(8))
    return optax.piecewise_constant_schedule(
        config.learning_rate,
        {int(end * config.num_steps // ends[-1]): 10.0 ** (-1.0 / 7.0) for end in ends[:-1]},
    )


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    image_shape = dataset.train.images.shape[1:]
    nonlinearity = nn.tanh if config.tanh else nn.relu
    encoder = GaussianEncoder(config.hidden, config.latent_dim, nonlinearity)
    decoder = DenseDecoder(config.hidden[::-1], image_shape, nonlinearity)
    networks = EncoderDecoder(encoder, decoder, config.latent_dim, image_shape)
    vae = VAE(networks.encode, networks.decode)
    optimizer = optax.adam(make_schedule(config), eps=config.adam_epsilon)

    def init(key):
        return init_train_state(optimizer, networks.init(key))

    def step(state, batch, key):
        bits_key, latent_key = jax.random.split(key)
        bits = binarize(bits_key, batch["images"])  # Leaves static bits unchanged.
        return vae_step(vae, optimizer, state, bits, latent_key, config.importance_samples)

    evaluate = make_evaluate(
        vae,
        dataset,
        binarized(dataset.test.images),
        binarized(dataset.validation.images),
        EvaluationSettings(
            BITS,
            config.likelihood_images,
            config.likelihood_samples,
            (1, 5, 50),
            config.num_samples,
            config.extractor_steps,
        ),
    )
    sample = make_sample(vae, config.latent_dim)
    images = dataset.train.images
    if config.train_on_validation:
        images = joined(dataset.train, dataset.validation).images
    if config.static_binarization:
        images = binarized(images)
    return Experiment(
        init,
        step,
        lambda state, key: evaluate(state.params, key),
        ArrayBatches({"images": images}, config.batch_size, config.seed),
        Best("validation_negative_elbo", sign=-1.0),
        sample=lambda state, key, count: sample(state.params, key, count),
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )
