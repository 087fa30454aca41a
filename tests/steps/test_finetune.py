import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lecture_models.steps.finetune import finetune_step, init_from_layers

OPTIMIZER = optax.sgd(0.5)
PARAMS = {"layer": {"kernel": jnp.eye(3)}, "head": {"kernel": jnp.zeros((3, 3))}}
DOUBLE = {"layer": {"kernel": 2.0 * jnp.eye(3)}}
ONCE = {"images": jnp.eye(3).reshape(3, 3, 1, 1), "labels": jnp.arange(3)}
OPPOSITES = {
    "images": jnp.concatenate([jnp.eye(3), -jnp.eye(3)]).reshape(6, 3, 1, 1),
    "labels": jnp.arange(6) % 3,
}


def classify(params, images):
    return images.reshape(len(images), -1) @ params["layer"]["kernel"] @ params["head"]["kernel"]


def test_each_beginning_has_its_layers_and_the_head_of_all():
    found = init_from_layers(OPTIMIZER, PARAMS, [{}, DOUBLE]).params
    np.testing.assert_array_equal(found["layer"]["kernel"][0], np.eye(3))
    np.testing.assert_array_equal(found["layer"]["kernel"][1], 2.0 * np.eye(3))
    np.testing.assert_array_equal(found["head"]["kernel"], np.zeros((2, 3, 3)))


def test_a_head_of_zeros_loses_log_classes_and_learns():
    losses = []
    states = {"3": init_from_layers(OPTIMIZER, PARAMS, [{}])}
    step = jax.jit(lambda states: finetune_step(classify, OPTIMIZER, states, {"3": ONCE}))
    for _ in range(20):
        states, metrics = step(states)
        losses.append(float(metrics["loss"]))
    assert losses[0] == pytest.approx(np.log(3.0))
    assert losses[-1] < 0.7 * losses[0]


def test_the_loss_is_the_mean_over_beginnings_and_numbers_of_labels():
    """A head of twice the identity has another loss for each of the four networks."""
    params = PARAMS | {"head": {"kernel": 2.0 * jnp.eye(3)}}
    states = {name: init_from_layers(OPTIMIZER, params, [{}, DOUBLE]) for name in ("3", "6")}
    batches = {"3": ONCE, "6": OPPOSITES}
    _, metrics = jax.jit(functools.partial(finetune_step, classify, OPTIMIZER))(states, batches)
    losses = [
        np.mean([np.log(np.exp(logit) + 2.0) - logit for logit in logits])
        for logits in ([2.0], [4.0], [2.0, -2.0], [4.0, -4.0])
    ]
    assert float(metrics["loss"]) == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.slow
def test_each_state_learns_from_its_own_batch_and_each_beginning_from_its_own_layers():
    states = {name: init_from_layers(OPTIMIZER, PARAMS, [{}, DOUBLE]) for name in ("3", "6")}
    batches = {"3": ONCE, "6": OPPOSITES}
    after, _ = finetune_step(classify, OPTIMIZER, states, batches)
    scratch, double = np.asarray(after["3"].params["head"]["kernel"])
    np.testing.assert_allclose(scratch, 0.5 * (np.eye(3) - 1.0 / 3.0) / 3.0, atol=1e-6)
    np.testing.assert_allclose(double, 2.0 * scratch, atol=1e-6)
    # Opposites cancel.
    np.testing.assert_allclose(after["6"].params["head"]["kernel"], np.zeros((2, 3, 3)), atol=1e-6)


@pytest.mark.slow
def test_beginnings_do_not_learn_from_each_other():
    together, alone = (
        finetune_step(
            classify,
            OPTIMIZER,
            {"3": init_from_layers(OPTIMIZER, PARAMS, layers)},
            {"3": ONCE},
        )[0]["3"].params
        for layers in ([{}, DOUBLE], [DOUBLE])
    )
    for one, other in zip(jax.tree.leaves(together), jax.tree.leaves(alone), strict=True):
        np.testing.assert_allclose(one[1], other[0], atol=1e-7)
