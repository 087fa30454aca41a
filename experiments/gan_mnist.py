"""GAN of multilayer perceptrons on MNIST.

    python launch.py --experiment=gan_mnist

Paper: Goodfellow et al., 2014, Generative Adversarial Nets, section 5 and Table 1
Data: MNIST (else the 1,797 digits that scikit-learn ships, announced and recorded)
Cost: TODO minutes on two cores
Expected: Parzen log-likelihood TODO nats (paper: 225 +- 2), 10 of 10 digits; see
  results/gan_mnist.md
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments._sample_metrics import feature_extractor
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.library import Library
from lecture_models.losses import gan as losses
from lecture_models.metrics.samples import above_nearest, make_judge
from lecture_models.models import gan as models
from lecture_models.models.latent import interpolate
from lecture_models.runtime.config import require_at_least, require_between
from lecture_models.runtime.experiment import Best, Experiment, Images
from lecture_models.runtime.loop import Cadence
from lecture_models.steps import gan as steps

MIN_MODES = 8  # Fewer classes than this among the samples is flagged as a collapse.


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # The first that can be had; a single name is never replaced.
    seed: int = 0
    batch_size: int = 128
    num_steps: int = 20_000
    latent_dim: int = 32
    generator_hidden: tuple[int, ...] = (512, 512)
    discriminator_hidden: tuple[int, ...] = (512, 256)
    maxout_pieces: int = 1  # 5 in the paper's code; 1 is a leaky rectifier, a fifth of the cost.
    input_dropout: float = 0.0  # Of the discriminator: 0.2 in the paper's code.
    hidden_dropout: float = 0.0  # Of the discriminator: 0.5 in the paper's code.
    gradient_penalty: float = 1.0  # R1's gamma: without it D wins early. Mescheder et al., 2018.
    non_saturating: bool = True  # Section 3: stronger gradients early; false is the minimax game.
    learning_rate: float = 1e-3
    adam_b1: float = 0.5  # Not Adam's 0.9, with which G and D oscillate: Radford et al., 2016, 4.
    average_decay: float = 0.999  # Samples come from the mean of the last 1,000 generators or so.
    num_samples: int = 10_000  # For every metric; Goodfellow et al., section 5.
    extractor_steps: int = 1_200  # Of the classifier whose features give Frechet's distance.
    log_every: int = 100
    eval_every: int = 5_000
    checkpoint_every: int = 1_000

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "latent_dim", "generator_hidden", "maxout_pieces")
        require_at_least(self, 1, "discriminator_hidden", "extractor_steps", *Cadence._fields)
        require_at_least(self, 2, "num_samples")
        require_at_least(self, 0, "seed", "gradient_penalty")
        require_between(self, 0.0, 1.0, "input_dropout", "hidden_dropout", "average_decay")


PAPER = {}

SMOKE = {
    "dataset": "digits",
    "batch_size": 16,
    "num_steps": 12,
    "generator_hidden": (32,),
    "discriminator_hidden": (32,),
    "num_samples": 200,
    "extractor_steps": 5,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    image_shape = dataset.train.images.shape[1:]
    generator = models.Generator(config.generator_hidden, image_shape)
    discriminator = models.Discriminator(
        config.discriminator_hidden,
        config.maxout_pieces,
        config.input_dropout,
        config.hidden_dropout,
    )
    optimizer = optax.adam(config.learning_rate, b1=config.adam_b1)
    players = steps.GAN(
        generate=lambda params, latents: generator.apply({"params": params}, latents),
        discriminate=lambda params, images, key: discriminator.apply(
            {"params": params}, images, training=True, rngs={"dropout": key}
        ),
        sample_latents=lambda key, count: jax.random.normal(key, (count, config.latent_dim)),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        generator_loss=(
            losses.non_saturating_generator_loss
            if config.non_saturating
            else losses.saturating_generator_loss
        ),
        discriminator_loss=losses.discriminator_loss,
        gradient_penalty=config.gradient_penalty,
        average_decay=config.average_decay,
    )

    def init(key):
        generator_key, discriminator_key = jax.random.split(key)
        latents = jnp.zeros((1, config.latent_dim))
        return steps.init_state(
            players,
            generator.init(generator_key, latents)["params"],
            discriminator.init(discriminator_key, jnp.zeros((1, *image_shape)))["params"],
        )

    def step(state, batch, key):
        return steps.gan_step(players, state, batch["images"], key)

    @functools.cache
    def judge():
        extractor = feature_extractor(dataset, config.extractor_steps)
        return make_judge(
            dataset.train.images, dataset.validation.images, dataset.test.images, extractor
        )

    generate = jax.jit(players.generate)

    @jax.jit
    def real_probability(params, images):
        return jax.nn.sigmoid(discriminator.apply({"params": params}, images)).mean()

    def evaluate(state, key):
        sample_key, strip_key = jax.random.split(key)
        latents = players.sample_latents(sample_key, config.num_samples)
        samples = np.asarray(generate(state.averaged, latents))
        ends = players.sample_latents(strip_key, 2 * 8)
        judgement = judge()(samples)
        covered = judgement.scalars["modes_covered"]
        return {
            **judgement.scalars,
            **judgement.protocols,
            "real_probability": real_probability(state.discriminator, dataset.test.images[:1000]),
            "fake_probability": real_probability(state.discriminator, samples[:1000]),
            "samples": Images(samples[:100], 10, "the same 100 latents at every evaluation"),
            "interpolation": Images(
                generate(state.averaged, interpolate(ends[:8], ends[8:], 10)),
                10,
                "each row walks from one latent to another",
            ),
            "nearest": Images(
                above_nearest(samples[:10], dataset.train.images),
                10,
                "samples above, the nearest training images below",
            ),
            "alarm_collapse": (
                f"{covered:.0f} of {len(dataset.classes)} modes covered"
                if covered < MIN_MODES
                else ""
            ),
        }

    batches = ArrayBatches({"images": dataset.train.images}, config.batch_size, config.seed)
    return Experiment(init, step, evaluate, batches, Best("parzen_validation"))
