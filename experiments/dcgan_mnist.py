"""Deep convolutional GAN (DCGAN) on MNIST, and other losses and penalties in its place.

    python launch.py --experiment=dcgan_mnist
    python launch.py --experiment=dcgan_mnist --conditional
    python launch.py --experiment=dcgan_mnist --loss=hinge --spectral_norm --gradient_penalty=0

Paper: Radford et al., 2016, Unsupervised representation learning with deep convolutional generative
  adversarial networks
Data: MNIST, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 10 minutes on two cores beside other work
Expected: Frechet distance 22.1, one seed, far from that of gan_mnist (2.79); see
  results/dcgan_mnist.md
"""

import dataclasses
import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jaxtyping import Array, Float, Int, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.lookup import Library
from lecture_models.evaluators.gan import make_evaluate
from lecture_models.evaluators.gan_classes import class_evaluation
from lecture_models.evaluators.gan_features import feature_evaluation
from lecture_models.evaluators.latent_arithmetic import arithmetic_evaluation
from lecture_models.evaluators.samples import feature_extractor, has_extractor
from lecture_models.experiment import Cadence, Experiment
from lecture_models.losses.gan import GAMES
from lecture_models.models.dcgan import WEIGHTS, Discriminator, Generator
from lecture_models.nn.batch_norm import standing_statistics
from lecture_models.steps.gan import (
    GAN,
    GANState,
    averaged_generator,
    clip_weights,
    gan_step,
    init_gan,
)
from lecture_models.steps.players import training_apply

STANDING = 1_024  # Images over which the generator's batch moments are taken for its samples.
FEWEST_IMAGES = 1_000  # With fewer, a discriminator learns them by heart.


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # Comma-separated names; the first available one is used.
    seed: int = 0
    batch_size: int = 64
    num_steps: int = 6_000
    latent_dim: int = 100
    uniform_noise: bool = False  # Latents from U(-sqrt 3, sqrt 3), not N(0, 1), as in the paper.
    widths: tuple[int, ...] = (64, 32)  # Channels of G from 7x7 maps on; D has them in reverse.
    hidden: tuple[int, ...] = ()  # Dense layers of both; the paper has none.
    conditional: bool = False  # Tells both networks the class: Mirza and Osindero, 2014.
    loss: str = "non_saturating"  # Or saturating, wasserstein, hinge, least_squares.
    batch_norm: bool = False  # In D, as in the paper; here R1 in its place learned faster.
    he_init: bool = False  # Draws D's filters by He's rule, not from N(0, 0.02) as in the paper.
    spectral_norm: bool = False  # Of D's filters: Miyato et al., 2018.
    gradient_penalty: float = 0.5  # R1's gamma: Mescheder et al., 2018.
    penalized_images: int = 16  # Of a batch, for R1; 0 for all. A part has the same mean for less.
    slope_penalty: float = 0.0  # Of WGAN-GP, which has 10: Gulrajani et al., 2017.
    weight_clip: float = 0.0  # Bound of D's weights; WGAN has 0.01: Arjovsky et al., 2017.
    critic_steps: int = 1  # Updates of D before each one of G, on batches of their own.
    learning_rate: float = 1e-3  # 2e-4 in the paper, whose training is many times longer.
    discriminator_rate_ratio: float = 1.0  # D's learning rate over G's: Heusel et al., 2017.
    cosine: bool = True  # Decays the learning rate to 0.
    adam_b1: float = 0.0  # As in Mescheder et al., 2018; 0.5 in the paper, not Adam's 0.9.
    average_decay: float = 0.999  # Samples come from the moving average of the generators.
    num_samples: int = 10_000  # Samples for every metric.
    probe_images: int = 1_000  # Labeled images from which an SVM learns D's features; 0 for none.
    extractor_steps: int = 1_200  # Of the judging classifier, where none ships.
    log_every: int = 100
    eval_every: int = 3_000
    checkpoint_every: int = 1_000

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "latent_dim", "widths", "critic_steps", "hidden")
        require_at_least(self, 1, "extractor_steps", *Cadence._fields)
        require_at_least(self, 2, "num_samples")
        require_at_least(self, 0, "seed", "gradient_penalty", "slope_penalty", "weight_clip")
        require_at_least(self, 0, "learning_rate", "discriminator_rate_ratio", "probe_images")
        require_at_least(self, 0, "penalized_images")
        require_between(self, 0.0, 0.999999, "average_decay", "adam_b1")
        if not self.widths:
            raise ValueError("--widths is empty; it must have one number or more")
        if self.loss not in GAMES:
            raise ValueError(f"--loss is {self.loss!r}; allowed: {', '.join(GAMES)}")
        if self.slope_penalty and self.batch_norm:
            raise ValueError(
                "--slope_penalty is a property of single images, which batch normalization mixes; "
                "give --nobatch_norm too"
            )


PAPER = {
    "batch_size": 128,
    "num_steps": 9_800,  # 25 epochs, as PyTorch's example has.
    "latent_dim": 100,
    "uniform_noise": True,
    "widths": (512, 256),
    "hidden": (),
    "batch_norm": True,
    "learning_rate": 2e-4,
    "cosine": False,
    "adam_b1": 0.5,
    "gradient_penalty": 0.0,
    "average_decay": 0.0,
    "eval_every": 2_450,
    "checkpoint_every": 490,
}

_TRAINING = "section 4, details of adversarial training"
PAPER_SOURCES = {
    "batch_size": _TRAINING,
    "latent_dim": "figure 1: 100 dimensions",
    "uniform_noise": "figure 1",
    "loss": "the game of Goodfellow et al., 2014, as in PyTorch's example",
    "hidden": "section 3: no dense layers",
    "batch_norm": "section 3: all layers but G's output and D's input",
    "he_init": "section 4: N(0, 0.02)",
    "spectral_norm": "later than the paper: none",
    "gradient_penalty": "later than the paper: none",
    "slope_penalty": "later than the paper: none",
    "weight_clip": "later than the paper: none",
    "critic_steps": "PyTorch's example: one update each",
    "learning_rate": _TRAINING,
    "discriminator_rate_ratio": f"{_TRAINING}: one rate",
    "cosine": f"{_TRAINING}: a constant rate",
    "adam_b1": _TRAINING,
    "average_decay": "later than the paper: none",
    "conditional": "section 3: none",
}
PAPER_DEPARTURES = (
    ("color pictures of 64x64 and four doublings", "28x28 gray and two doublings from 7x7"),
    ("filters of 5x5 in figure 1", "4x4, as in PyTorch's example: 4 taps for every pixel"),
    (
        "latents from U(-1, 1)",
        "U(-sqrt 3, sqrt 3), whose scale the first batch normalization takes out",
    ),
    ("epochs are not stated", "25 epochs, as in PyTorch's example"),
    (
        "samples normalized by their own batch or running statistics",
        "by the moments of 1,024 other samples, so that a sample does not depend on its batch",
    ),
)

SMOKE = {
    "dataset": "digits",
    "batch_size": 8,
    "num_steps": 6,
    "latent_dim": 4,
    "widths": (4, 4),
    "hidden": (4,),
    "num_samples": 50,
    "probe_images": 50,
    "extractor_steps": 5,
    "log_every": 2,
    "eval_every": 3,
    "checkpoint_every": 2,
}


def make_optimizer(config: Config, of_discriminator: bool) -> optax.GradientTransformation:
    """Returns Adam, with D's own learning rate and the bound of its weights."""
    rate = config.learning_rate * (config.discriminator_rate_ratio if of_discriminator else 1.0)
    schedule = optax.cosine_decay_schedule(rate, config.num_steps) if config.cosine else rate
    adam = optax.adam(schedule, b1=config.adam_b1)
    if of_discriminator and config.weight_clip:
        return optax.chain(adam, clip_weights(config.weight_clip))
    return adam


def draw_latents(config: Config, key: Key[Array, ""], count: int) -> Float[Array, "image latent"]:
    """Draws latents of mean 0 and variance 1, normal or uniform."""
    shape = (count, config.latent_dim)
    if config.uniform_noise:
        return jax.random.uniform(key, shape, minval=-math.sqrt(3.0), maxval=math.sqrt(3.0))
    return jax.random.normal(key, shape)


def make_discriminator(config: Config) -> Discriminator:
    return Discriminator(
        config.widths[::-1],
        config.batch_norm,
        config.spectral_norm,
        config.hidden[::-1],
        nn.initializers.he_normal() if config.he_init else WEIGHTS,
    )


def make_gan(config: Config, generator: Generator, discriminator: Discriminator) -> GAN:
    """Returns the game of two modules, with their losses and optimizers."""
    generate, discriminate = training_apply(generator), training_apply(discriminator)

    def judge(params, variables, images, key, *conditions):
        (logits, _), updated = discriminate(params, variables, images, *conditions, training=True)
        return logits, updated

    return GAN(
        generate=functools.partial(generate, training=True),
        discriminate=judge,
        sample_latents=functools.partial(draw_latents, config),
        generator_optimizer=make_optimizer(config, of_discriminator=False),
        discriminator_optimizer=make_optimizer(config, of_discriminator=True),
        generator_loss=GAMES[config.loss].generator,
        discriminator_loss=GAMES[config.loss].critic,
        gradient_penalty=config.gradient_penalty,
        average_decay=config.average_decay,
        slope_penalty=config.slope_penalty,
        critic_steps=config.critic_steps,
        penalized_images=config.penalized_images,
    )


def require_images(config: Config, dataset: Dataset) -> None:
    """Raises DataError where the networks cannot take the images, or are not told enough."""
    height, width, _ = dataset.train.images.shape[1:]
    factor = 2 ** len(config.widths)
    if height % factor or width % factor:
        raise DataError(
            f"images are {height}x{width}; with --widths of {len(config.widths)} numbers both "
            f"sides must be multiples of {factor}"
        )
    if config.conditional and len(dataset.classes) < 2:
        raise DataError("--conditional needs two classes or more; the data have one")


class Sampler(NamedTuple):
    """Draws images from the averaged generator of a state.

    Attributes:
        config: says what latents are.
        gan: the game.
        generator: the module.
        labels: training labels, from which the classes of samples are drawn.
        num_classes: the number of classes; 0 if the networks are not told them.
    """

    config: Config
    gan: GAN
    generator: Generator
    labels: Int[np.ndarray, " example"]
    num_classes: int

    def draw(self, key: Key[Array, ""], count: int) -> Float[Array, "image code"]:
        """Draws codes: latents, followed by one-hot classes if there are any."""
        latent_key, class_key = jax.random.split(key)
        latents = draw_latents(self.config, latent_key, count)
        if not self.num_classes:
            return latents
        classes = jax.random.choice(class_key, jnp.asarray(self.labels), (count,))
        return jnp.concatenate([latents, jax.nn.one_hot(classes, self.num_classes)], 1)

    def generate(
        self, state: GANState, codes: Float[Array, "image code"]
    ) -> Float[Array, "image height width channel"]:
        """Returns the images of codes, normalized by the moments of one large batch."""
        params = averaged_generator(self.gan, state)
        statistics = standing_statistics(
            self.generator,
            params,
            state.generator.variables["batch_stats"],
            *self._split(self.draw(jax.random.key(0), STANDING)),
        )
        variables = {"params": params, "batch_stats": statistics}
        return self.generator.apply(variables, *self._split(codes))

    def _split(self, codes: Float[Array, "image code"]) -> list[Array]:
        parts = jnp.split(codes, [self.config.latent_dim], axis=1)
        return parts if self.num_classes else parts[:1]


def make_extras(config: Config, dataset: Dataset, sampler: Sampler, generate, activations):
    """Returns what is evaluated beside the samples: classes or latents, and features."""
    extractor = (
        feature_extractor(dataset, config.extractor_steps) if has_extractor(dataset) else None
    )
    parts = []
    if config.conditional:
        parts.append(
            class_evaluation(
                lambda state, *codes: generate(state, jnp.concatenate(codes, 1)),
                sampler.gan.sample_latents,
                sampler.num_classes,
                extractor,
            )
        )
    elif extractor is not None:
        parts.append(arithmetic_evaluation(generate, sampler.draw, extractor))
    if config.probe_images and len(dataset.classes) > 1:
        of_features = feature_evaluation(activations, dataset, config.probe_images)
        parts.append(lambda state, key: of_features(state))

    def evaluate(state, key):
        results = {"alarm_few_images": few_images_alarm(len(dataset.train))}
        for part, part_key in zip(parts, jax.random.split(key, len(parts)), strict=True):
            results |= part(state, part_key)
        return results

    return evaluate


def few_images_alarm(count: int) -> str:
    """Returns a warning where there are too few training images, else an empty text."""
    if count >= FEWEST_IMAGES:
        return ""
    return (
        f"{count} training images; with fewer than {FEWEST_IMAGES:,} the samples tend to be copies"
    )


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    require_images(config, dataset)
    image_shape = dataset.train.images.shape[1:]
    num_classes = len(dataset.classes) if config.conditional else 0
    generator = Generator(config.widths, image_shape, config.hidden)
    discriminator = make_discriminator(config)
    gan = make_gan(config, generator, discriminator)
    labels = dataset.train.labels if num_classes else np.zeros(1, np.int32)
    sampler = Sampler(config, gan, generator, labels, num_classes)

    def told(count: int) -> list[Array]:
        return [jnp.zeros((count, num_classes))] if num_classes else []

    def init(key):
        generator_key, discriminator_key = jax.random.split(key)
        latents, images = jnp.zeros((1, config.latent_dim)), jnp.zeros((1, *image_shape))
        return init_gan(
            gan,
            generator.init(generator_key, latents, *told(1)),
            discriminator.init(discriminator_key, images, *told(1)),
        )

    def step(state, batch, key):
        conditions = [jax.nn.one_hot(batch["labels"], num_classes)] if num_classes else []
        return gan_step(gan, state, batch["images"], key, *conditions)

    def discriminate(state, images):
        variables = {"params": state.discriminator.params, **state.discriminator.variables}
        return discriminator.apply(variables, images, *told(len(images)))

    generate = jax.jit(sampler.generate)
    judge_samples = make_evaluate(
        generate,
        lambda state, images: discriminate(state, images)[0],
        sampler.draw,
        dataset,
        config.num_samples,
        config.extractor_steps,
        batch_size=min(1_000, config.num_samples),
    )
    more = make_extras(
        config, dataset, sampler, generate, lambda state, images: discriminate(state, images)[1]
    )

    def evaluate(state, key):
        samples_key, more_key = jax.random.split(key)
        return judge_samples(state, samples_key) | more(state, more_key)

    arrays = {"images": dataset.train.images} | ({"labels": labels} if num_classes else {})
    return Experiment(
        init,
        step,
        evaluate,
        ArrayBatches(arrays, config.critic_steps * config.batch_size, config.seed),
        sample=lambda state, key, count: generate(state, sampler.draw(key, count)),
        cadence_decides={"num_steps": "the schedule of learning_rate"} if config.cosine else {},
    )
