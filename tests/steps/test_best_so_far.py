import jax.numpy as jnp
import optax
import pytest

from lecture_models.steps.best_so_far import has_risen, init_best, keep_best, scale_by_factor


def after(*losses):
    best = init_best({"weight": jnp.float32(-1.0)}, 61.0)
    for step, loss in enumerate(losses, 1):
        best = keep_best(best, {"weight": jnp.float32(step)}, jnp.float32(loss), jnp.int32(step))
    return best


def test_the_parameters_with_the_lowest_loss_are_kept():
    best = after(5.0, 3.0, 4.0, 3.0)
    assert (float(best.params["weight"]), float(best.loss), int(best.step)) == (2.0, 3.0, 2)
    assert best.recent.tolist() == [3.0, 4.0, 3.0]
    assert int(best.checks) == 4


def test_a_loss_that_is_not_a_number_is_never_the_best():
    best = after(float("nan"), 5.0, float("nan"))
    assert (float(best.params["weight"]), float(best.loss), int(best.step)) == (2.0, 5.0, 2)


@pytest.mark.parametrize(("loss", "risen"), [(4.1, 1.0), (4.0, 0.0), (3.0, 0.0)])
def test_a_loss_has_risen_if_it_is_above_the_last_three(loss, risen):
    best = after(9.0, 2.0, 4.0, 3.0)
    assert float(has_risen(best, jnp.float32(loss), least_checks=4)) == risen
    assert float(has_risen(best, jnp.float32(loss), least_checks=5)) == 0.0


def test_updates_are_multiplied_by_the_factor():
    optimizer = optax.chain(optax.sgd(1.0), scale_by_factor())
    params = {"weight": jnp.float32(3.0)}
    state = optimizer.init(params)
    updates, state = optimizer.update({"weight": jnp.float32(2.0)}, state, params)
    assert float(updates["weight"]) == -2.0
    *rest, factor = state
    state = (*rest, factor._replace(factor=0.1 * factor.factor))
    updates, _ = optimizer.update({"weight": jnp.float32(2.0)}, state, params)
    assert float(updates["weight"]) == pytest.approx(-0.2)
