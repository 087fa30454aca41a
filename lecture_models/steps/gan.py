"""One step of adversarial training."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

Params = Any
Images = Float[Array, "batch height width channel"]
Logits = Float[Array, " batch"]


class GANState(NamedTuple):
    """Both players, their optimizers, and the running average of the generator."""

    generator: Params
    discriminator: Params
    generator_optimizer: optax.OptState
    discriminator_optimizer: optax.OptState
    average: optax.EmaState


class GAN(NamedTuple):
    """The two players as pure functions, their optimizers and the generator's loss.

    `generate(params, latents)` gives images, `discriminate(params, images, key)` logits; the key
    drives dropout. `sample_latents(key, count)` draws from the prior.
    """

    generate: Callable[[Params, Float[Array, "batch latent"]], Images]
    discriminate: Callable[[Params, Images, Key[Array, ""]], Logits]
    sample_latents: Callable[[Key[Array, ""], int], Float[Array, "batch latent"]]
    generator_optimizer: optax.GradientTransformation
    discriminator_optimizer: optax.GradientTransformation
    generator_loss: Callable[[Logits], Float[Array, " batch"]]
    discriminator_loss: Callable[[Logits, Logits], Float[Array, " batch"]]
    gradient_penalty: float  # gamma of R1, Mescheder et al., 2018, Eq. 9; 0 is none.
    average_decay: float


def init_state(gan: GAN, generator: Params, discriminator: Params) -> GANState:
    """The state before the first step, from both players' first parameters."""
    return GANState(
        generator=generator,
        discriminator=discriminator,
        generator_optimizer=gan.generator_optimizer.init(generator),
        discriminator_optimizer=gan.discriminator_optimizer.init(discriminator),
        average=optax.ema(gan.average_decay).init(generator),
    )


def averaged_generator(gan: GAN, state: GANState) -> Params:
    """The generator to draw samples with: an exponential average over the steps so far.

    Its weights add to one from the first step on, so that early samples are not those of zeros.
    """
    return optax.tree.bias_correction(state.average.ema, gan.average_decay, state.average.count)


def gan_step(
    gan: GAN, state: GANState, images: Images, key: Key[Array, ""]
) -> tuple[GANState, dict[str, Float[Array, ""]]]:
    """One discriminator update, then one generator update, each on noise of its own.

    Goodfellow et al., 2014, Algorithm 1 with k = 1. The metrics are both losses in nats (the
    discriminator's without its penalty) and the mean probabilities D(x) and D(G(z)) before the
    update.
    """
    noise_key, fresh_noise_key, real_key, fake_key, judge_key = jax.random.split(key, 5)
    fakes = gan.generate(state.generator, gan.sample_latents(noise_key, len(images)))

    def judge_both(params):
        real_logits, penalty = _judge_real(gan, params, images, real_key)
        fake_logits = gan.discriminate(params, fakes, fake_key)
        loss = gan.discriminator_loss(real_logits, fake_logits).mean()
        return loss + penalty, (loss, real_logits, fake_logits)

    (_, (discriminator_loss, real_logits, fake_logits)), gradient = jax.value_and_grad(
        judge_both, has_aux=True
    )(state.discriminator)
    discriminator, discriminator_optimizer = _update(
        gan.discriminator_optimizer, gradient, state.discriminator_optimizer, state.discriminator
    )

    latents = gan.sample_latents(fresh_noise_key, len(images))

    def fool(params):
        logits = gan.discriminate(discriminator, gan.generate(params, latents), judge_key)
        return gan.generator_loss(logits).mean()

    generator_loss, gradient = jax.value_and_grad(fool)(state.generator)
    generator, generator_optimizer = _update(
        gan.generator_optimizer, gradient, state.generator_optimizer, state.generator
    )
    average = optax.ema(gan.average_decay).update(generator, state.average)[1]
    metrics = {
        "discriminator_loss": discriminator_loss,
        "generator_loss": generator_loss,
        "real_probability": jax.nn.sigmoid(real_logits).mean(),
        "fake_probability": jax.nn.sigmoid(fake_logits).mean(),
    }
    return GANState(
        generator, discriminator, generator_optimizer, discriminator_optimizer, average
    ), metrics


def _judge_real(gan: GAN, params: Params, images: Images, key: Key[Array, ""]):
    """Logits, and gamma/2 times the mean squared norm of their gradients by the image (R1)."""
    if gan.gradient_penalty == 0.0:
        return gan.discriminate(params, images, key), 0.0
    logits, pull_back = jax.vjp(lambda x: gan.discriminate(params, x, key), images)
    # Each logit depends on its own image alone, so one pull-back gives every gradient.
    (gradients,) = pull_back(jnp.ones_like(logits))
    penalty = jnp.sum(gradients**2, axis=(1, 2, 3)).mean()
    return logits, 0.5 * gan.gradient_penalty * penalty


def _update(optimizer, gradient, optimizer_state, params):
    updates, optimizer_state = optimizer.update(gradient, optimizer_state, params)
    return optax.apply_updates(params, updates), optimizer_state
