import jax.numpy as jnp
import optax
import pytest

from lecture_models.steps.descent import descend, init_train_state


def test_the_metrics_are_those_before_the_step_and_the_parameters_descend():
    optimizer = optax.sgd(0.1)
    state = init_train_state(optimizer, {"w": jnp.array(3.0)})
    state, metrics = descend(optimizer, state, lambda p: (p["w"] ** 2, {"loss": p["w"] ** 2}))
    assert float(metrics["loss"]) == 9.0
    assert float(state.params["w"]) == pytest.approx(3.0 - 0.1 * 6.0)
