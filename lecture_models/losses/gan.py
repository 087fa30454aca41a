"""The losses of generative adversarial networks: logits in, nats per example out.

D is the sigmoid of a logit. All are written with softplus, so that a confident discriminator
overflows nothing. Goodfellow et al., 2014.
"""

import jax
from jaxtyping import Array, Float


def discriminator_loss(
    real_logits: Float[Array, " batch"], fake_logits: Float[Array, " batch"]
) -> Float[Array, " batch"]:
    """What the discriminator minimizes: -log D(x) - log(1 - D(G(z))), in nats; 2 log 2 undecided.

    The negative of the minimax value, Eq. 1.
    """
    return jax.nn.softplus(-real_logits) + jax.nn.softplus(fake_logits)


def minimax_value(
    real_logits: Float[Array, " batch"], fake_logits: Float[Array, " batch"]
) -> Float[Array, " batch"]:
    """log D(x) + log(1 - D(G(z))), in nats; -log 4 where p_G = p_data and D = 1/2.

    Eq. 1 and Theorem 1; the lecture's minimax game.
    """
    return -discriminator_loss(real_logits, fake_logits)


def saturating_generator_loss(fake_logits: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """What the generator minimizes in the minimax game: log(1 - D(G(z))), in nats.

    -log 2 undecided. Its gradient by the logit is -D(G(z)): it vanishes where fakes are rejected
    with confidence. Eq. 1, second term.
    """
    return -jax.nn.softplus(fake_logits)


def non_saturating_generator_loss(fake_logits: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """What the generator minimizes in practice: -log D(G(z)), in nats; log 2 undecided.

    Same fixed point as the minimax game, and a gradient of -1 by the logit where fakes are
    rejected with confidence. Section 3, last paragraph.
    """
    return jax.nn.softplus(-fake_logits)
