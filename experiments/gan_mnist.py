"""GAN of multilayer perceptrons on MNIST.

    python launch.py --experiment=gan_mnist

Paper: Goodfellow et al., 2014, Generative Adversarial Nets, section 5 and Table 1
Data: MNIST (else the 1,797 digits that scikit-learn ships, announced and recorded)
Cost: 3.5 minutes on two cores
Expected: Parzen log-likelihood 231.7 +- 1.4 nats over 3 seeds (paper: 225 +- 2), 10 of 10 digits;
  see results/gan_mnist.md
"""

import dataclasses
import functools
import math
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
from lecture_models.evaluators.samples import sample_judge
from lecture_models.experiment import Best, Cadence, Evaluation, Experiment, Images
from lecture_models.losses import gan as losses
from lecture_models.metrics.samples import above_nearest
from lecture_models.models import gan as models
from lecture_models.models.latent import interpolate
from lecture_models.steps import gan as steps

MIN_MODES = 8  # Fewer classes than this among the samples is flagged as a collapse.


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # The first that can be had; a single name is never replaced.
    seed: int = 0
    batch_size: int = 128
    num_steps: int = 10_000
    latent_dim: int = 8  # Few, so that samples keep to what digits share: see the results page.
    generator_hidden: tuple[int, ...] = (512, 512)
    discriminator_hidden: tuple[int, ...] = (512, 256)
    maxout_pieces: int = 1  # 5 in the paper's code; 1 is a leaky rectifier, a fifth of the cost.
    input_dropout: float = 0.0  # Of the discriminator: 0.2 in the paper's code.
    hidden_dropout: float = 0.0  # Of the discriminator: 0.5 in the paper's code.
    gradient_penalty: float = 0.5  # R1's gamma: without it D wins early. Mescheder et al., 2018.
    saturating: bool = False  # The minimax loss as printed: its gradient vanishes early. Section 3.
    learning_rate: float = 1e-3
    discriminator_rate_ratio: float = 1.0  # Its learning rate over the generator's.
    cosine: bool = True  # The rate falls to 0: at a constant one D loses its grip in the end.
    adam_b1: float = 0.0  # Adam's 0.9 makes G and D oscillate; 0 as in Mescheder et al., 2018.
    momentum_sgd: bool = (
        False  # As the paper's code, not Adam: a decaying rate, momentum 0.5 to 0.7.
    )
    uniform_init: tuple[float, ...] = ()  # Half-widths for G and D; none is He's initialization.
    average_decay: float = 0.9999  # Samples come from the average of the generators so far.
    num_samples: int = 10_000  # For every metric; Goodfellow et al., section 5.
    extractor_steps: int = 1_200  # Of the classifier whose features give Frechet's distance.
    log_every: int = 100
    eval_every: int = 2_500
    checkpoint_every: int = 2_500

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "latent_dim", "generator_hidden", "maxout_pieces")
        require_at_least(self, 1, "discriminator_hidden", "extractor_steps", *Cadence._fields)
        require_at_least(self, 2, "num_samples")
        require_at_least(self, 0, "seed", "gradient_penalty", "learning_rate", "uniform_init")
        require_at_least(self, 0, "discriminator_rate_ratio")
        require_between(self, 0.0, 1.0, "input_dropout", "hidden_dropout")
        require_between(self, 0.0, 0.999999, "average_decay", "adam_b1")
        if len(self.uniform_init) not in (0, 2):
            raise ValueError(f"--uniform_init has {len(self.uniform_init)} values; allowed: 0 or 2")


# The authors' mnist.yaml, github.com/goodfeli/adversarial.
PAPER = {
    "batch_size": 100,
    "num_steps": 250_000,  # 500 epochs; theirs was stopped by hand.
    "latent_dim": 100,
    "generator_hidden": (1200, 1200),
    "discriminator_hidden": (240, 240),
    "maxout_pieces": 5,
    "input_dropout": 0.2,
    "hidden_dropout": 0.5,
    "gradient_penalty": 0.0,
    "momentum_sgd": True,
    "learning_rate": 0.1,
    "discriminator_rate_ratio": 0.5,  # Their discriminator's loss is halved.
    "uniform_init": (0.05, 0.005),
    "average_decay": 0.0,
    "eval_every": 12_500,
    "checkpoint_every": 2_500,
}

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


def make_optimizer(config: Config, rate_ratio: float) -> optax.GradientTransformation:
    """Adam, or the paper's code: the rate falls by 4e-6 a step to 1e-6, momentum rises to 0.7."""
    rate = rate_ratio * config.learning_rate
    if not config.momentum_sgd:
        falling = optax.cosine_decay_schedule(rate, config.num_steps)
        return optax.adam(falling if config.cosine else rate, b1=config.adam_b1)
    epoch = 50_000 // config.batch_size
    return optax.inject_hyperparams(optax.sgd)(
        learning_rate=optax.exponential_decay(rate, 1, 1.0 / 1.000004, end_value=1e-6),
        momentum=optax.linear_schedule(0.5, 0.7, 249 * epoch, transition_begin=epoch),
    )


def kernel_inits(config: Config) -> list[nn.initializers.Initializer]:
    """The generator's and the discriminator's."""
    if not config.uniform_init:
        return [nn.initializers.he_normal(), nn.initializers.he_normal()]
    return [symmetric_uniform(half_width) for half_width in config.uniform_init]


def symmetric_uniform(half_width: float) -> nn.initializers.Initializer:
    return lambda key, shape, dtype=jnp.float32: jax.random.uniform(
        key, shape, dtype, -half_width, half_width
    )


def make_players(
    config: Config, generator: models.Generator, discriminator: models.Discriminator
) -> steps.GAN:
    """The two modules as pure functions, with their losses and optimizers."""
    return steps.GAN(
        generate=lambda params, latents: generator.apply({"params": params}, latents),
        discriminate=lambda params, images, key: discriminator.apply(
            {"params": params}, images, training=True, rngs={"dropout": key}
        ),
        sample_latents=lambda key, count: jax.random.normal(key, (count, config.latent_dim)),
        generator_optimizer=make_optimizer(config, 1.0),
        discriminator_optimizer=make_optimizer(config, config.discriminator_rate_ratio),
        generator_loss=(
            losses.saturating_generator_loss
            if config.saturating
            else losses.non_saturating_generator_loss
        ),
        discriminator_loss=losses.discriminator_loss,
        gradient_penalty=config.gradient_penalty,
        average_decay=config.average_decay,
    )


def make_evaluate(
    config: Config, dataset: Dataset, players: steps.GAN, discriminator: models.Discriminator
) -> Callable[[steps.GANState, Key[Array, ""]], Evaluation]:
    """Judges and shows the average generator's samples; its classifier waits for the first call."""

    judge = functools.cache(lambda: sample_judge(dataset, config.extractor_steps))
    generate = jax.jit(players.generate)

    @jax.jit
    def real_probability(params, images):
        return jax.nn.sigmoid(discriminator.apply({"params": params}, images)).mean()

    def evaluate(state, key):
        sample_key, strip_key = jax.random.split(key)
        latents = players.sample_latents(sample_key, config.num_samples)
        params = steps.averaged_generator(players, state)
        samples = np.asarray(generate(params, latents))
        ends = players.sample_latents(strip_key, 2 * 8)
        judgment = judge()(samples)
        covered = judgment.scalars.get("modes_covered", math.inf)
        return {
            **judgment.scalars,
            **judgment.protocols,
            "real_probability": real_probability(state.discriminator, dataset.test.images[:1000]),
            "fake_probability": real_probability(state.discriminator, samples[:1000]),
            "samples": Images(samples[:100], 10, "the same 100 latents at every evaluation"),
            "interpolation": Images(
                generate(params, interpolate(ends[:8], ends[8:], 10)),
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

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    image_shape = dataset.train.images.shape[1:]
    generator_init, discriminator_init = kernel_inits(config)
    generator = models.Generator(config.generator_hidden, image_shape, generator_init)
    discriminator = models.Discriminator(
        config.discriminator_hidden,
        config.maxout_pieces,
        config.input_dropout,
        config.hidden_dropout,
        discriminator_init,
    )
    players = make_players(config, generator, discriminator)

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

    evaluate = make_evaluate(config, dataset, players, discriminator)
    batches = ArrayBatches({"images": dataset.train.images}, config.batch_size, config.seed)
    return Experiment(init, step, evaluate, batches, Best("parzen_validation"))
