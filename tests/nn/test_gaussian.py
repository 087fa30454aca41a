import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from lecture_models.nn import gaussian

MEAN = jnp.array([[0.5, -1.0, 2.0], [0.0, 0.0, 0.0]])
LOG_VARIANCE = jnp.array([[0.3, -1.0, -2.0], [0.0, 0.0, 0.0]])


def test_the_divergence_is_zero_at_the_prior():
    assert gaussian.kl_divergence(MEAN, LOG_VARIANCE)[1].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.slow
def test_the_closed_form_divergence_is_its_monte_carlo_estimate():
    key = jax.random.key(0)
    mean, log_variance = (jnp.broadcast_to(x, (200_000, 2, 3)) for x in (MEAN, LOG_VARIANCE))
    points = gaussian.reparameterize(key, mean, log_variance)
    ratios = gaussian.log_density(points, mean, log_variance) - gaussian.log_density(
        points, jnp.zeros_like(mean), jnp.zeros_like(mean)
    )
    error = ratios.std(0) / len(ratios) ** 0.5
    expected = gaussian.kl_divergence(MEAN, LOG_VARIANCE).sum(-1)
    assert (jnp.abs(ratios.mean(0) - expected) <= 4.0 * error + 1e-5).all()


def test_the_density_is_scipys():
    points = jnp.array([[0.1, 0.2, 0.3], [1.0, -2.0, 3.0]])
    expected = stats.norm(MEAN, np.exp(0.5 * LOG_VARIANCE)).logpdf(points).sum(-1)
    found = gaussian.log_density(points, MEAN, LOG_VARIANCE)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_samples_have_the_mean_and_variance():
    mean, log_variance = (jnp.broadcast_to(x, (100_000, 2, 3)) for x in (MEAN, LOG_VARIANCE))
    samples = gaussian.reparameterize(jax.random.key(1), mean, log_variance)
    np.testing.assert_allclose(samples.mean(0), MEAN, atol=0.02)
    np.testing.assert_allclose(samples.var(0), np.exp(LOG_VARIANCE), rtol=0.03)


@pytest.mark.parametrize("argument", [0, 1])
def test_the_samples_gradient_is_its_finite_difference(argument):
    arguments = [MEAN, LOG_VARIANCE]

    def total(changed):
        values = [*arguments[:argument], changed, *arguments[argument + 1 :]]
        return gaussian.reparameterize(jax.random.key(2), *values).sum()

    gradient = jax.grad(total)(arguments[argument])
    step = jnp.zeros((2, 3)).at[0, 1].set(1e-2)
    difference = (total(arguments[argument] + step) - total(arguments[argument] - step)) / 2e-2
    assert float(difference) == pytest.approx(float(gradient[0, 1]), rel=1e-2)
