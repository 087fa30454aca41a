"""Takes one step of the two-player game of a generative adversarial network."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

from lecture_models.steps.descent import Metrics, Params
from lecture_models.steps.players import Player, Players, Turn, Variables, init_player, play

Images = Float[Array, "batch height width channel"]
Latents = Float[Array, "batch latent"]
Logits = Float[Array, " batch"]

GENERATOR, DISCRIMINATOR = "generator", "discriminator"


class GANState(NamedTuple):
    """Holds both players, and the running average of the generator: arrays only.

    Attributes:
        generator: the generator's state.
        discriminator: the discriminator's state.
        average: the exponential moving average of the generator's parameters.
    """

    generator: Player
    discriminator: Player
    average: optax.EmaState


class GAN(NamedTuple):
    """Describes the game: both players as pure functions, their optimizers and their losses.

    Attributes:
        generate: maps (params, variables, latents) to images and the generator's new variables.
        discriminate: maps (params, variables, images, key) to logits and the discriminator's new
            variables; the key drives dropout. Real and fake images come in batches of their own,
            so that each is normalized by its own statistics.
        sample_latents: maps (key, count) to draws from the prior.
        generator_optimizer: the optimizer of the generator.
        discriminator_optimizer: the optimizer of the discriminator.
        generator_loss: maps the logits of fake images to one loss per image.
        discriminator_loss: maps the logits of real and of fake images to one loss per pair.
        gradient_penalty: the weight gamma of the R1 penalty; 0 is none. Mescheder et al., 2018,
            Eq. 9.
        average_decay: the decay of the generator's moving average, from 0 (the last one) to < 1.
    """

    generate: Callable[[Params, Variables, Latents], tuple[Images, Variables]]
    discriminate: Callable[[Params, Variables, Images, Key[Array, ""]], tuple[Logits, Variables]]
    sample_latents: Callable[[Key[Array, ""], int], Latents]
    generator_optimizer: optax.GradientTransformation
    discriminator_optimizer: optax.GradientTransformation
    generator_loss: Callable[[Logits], Float[Array, " batch"]]
    discriminator_loss: Callable[[Logits, Logits], Float[Array, " batch"]]
    gradient_penalty: float
    average_decay: float


def init_gan(gan: GAN, generator: Mapping[str, Any], discriminator: Mapping[str, Any]) -> GANState:
    """Returns the state before the first step.

    Args:
        gan: the game.
        generator: the generator's initial variables, as a linen module's `init` returns them.
        discriminator: the discriminator's initial variables, likewise.

    Returns:
        The initial state; its average is empty until the first step.
    """
    return GANState(
        init_player(gan.generator_optimizer, generator),
        init_player(gan.discriminator_optimizer, discriminator),
        optax.ema(gan.average_decay).init(generator["params"]),
    )


def averaged_generator(gan: GAN, state: GANState) -> Params:
    """Returns the generator to draw samples with: an exponential average over the steps so far.

    The weights of the average add up to one from the first step on, so that the zeros it starts
    from do not enter it.

    Args:
        gan: the game.
        state: the state after at least one step.

    Returns:
        The averaged parameters. Mutable collections are not averaged: use the state's own.
    """
    return optax.tree.bias_correction(state.average.ema, gan.average_decay, state.average.count)


def gan_step(
    gan: GAN, state: GANState, images: Images, key: Key[Array, ""]
) -> tuple[GANState, Metrics]:
    """Updates the discriminator, then the generator against it, each on fresh noise.

    Mutable collections change only for the player that moves. Goodfellow et al., 2014,
    Algorithm 1 with k = 1.

    Args:
        gan: the game.
        state: the state before the step.
        images: real images in [-1, 1].
        key: the key of the step's noise and dropout.

    Returns:
        The state after the step, and metrics from before each update: `discriminator_loss`
        (without the penalty) and `generator_loss` in nats, and `real_probability` and
        `fake_probability`, the means of D(x) and D(G(z)) in the discriminator's turn.
    """
    noise_key, fresh_noise_key, real_key, fake_key, judge_key = jax.random.split(key, 5)
    latents = gan.sample_latents(noise_key, len(images))
    fakes, _ = gan.generate(state.generator.params, state.generator.variables, latents)
    fresh_latents = gan.sample_latents(fresh_noise_key, len(images))

    def tell_apart(players: Players):
        params, variables, _ = players[DISCRIMINATOR]
        real_logits, variables, penalty = _real_logits(gan, params, variables, images, real_key)
        fake_logits, variables = gan.discriminate(params, variables, fakes, fake_key)
        loss = gan.discriminator_loss(real_logits, fake_logits).mean()
        metrics = {
            "discriminator_loss": loss,
            "real_probability": jax.nn.sigmoid(real_logits).mean(),
            "fake_probability": jax.nn.sigmoid(fake_logits).mean(),
        }
        return loss + penalty, ({DISCRIMINATOR: variables}, metrics)

    def deceive(players: Players):
        generator, discriminator = players[GENERATOR], players[DISCRIMINATOR]
        fresh_fakes, variables = gan.generate(generator.params, generator.variables, fresh_latents)
        logits, _ = gan.discriminate(
            discriminator.params, discriminator.variables, fresh_fakes, judge_key
        )
        loss = gan.generator_loss(logits).mean()
        return loss, ({GENERATOR: variables}, {"generator_loss": loss})

    optimizers = {
        GENERATOR: gan.generator_optimizer,
        DISCRIMINATOR: gan.discriminator_optimizer,
    }
    turns = (Turn((DISCRIMINATOR,), tell_apart), Turn((GENERATOR,), deceive))
    players = {GENERATOR: state.generator, DISCRIMINATOR: state.discriminator}
    players, metrics = play(optimizers, players, turns)
    generator, discriminator = players[GENERATOR], players[DISCRIMINATOR]
    average = optax.ema(gan.average_decay).update(generator.params, state.average)[1]
    return GANState(generator, discriminator, average), metrics


def _real_logits(
    gan: GAN, params: Params, variables: Variables, images: Images, key: Key[Array, ""]
) -> tuple[Logits, Variables, Float[Array, ""] | float]:
    """Returns logits, new variables, and the R1 penalty.

    The penalty is gamma/2 times the batch's mean of the squared norm of the logit's gradient by
    the image.
    """
    if gan.gradient_penalty == 0.0:
        return *gan.discriminate(params, variables, images, key), 0.0
    logits, pull_back, new_variables = jax.vjp(
        lambda pixels: gan.discriminate(params, variables, pixels, key), images, has_aux=True
    )
    # Each logit depends on its own image alone, but for batch norm, so one pull-back gives every
    # gradient.
    (gradients,) = pull_back(jnp.ones_like(logits))
    penalty = jnp.sum(gradients**2, axis=(1, 2, 3)).mean()
    return logits, new_variables, 0.5 * gan.gradient_penalty * penalty
