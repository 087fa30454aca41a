import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.nn.gradient_reversal import reverse_gradient


@pytest.mark.parametrize("strength", [0.0, 0.3, 2.0])
def test_values_pass_on_and_the_gradient_is_minus_the_strength_times_its_own(strength):
    values = jnp.array([-1.5, 0.0, 3.0])
    weights = jnp.array([2.0, -1.0, 0.5])
    result, gradient = jax.value_and_grad(
        lambda x: (weights * reverse_gradient(x, jnp.float32(strength))).sum()
    )(values)
    assert float(result) == float((weights * values).sum())
    np.testing.assert_array_equal(gradient, -jnp.float32(strength) * weights)


def test_twice_reversed_it_is_the_gradient_again():
    one = jnp.float32(1.0)
    gradient = jax.grad(lambda x: jnp.sin(reverse_gradient(reverse_gradient(x, one), one)))(
        jnp.float32(0.7)
    )
    assert float(gradient) == pytest.approx(np.cos(0.7), rel=1e-6)
