import jax.numpy as jnp
import numpy as np
import optax

from lecture_models.steps.weight_decay import are_kernels, l2_penalty

PARAMS = {
    "conv1": {"kernel": jnp.full((2, 2), 3.0), "bias": jnp.ones(2)},
    "bn1": {"scale": jnp.ones(2), "bias": jnp.ones(2)},
    "inception_3a": {"5x5_reduce": {"kernel": jnp.ones(2)}},
}
NOTHING = {
    "conv1": {"kernel": jnp.zeros((2, 2)), "bias": jnp.zeros(2)},
    "bn1": {"scale": jnp.zeros(2), "bias": jnp.zeros(2)},
    "inception_3a": {"5x5_reduce": {"kernel": jnp.zeros(2)}},
}


def test_kernels_are_the_weights_of_layers_at_any_depth():
    assert are_kernels(PARAMS) == {
        "conv1": {"kernel": True, "bias": False},
        "bn1": {"scale": False, "bias": False},
        "inception_3a": {"5x5_reduce": {"kernel": True}},
    }


def test_masked_decay_leaves_biases_and_normalization_alone():
    penalty = l2_penalty(0.1, kernels_only=True)
    found, _ = penalty.update(NOTHING, penalty.init(PARAMS), PARAMS)
    np.testing.assert_allclose(found["conv1"]["kernel"], 0.3)
    np.testing.assert_array_equal(found["conv1"]["bias"], 0.0)
    np.testing.assert_array_equal(found["bn1"]["scale"], 0.0)


def test_without_the_mask_everything_decays():
    penalty = l2_penalty(0.1, kernels_only=False)
    found, _ = penalty.update(NOTHING, penalty.init(PARAMS), PARAMS)
    np.testing.assert_allclose(found["bn1"]["bias"], 0.1)


def test_momentum_sees_the_penalty():
    optimizer = optax.chain(l2_penalty(0.1, kernels_only=True), optax.sgd(1.0, momentum=0.5))
    state, params = optimizer.init(PARAMS), PARAMS
    for _ in range(2):
        updates, state = optimizer.update(NOTHING, state, params)
        params = optax.apply_updates(params, updates)
    # 3 -> 3 - 0.3 = 2.7 -> 2.7 - (0.27 + 0.5 * 0.3) = 2.28
    np.testing.assert_allclose(params["conv1"]["kernel"], 2.28, rtol=1e-6)
