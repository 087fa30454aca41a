import jax.numpy as jnp
import optax
import pytest

from lecture_models.steps.descent import clip_to_norm, descend, init_train_state, warmup_cosine


def test_the_metrics_are_those_before_the_step_and_the_parameters_descend():
    optimizer = optax.sgd(0.1)
    state = init_train_state(optimizer, {"w": jnp.array(3.0)})
    state, metrics = descend(optimizer, state, lambda p: (p["w"] ** 2, {"loss": p["w"] ** 2}))
    assert float(metrics["loss"]) == 9.0
    assert float(state.params["w"]) == pytest.approx(3.0 - 0.1 * 6.0)


def test_the_rate_rises_for_a_fiftieth_of_the_steps_and_falls_to_zero():
    schedule = warmup_cosine(0.1, 100)
    assert [float(schedule(step)) for step in (0, 1, 2)] == pytest.approx([0.0, 0.05, 0.1])
    assert float(schedule(51)) == pytest.approx(0.05)
    assert float(schedule(100)) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("limit", "expected"), [(0.0, [3.0, 4.0]), (1.0, [0.6, 0.8]), (10.0, [3.0, 4.0])]
)
def test_only_a_gradient_above_the_limit_is_shortened_and_none_is_at_zero(limit, expected):
    clip = clip_to_norm(limit)
    gradient = jnp.array([3.0, 4.0])
    clipped, _ = clip.update(gradient, clip.init(gradient))
    assert clipped.tolist() == pytest.approx(expected)
