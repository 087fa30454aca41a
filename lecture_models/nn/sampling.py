"""Draws the next token from a model's logits, by temperature, top-k and nucleus."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

Logits = Float[Array, "batch token"]


class SamplingRule(NamedTuple):
    """Says how tokens are drawn; the restrictions apply after the temperature, top-k first.

    Attributes:
        temperature: divides the logits; 0 takes the most probable token.
        top_k: the number of most probable tokens that are kept; 0 for all.
        nucleus: the probability that the kept tokens must reach together, from the most probable
            on; 1 for all. Holtzman et al., 2020.
    """

    temperature: float = 1.0
    top_k: int = 0
    nucleus: float = 1.0

    @property
    def described(self) -> str:
        """Returns the rule in words."""
        words = [f"temperature {self.temperature:g}"]
        words += [f"top {self.top_k}"] if self.top_k else []
        words += [f"nucleus {self.nucleus:g}"] if self.nucleus < 1.0 else []
        return ", ".join(words)


def restrict(logits: Logits, rule: SamplingRule) -> Logits:
    """Returns the logits from which a rule draws.

    Args:
        logits: the model's, one row per sequence.
        rule: the rule; its temperature must be above 0.

    Returns:
        logits / temperature, -inf for the tokens that are never drawn. Tokens as probable as the
        last one kept are kept as well.
    """
    logits = logits / rule.temperature
    if 0 < rule.top_k < logits.shape[-1]:
        least = jax.lax.top_k(logits, rule.top_k)[0][:, -1:]
        logits = jnp.where(logits < least, -jnp.inf, logits)
    if rule.nucleus < 1.0:
        falling = -jnp.sort(-logits, axis=-1)
        probability = jax.nn.softmax(falling, axis=-1)
        before = jnp.cumsum(probability, axis=-1) - probability
        least = jnp.where(before < rule.nucleus, falling, jnp.inf).min(axis=-1, keepdims=True)
        logits = jnp.where(logits < least, -jnp.inf, logits)
    return logits


def draw_tokens(key: Key[Array, ""], logits: Logits, rule: SamplingRule) -> Int[Array, " batch"]:
    """Draws one token for each row.

    Args:
        key: the key of the draw.
        logits: the model's, one row per sequence.
        rule: how tokens are drawn.

    Returns:
        The ids of the tokens.
    """
    if rule.temperature == 0.0:
        return logits.argmax(axis=-1).astype(jnp.int32)
    return jax.random.categorical(key, restrict(logits, rule)).astype(jnp.int32)
