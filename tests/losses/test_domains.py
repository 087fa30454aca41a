import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.losses.domains import domain_loss, reversal_strength


def test_undecided_logits_cost_ln_2_and_right_ones_less():
    zero, four = jnp.zeros(3), jnp.full(3, 4.0)
    assert float(domain_loss(zero, zero)) == pytest.approx(np.log(2.0))
    right = np.log1p(np.exp(-4.0))
    assert float(domain_loss(-four, four)) == pytest.approx(right, rel=1e-5)
    assert float(domain_loss(four, -four)) == pytest.approx(right + 4.0, rel=1e-5)


def test_the_strength_rises_from_zero_to_almost_one():
    assert float(reversal_strength(jnp.float32(0.0))) == 0.0
    # 2 / (1 + exp(-10)) - 1
    assert float(reversal_strength(jnp.float32(1.0))) == pytest.approx(0.9999092, abs=1e-6)
    assert float(reversal_strength(jnp.float32(0.1))) == pytest.approx(np.tanh(0.5), abs=1e-6)
