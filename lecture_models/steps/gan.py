"""Takes one step of the two-player game of a generative adversarial network."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

from lecture_models.losses.gan import points_between, slope_penalty, squared_slopes
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
        generate: maps (params, variables, latents, *conditions) to images and the generator's new
            variables. The conditions are those of `gan_step`; most games have none.
        discriminate: maps (params, variables, images, key, *conditions) to logits and the
            discriminator's new variables; the key drives dropout. Real and fake images come in
            batches of their own, so that each is normalized by its own statistics.
        sample_latents: maps (key, count) to draws from the prior.
        generator_optimizer: the optimizer of the generator.
        discriminator_optimizer: the optimizer of the discriminator.
        generator_loss: maps the logits of fake images to one loss per image.
        discriminator_loss: maps the logits of real and of fake images to one loss per pair.
        gradient_penalty: the weight gamma of the R1 penalty; 0 is none. Mescheder et al., 2018,
            Eq. 9.
        average_decay: the decay of the generator's moving average, from 0 (the last one) to < 1.
        slope_penalty: the weight of (slope - 1)^2 at points between real and fake images; 0 is
            none. Gulrajani et al., 2017, Eq. 3.
        critic_steps: the updates of the discriminator before each one of the generator.
        penalized_images: how many images of each batch the R1 penalty is computed on; 0 for all. A
            part of them gives the same mean at less cost.
    """

    generate: Callable[..., tuple[Images, Variables]]
    discriminate: Callable[..., tuple[Logits, Variables]]
    sample_latents: Callable[[Key[Array, ""], int], Latents]
    generator_optimizer: optax.GradientTransformation
    discriminator_optimizer: optax.GradientTransformation
    generator_loss: Callable[[Logits], Float[Array, " batch"]]
    discriminator_loss: Callable[[Logits, Logits], Float[Array, " batch"]]
    gradient_penalty: float
    average_decay: float
    slope_penalty: float = 0.0
    critic_steps: int = 1
    penalized_images: int = 0


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
    gan: GAN, state: GANState, images: Images, key: Key[Array, ""], *conditions: Array
) -> tuple[GANState, Metrics]:
    """Updates the discriminator, then the generator against it, each on fresh noise.

    Mutable collections change only for the player that moves. Goodfellow et al., 2014,
    Algorithm 1.

    Args:
        gan: the game.
        state: the state before the step.
        images: real images in [-1, 1]; with several updates of the discriminator, an equal part of
            them is for each.
        key: the key of the step's noise and dropout.
        *conditions: arrays with what both players are told of each image, such as its class. Fake
            images have the conditions of real ones.

    Returns:
        The state after the step, and metrics from before each update: `discriminator_loss`
        (without the penalties) and `generator_loss`, and `real_probability` and
        `fake_probability`, the means of D(x) and D(G(z)) in the discriminator's last turn.

    Raises:
        ValueError: the images cannot be divided among the updates of the discriminator.
    """
    noise_key, fresh_noise_key, real_key, fake_key, judge_key = jax.random.split(key, 5)
    parts = _parts((images, *conditions), gan.critic_steps)

    def tell_apart(index: int):
        real, *told = parts[index]
        keys = [_nth(own_key, index) for own_key in (noise_key, real_key, fake_key)]
        latents = gan.sample_latents(keys[0], len(real))
        fakes, _ = gan.generate(state.generator.params, state.generator.variables, latents, *told)
        return lambda players: _discriminator_loss(gan, players, real, fakes, told, keys[1:])

    def deceive(players: Players):
        generator, discriminator = players[GENERATOR], players[DISCRIMINATOR]
        real, *told = parts[0]
        fakes, variables = gan.generate(
            generator.params,
            generator.variables,
            gan.sample_latents(fresh_noise_key, len(real)),
            *told,
        )
        logits, _ = gan.discriminate(
            discriminator.params, discriminator.variables, fakes, judge_key, *told
        )
        loss = gan.generator_loss(logits).mean()
        return loss, ({GENERATOR: variables}, {"generator_loss": loss})

    optimizers = {
        GENERATOR: gan.generator_optimizer,
        DISCRIMINATOR: gan.discriminator_optimizer,
    }
    turns = [Turn((DISCRIMINATOR,), tell_apart(index)) for index in range(gan.critic_steps)]
    players = {GENERATOR: state.generator, DISCRIMINATOR: state.discriminator}
    players, metrics = play(optimizers, players, [*turns, Turn((GENERATOR,), deceive)])
    generator, discriminator = players[GENERATOR], players[DISCRIMINATOR]
    average = optax.ema(gan.average_decay).update(generator.params, state.average)[1]
    return GANState(generator, discriminator, average), metrics


def _parts(arrays: Sequence[Array], count: int) -> list[list[Array]]:
    """Divides all arrays along their first axis into equal parts."""
    size, rest = divmod(len(arrays[0]), count)
    if rest or not size:
        raise ValueError(
            f"{len(arrays[0])} images cannot be divided into {count} equal batches, one for each "
            "update of the discriminator"
        )
    return [[array[i * size : (i + 1) * size] for array in arrays] for i in range(count)]


def _nth(key: Key[Array, ""], index: int) -> Key[Array, ""]:
    """Returns the key of one update of the discriminator; the first one has the step's own."""
    return jax.random.fold_in(key, index) if index else key


def _discriminator_loss(
    gan: GAN,
    players: Players,
    real: Images,
    fakes: Images,
    told: Sequence[Array],
    keys: Sequence[Key[Array, ""]],
):
    """Returns the loss with its penalties, the new variables, and the metrics."""
    params, before, _ = players[DISCRIMINATOR]
    real_key, fake_key = keys

    def judge(variables: Variables, pixels: Images, key: Key[Array, ""]):
        own = [values[: len(pixels)] for values in told]
        return gan.discriminate(params, variables, pixels, key, *own)

    penalty = 0.0
    part = real[: gan.penalized_images] if gan.penalized_images else real
    if gan.gradient_penalty:
        squares, real_logits, variables = squared_slopes(
            lambda pixels: judge(before, pixels, real_key), part
        )
        penalty += 0.5 * gan.gradient_penalty * squares.mean()
    if not gan.gradient_penalty or len(part) < len(real):
        real_logits, variables = judge(before, real, real_key)
    fake_logits, variables = judge(variables, fakes, fake_key)
    if gan.slope_penalty:
        between_key, judge_key = jax.random.split(jax.random.fold_in(fake_key, 1))
        squares, _, _ = squared_slopes(
            lambda pixels: judge(before, pixels, judge_key),
            points_between(between_key, real, fakes),
        )
        penalty += gan.slope_penalty * slope_penalty(squares).mean()
    loss = gan.discriminator_loss(real_logits, fake_logits).mean()
    metrics = {
        "discriminator_loss": loss,
        "real_probability": jax.nn.sigmoid(real_logits).mean(),
        "fake_probability": jax.nn.sigmoid(fake_logits).mean(),
    }
    return loss + penalty, ({DISCRIMINATOR: variables}, metrics)


def clip_weights(bound: float) -> optax.GradientTransformation:
    """Returns the last part of an optimizer that keeps all parameters within a bound.

    Args:
        bound: the largest absolute value of a parameter.

    Returns:
        A transformation to be chained behind an optimizer. Arjovsky et al., "Wasserstein GAN",
        2017, Algorithm 1, line 7.
    """

    def update(updates: Params, state: optax.OptState, params: Params):
        clipped = jax.tree.map(
            lambda value, change: jnp.clip(value + change, -bound, bound) - value, params, updates
        )
        return clipped, state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)
