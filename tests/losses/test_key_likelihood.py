import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.losses.key_likelihood import frame_nats


def test_a_frame_of_undecided_keys_has_88_ln_2_nats():
    frames = jnp.zeros((2, 3, 88)).at[:, :, ::5].set(1.0)
    nats = frame_nats(jnp.zeros((2, 3, 88)), frames)
    assert nats.shape == (2, 3)
    np.testing.assert_allclose(nats, 88 * np.log(2), rtol=1e-6)
    assert float(nats[0, 0]) == pytest.approx(60.997, abs=1e-3)


def test_the_nats_are_those_of_the_published_formula():
    logits = jnp.array([[[2.0, -1.0, 0.3]]])
    frames = jnp.array([[[1.0, 0.0, 0.0]]])
    p = 1 / (1 + np.exp(-np.asarray(logits)))
    expected = -(np.log(p) * frames + np.log(1 - p) * (1 - frames)).sum()
    assert float(frame_nats(logits, frames)[0, 0]) == pytest.approx(float(expected), rel=1e-5)


def test_a_certain_answer_costs_nothing_or_much():
    frames = jnp.array([[[1.0, 0.0]]])
    assert float(frame_nats(jnp.array([[[100.0, -100.0]]]), frames)[0, 0]) == pytest.approx(0.0)
    assert float(frame_nats(jnp.array([[[-100.0, 100.0]]]), frames)[0, 0]) == pytest.approx(200.0)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"logits have shape \(1, 1, 2\); frames have \(1, 1, 1\)"):
        frame_nats(jnp.zeros((1, 1, 2)), jnp.zeros((1, 1, 1)))
