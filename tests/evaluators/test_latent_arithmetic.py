import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.evaluators.latent_arithmetic import (
    arithmetic_evaluation,
    draw_terms,
    find_groups,
)
from lecture_models.metrics.samples import Extractor


def generate(state, latents):
    """Draws two pixels: the class, which is the sign of latent 0, and the ink, latent 1."""
    return jnp.tanh(jnp.asarray(latents))[:, None, :2, None]


def classify(images):
    scores = 10.0 * images[:, 0, 0, 0]
    return images, jnp.stack([scores, -scores], 1)


def draw(key, count):
    return jax.random.normal(key, (count, 3))


@pytest.mark.slow
def test_adding_latents_makes_light_samples_heavier_and_keeps_their_class():
    """Has latents whose sum is exactly what is asked for, so the share is 1."""
    evaluate = arithmetic_evaluation(generate, draw, Extractor(classify, "signs"))
    results = evaluate(None, jax.random.key(0))
    assert results["arithmetic_heavier"] == 1.0
    assert results["arithmetic_heavier_control"] == pytest.approx(0.5, abs=0.15)
    assert results["arithmetic_kept_class"] > 0.9
    rows = np.asarray(results["arithmetic"].pixels)[:, 0, 1, 0].reshape(4, 10)
    assert (rows[0] > rows[1]).all()  # Heavy a has more ink than light a.


def test_one_class_alone_has_no_arithmetic():
    one_class = Extractor(
        lambda images: (images, jnp.tile(jnp.array([[9.0, 0.0]]), (len(images), 1))), "one class"
    )
    assert arithmetic_evaluation(generate, draw, one_class)(None, jax.random.key(0)) == {}


def test_groups_are_the_outer_quarters_of_each_clear_class():
    ink = np.arange(32, dtype=np.float32)
    latents = np.stack([ink, -ink], 1)
    clear = np.tile(np.array([[0.95, 0.05]], np.float32), (32, 1))
    clear[16:] = clear[16:, ::-1]
    clear[0] = 0.5  # Unclear.
    groups = find_groups(latents, clear, ink)
    assert groups.classes == [0, 1]
    np.testing.assert_array_equal(groups.light[0][:, 0], [1, 2, 3])
    np.testing.assert_array_equal(groups.heavy[0][:, 0], [13, 14, 15])
    np.testing.assert_array_equal(groups.heavy[1][:, 0], [28, 29, 30, 31])


def test_the_terms_of_a_pair_come_from_two_classes():
    groups = find_groups(
        np.arange(48, dtype=np.float32)[:, None],
        np.repeat(np.eye(3, dtype=np.float32), 16, axis=0),
        np.arange(48, dtype=np.float32),
    )
    targets, (heavy, light, other), controls = draw_terms(groups, np.random.default_rng(0))
    assert set(targets) == {0, 1, 2}
    assert (heavy // 16 == light // 16).all()
    assert (controls // 16 == light // 16).all()
    assert (other[:, 0] // 16 == targets).all()
    assert (light[:, 0] // 16 != targets).all()
