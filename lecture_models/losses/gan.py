"""Defines the losses of generative adversarial networks: logits in, nats per example out.

D is the sigmoid of a logit. All losses are written with softplus, so that a confident
discriminator does not overflow. Goodfellow et al., 2014.
"""

import jax
from jaxtyping import Array, Float


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
