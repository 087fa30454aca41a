"""Defines the losses of generative adversarial networks, and penalties on a critic's gradient.

In the game of Goodfellow et al., 2014, D is the sigmoid of a logit, and losses are in nats. They
are written with softplus, so that a confident discriminator does not overflow. In the other games
the logit is a critic's score without a unit.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

Logits = Float[Array, " batch"]
Losses = Float[Array, " batch"]
Images = Float[Array, "batch height width channel"]


def discriminator_loss(
    real_logits: Float[Array, " batch"], fake_logits: Float[Array, " batch"]
) -> Float[Array, " batch"]:
    """Returns the loss that the discriminator minimizes, the negative of the minimax value.

    -log D(x) - log(1 - D(G(z)))

    Args:
        real_logits: the discriminator's logits of real images.
        fake_logits: its logits of generated images, as many.

    Returns:
        One loss per pair in nats, at least 0; 2 log 2 for logits of 0. Goodfellow et al., 2014,
        Eq. 1.
    """
    return jax.nn.softplus(-real_logits) + jax.nn.softplus(fake_logits)


def minimax_value(
    real_logits: Float[Array, " batch"], fake_logits: Float[Array, " batch"]
) -> Float[Array, " batch"]:
    """Returns the value of the minimax game, which D maximizes and G minimizes.

    log D(x) + log(1 - D(G(z)))

    Args:
        real_logits: the discriminator's logits of real images.
        fake_logits: its logits of generated images, as many.

    Returns:
        One value per pair in nats, at most 0; -log 4 where p_G = p_data and D = 1/2. Goodfellow
        et al., 2014, Eq. 1 and Theorem 1.
    """
    return -discriminator_loss(real_logits, fake_logits)


def saturating_generator_loss(fake_logits: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """Returns the loss that the generator minimizes in the minimax game.

    log(1 - D(G(z)))

    Its gradient by the logit is -D(G(z)), which vanishes where fakes are rejected with confidence.

    Args:
        fake_logits: the discriminator's logits of generated images.

    Returns:
        One loss per image in nats, at most 0; -log 2 for a logit of 0. Goodfellow et al., 2014,
        Eq. 1, second term.
    """
    return -jax.nn.softplus(fake_logits)


def non_saturating_generator_loss(fake_logits: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """Returns the loss that the generator minimizes in practice.

    -log D(G(z))

    It has the fixed point of the minimax game, and a gradient of -1 by the logit where fakes are
    rejected with confidence.

    Args:
        fake_logits: the discriminator's logits of generated images.

    Returns:
        One loss per image in nats, at least 0; log 2 for a logit of 0. Goodfellow et al., 2014,
        section 3, last paragraph.
    """
    return jax.nn.softplus(-fake_logits)


def wasserstein_critic_loss(real_logits: Logits, fake_logits: Logits) -> Losses:
    """Returns the loss that the critic of a Wasserstein GAN minimizes.

    f(G(z)) - f(x)

    Over critics whose slope is at most 1, the negative of its least mean is the Wasserstein
    distance of the two distributions.

    Args:
        real_logits: the critic's scores of real images.
        fake_logits: its scores of generated images, as many.

    Returns:
        One loss per pair; -1 for scores of 1 and 0. Arjovsky et al., 2017, Eq. 3.
    """
    return fake_logits - real_logits


def wasserstein_generator_loss(fake_logits: Logits) -> Losses:
    """Returns the loss that the generator of a Wasserstein GAN minimizes.

    -f(G(z))

    Args:
        fake_logits: the critic's scores of generated images.

    Returns:
        One loss per image; -1 for a score of 1. Arjovsky et al., 2017, Algorithm 1. The generator
        of the hinge game has the same loss: Miyato et al., 2018, Eq. 17.
    """
    return -fake_logits


def hinge_critic_loss(real_logits: Logits, fake_logits: Logits) -> Losses:
    """Returns the loss that the critic minimizes in the hinge game.

    max(0, 1 - f(x)) + max(0, 1 + f(G(z)))

    Args:
        real_logits: the critic's scores of real images.
        fake_logits: its scores of generated images, as many.

    Returns:
        One loss per pair, at least 0; 2 for scores of 0. Miyato et al., 2018, Eq. 16.
    """
    return jax.nn.relu(1.0 - real_logits) + jax.nn.relu(1.0 + fake_logits)


def least_squares_critic_loss(real_logits: Logits, fake_logits: Logits) -> Losses:
    """Returns the loss that the critic minimizes in the game of least squares.

    ((f(x) - 1)^2 + f(G(z))^2) / 2

    Args:
        real_logits: the critic's scores of real images.
        fake_logits: its scores of generated images, as many.

    Returns:
        One loss per pair, at least 0; 1/2 for scores of 0, 1/4 for scores of 1/2. Mao et al., 2017,
        Eq. 9.
    """
    return 0.5 * (jnp.square(real_logits - 1.0) + jnp.square(fake_logits))


def least_squares_generator_loss(fake_logits: Logits) -> Losses:
    """Returns the loss that the generator minimizes in the game of least squares.

    (f(G(z)) - 1)^2 / 2

    Args:
        fake_logits: the critic's scores of generated images.

    Returns:
        One loss per image, at least 0; 1/2 for a score of 0. Mao et al., 2017, Eq. 9.
    """
    return 0.5 * jnp.square(fake_logits - 1.0)


class Game(NamedTuple):
    """Holds the losses of both players.

    Attributes:
        critic: maps the logits of real and of fake images to one loss per pair.
        generator: maps the logits of fake images to one loss per image.
    """

    critic: Callable[[Logits, Logits], Losses]
    generator: Callable[[Logits], Losses]


GAMES = {
    "non_saturating": Game(discriminator_loss, non_saturating_generator_loss),
    "saturating": Game(discriminator_loss, saturating_generator_loss),
    "wasserstein": Game(wasserstein_critic_loss, wasserstein_generator_loss),
    "hinge": Game(hinge_critic_loss, wasserstein_generator_loss),
    "least_squares": Game(least_squares_critic_loss, least_squares_generator_loss),
}


def squared_slopes(
    critic: Callable[[Images], tuple[Logits, Any]], images: Images
) -> tuple[Losses, Logits, Any]:
    """Returns the squared norm of the gradient of each image's logit by the image.

    Half of its mean over real images is the penalty R1 of Mescheder et al., 2018, Eq. 9.

    Args:
        critic: maps images to logits and to anything else. Each logit should depend on its own
            image alone; with batch normalization the others change it as well, and the gradient is
            that of the sum of all logits.
        images: the images.

    Returns:
        One value per image, at least 0; and the critic's results.
    """
    logits, pull_back, rest = jax.vjp(critic, images, has_aux=True)
    (gradients,) = pull_back(jnp.ones_like(logits))
    return jnp.sum(gradients**2, axis=(1, 2, 3)), logits, rest


def slope_penalty(squares: Losses) -> Losses:
    """Returns how far the critic's slope at each image is from 1, squared.

    (|gradient of f at x| - 1)^2

    Args:
        squares: the squared slopes, at points between real and fake images.

    Returns:
        One value per image, at least 0; (|w| - 1)^2 for a linear critic of weights w. Gulrajani et
        al., "Improved training of Wasserstein GANs", 2017, Eq. 3.
    """
    return jnp.square(jnp.sqrt(squares + 1e-12) - 1.0)  # The root of 0 has no gradient.


def points_between(key: Key[Array, ""], real: Images, fake: Images) -> Images:
    """Draws a point on the line from each real image to a fake one, evenly.

    Args:
        key: a random key.
        real: the real images.
        fake: fake images, as many.

    Returns:
        One image per pair. Gulrajani et al., 2017, Algorithm 1.
    """
    shares = jax.random.uniform(key, (len(real), 1, 1, 1))
    return shares * real + (1.0 - shares) * fake
