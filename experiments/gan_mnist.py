"""GAN of multilayer perceptrons on MNIST.

    python launch.py --experiment=gan_mnist

Paper: Goodfellow et al., 2014, Generative Adversarial Nets, section 5 and Table 1
Data: MNIST, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 3.5 minutes on two cores
Expected: Parzen log-likelihood 230.4 +- 1.3 nats over 3 seeds (paper: 225 +- 2), 10 of 10 digits;
  see results/gan_mnist.md
"""

import dataclasses
import math
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.lookup import Library
from lecture_models.evaluators.gan import make_evaluate
from lecture_models.experiment import Best, Cadence, Experiment
from lecture_models.losses import gan as losses
from lecture_models.models import gan as models
from lecture_models.steps.descent import Params
from lecture_models.steps.gan import GAN, GANState, averaged_generator, gan_step, init_gan
from lecture_models.steps.players import Player, training_apply


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # Comma-separated names; the first available one is used.
    seed: int = 0
    batch_size: int = 128
    num_steps: int = 10_000
    latent_dim: int = 8  # The paper's code has 100; fewer scored higher: see the results page.
    uniform_noise: bool = False  # Latents from U(-sqrt 3, sqrt 3), not N(0, 1), as in its code.
    generator_hidden: tuple[int, ...] = (512, 512)
    discriminator_hidden: tuple[int, ...] = (512, 256)
    maxout_pieces: int = 1  # 5 in the paper's code; 1 is a leaky ReLU at a fifth of the cost.
    input_dropout: float = 0.0  # In the discriminator; 0.2 in the paper's code.
    hidden_dropout: float = 0.0  # In the discriminator; 0.5 in the paper's code.
    gradient_penalty: float = 0.5  # R1's gamma; without it D wins early. Mescheder et al., 2018.
    saturating: bool = False  # Uses the minimax loss, whose gradient vanishes early: section 3.
    learning_rate: float = 1e-3
    discriminator_rate_ratio: float = 1.0  # The discriminator's learning rate over G's.
    cosine: bool = True  # Decays the learning rate to 0; a constant one lets D fall behind.
    adam_b1: float = 0.0  # Adam's 0.9 makes G and D oscillate; 0 as in Mescheder et al., 2018.
    momentum_sgd: bool = False  # Uses the SGD of the paper's code, momentum 0.5 to 0.7, not Adam.
    uniform_init: tuple[float, ...] = ()  # Half-widths for G and D; empty is He initialization.
    average_decay: float = 0.9999  # Samples come from the moving average of the generators.
    num_samples: int = 10_000  # Samples for every metric: Goodfellow et al., section 5.
    extractor_steps: int = 1_200  # Of the judging classifier, where none ships.
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


PAPER = {
    "batch_size": 100,
    "num_steps": 250_000,  # 500 epochs; theirs were stopped by hand.
    "latent_dim": 100,
    "uniform_noise": True,
    "generator_hidden": (1200, 1200),
    "discriminator_hidden": (240, 240),
    "maxout_pieces": 5,
    "input_dropout": 0.2,
    "hidden_dropout": 0.5,
    "gradient_penalty": 0.0,
    "momentum_sgd": True,
    "learning_rate": 0.1,
    "discriminator_rate_ratio": 0.5,  # They halve the discriminator's loss.
    "uniform_init": (0.05, 0.005),
    "average_decay": 0.0,
    "eval_every": 12_500,
    "checkpoint_every": 2_500,
}

# The paper refers to its code, github.com/goodfeli/adversarial, for the hyperparameters.
_YAML, _CODE = "mnist.yaml of the authors' code", "the authors' code, `Generator.get_noise`"
PAPER_SOURCES = {
    "batch_size": _YAML,
    "latent_dim": f"{_YAML}, `nvis`",
    "uniform_noise": f"{_YAML} and {_CODE}",
    "generator_hidden": _YAML,
    "discriminator_hidden": _YAML,
    "maxout_pieces": _YAML,
    "input_dropout": f"{_YAML}, as an inclusion probability of 0.8",
    "hidden_dropout": f"{_YAML}, as an inclusion probability of 0.5",
    "gradient_penalty": "Algorithm 1: none",
    "saturating": "section 3: log D(G(z)) is maximized",
    "learning_rate": _YAML,
    "discriminator_rate_ratio": "the authors' code, `AdversaryCost2`: half of D's loss",
    "momentum_sgd": f"{_YAML}, with its schedules",
    "uniform_init": f"{_YAML}, `irange`",
    "average_decay": "Algorithm 1: none",
    "num_samples": "section 5: the samples of the Parzen window; the authors' parzen_ll.py",
}
PAPER_DEPARTURES = (
    ("stopped by hand", "250,000 steps, 500 epochs"),
    ("pixels in [0, 1], sigmoid output", "[-1, 1], tanh; a dropped input is mid-gray, not black"),
    (
        "one batch of noise for the updates of both players",
        "fresh noise for the generator's update",
    ),
    ("the output bias starts at the log odds of the mean image", "it starts at 0"),
)

SMOKE = {
    "dataset": "digits",
    "batch_size": 16,
    "num_steps": 12,
    "generator_hidden": (32,),
    "discriminator_hidden": (32,),
    "num_samples": 50,
    "extractor_steps": 5,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


class State(NamedTuple):
    """Holds a GAN's state with all fields flat, as the checkpoints of earlier runs do."""

    generator: Params
    discriminator: Params
    generator_optimizer: optax.OptState
    discriminator_optimizer: optax.OptState
    average: optax.EmaState

    @classmethod
    def flat(cls, state: GANState) -> "State":
        """Returns the fields of both players side by side."""
        generator, _, generator_optimizer = state.generator
        discriminator, _, discriminator_optimizer = state.discriminator
        return cls(
            generator, discriminator, generator_optimizer, discriminator_optimizer, state.average
        )

    @property
    def nested(self) -> GANState:
        """Returns the same state by player; these networks have no mutable variables."""
        return GANState(
            Player(self.generator, {}, self.generator_optimizer),
            Player(self.discriminator, {}, self.discriminator_optimizer),
            self.average,
        )


def make_optimizer(config: Config, rate_ratio: float) -> optax.GradientTransformation:
    """Returns Adam with a cosine, or the optimizer of the paper's code.

    The latter is gradient descent whose learning rate decays by a factor of 1.000004 a step, down
    to 1e-6, and whose momentum rises from 0.5 to 0.7.
    """
    rate = rate_ratio * config.learning_rate
    if not config.momentum_sgd:
        decaying = optax.cosine_decay_schedule(rate, config.num_steps)
        return optax.adam(decaying if config.cosine else rate, b1=config.adam_b1)
    epoch = 50_000 // config.batch_size
    return optax.inject_hyperparams(optax.sgd)(
        learning_rate=optax.exponential_decay(rate, 1, 1.0 / 1.000004, end_value=1e-6),
        momentum=optax.linear_schedule(0.5, 0.7, 249 * epoch, transition_begin=epoch),
    )


def kernel_inits(config: Config) -> list[nn.initializers.Initializer]:
    """Returns the initializers of the generator's and the discriminator's weights."""
    if not config.uniform_init:
        return [nn.initializers.he_normal(), nn.initializers.he_normal()]
    return [symmetric_uniform(half_width) for half_width in config.uniform_init]


def symmetric_uniform(half_width: float) -> nn.initializers.Initializer:
    """Returns an initializer that draws uniformly from [-half_width, half_width]."""
    return lambda key, shape, dtype=jnp.float32: jax.random.uniform(
        key, shape, dtype, -half_width, half_width
    )


def draw_latents(
    config: Config, key: Key[Array, ""], count: int
) -> Float[Array, "latent_count latent"]:
    """Draws latents of mean 0 and variance 1, normal or uniform."""
    shape = (count, config.latent_dim)
    if config.uniform_noise:
        return jax.random.uniform(key, shape, minval=-math.sqrt(3.0), maxval=math.sqrt(3.0))
    return jax.random.normal(key, shape)


def make_gan(
    config: Config, generator: models.Generator, discriminator: models.Discriminator
) -> GAN:
    """Returns the game of two modules, with their losses and optimizers."""
    discriminate = training_apply(discriminator)
    return GAN(
        generate=training_apply(generator),
        discriminate=lambda params, variables, images, key: discriminate(
            params, variables, images, training=True, rngs={"dropout": key}
        ),
        sample_latents=lambda key, count: draw_latents(config, key, count),
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
    gan = make_gan(config, generator, discriminator)

    def init(key):
        generator_key, discriminator_key = jax.random.split(key)
        latents, images = jnp.zeros((1, config.latent_dim)), jnp.zeros((1, *image_shape))
        state = init_gan(
            gan,
            generator.init(generator_key, latents),
            discriminator.init(discriminator_key, images),
        )
        return State.flat(state)

    def step(state, batch, key):
        after, metrics = gan_step(gan, state.nested, batch["images"], key)
        return State.flat(after), metrics

    sample = jax.jit(lambda params, latents: generator.apply({"params": params}, latents))
    evaluate = make_evaluate(
        lambda state, latents: sample(averaged_generator(gan, state.nested), latents),
        lambda state, images: discriminator.apply({"params": state.discriminator}, images),
        gan.sample_latents,
        dataset,
        config.num_samples,
        config.extractor_steps,
    )
    batches = ArrayBatches({"images": dataset.train.images}, config.batch_size, config.seed)
    return Experiment(
        init,
        step,
        evaluate,
        batches,
        Best("parzen_validation"),
        sample=lambda state, key, count: sample(
            averaged_generator(gan, state.nested), gan.sample_latents(key, count)
        ),
        cadence_decides=(
            {"num_steps": "the schedule of learning_rate"}
            if config.cosine and not config.momentum_sgd
            else {}
        ),
    )
