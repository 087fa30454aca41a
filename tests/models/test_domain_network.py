import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.cost import count_parameters
from lecture_models.models.domain_network import DomainJudge, DomainNetwork
from tests.random_variables import random_variables

IMAGES = jax.ShapeDtypeStruct((2, 28, 28, 3), jnp.float32)


def test_the_network_of_the_paper_has_its_parameters():
    described = jax.eval_shape(DomainNetwork().init, jax.random.key(0), IMAGES, jnp.zeros(()))
    convolutions = (25 * 3 + 1) * 32 + (25 * 32 + 1) * 48
    classes = (768 + 1) * 100 + (100 + 1) * 100 + (100 + 1) * 10
    domain = (768 + 1) * 100 + 100 + 1
    assert count_parameters(described["params"]) == convolutions + classes + domain == 205_891


def test_addas_judge_has_two_hidden_layers_of_500():
    described = jax.eval_shape(DomainJudge().init, jax.random.key(0), jnp.zeros((1, 768)))
    assert count_parameters(described["params"]) == 769 * 500 + 501 * 500 + 501


def test_the_class_does_not_depend_on_the_strength_and_the_features_learn_against_the_domain():
    network = DomainNetwork(num_classes=3, filters=(2,), hidden=4)
    images = jax.random.normal(jax.random.key(1), (2, 8, 8, 3))
    params = random_variables(network, images, jnp.zeros(()))["params"]

    def outputs(strength):
        return network.apply({"params": params}, images, jnp.float32(strength))

    for first, second in zip(outputs(0.0), outputs(1.0), strict=True):
        np.testing.assert_array_equal(first, second)

    def gradient(strength):
        def total(params):
            return network.apply({"params": params}, images, jnp.float32(strength))[1].sum()

        return jax.grad(total)(params)

    turned, doubled, none = gradient(1.0), gradient(2.0), gradient(0.0)
    kernel = turned["convolutions_0"]["kernel"]
    assert float(jnp.abs(kernel).max()) > 0.0
    np.testing.assert_allclose(doubled["convolutions_0"]["kernel"], 2.0 * kernel, rtol=1e-5)
    assert float(jnp.abs(none["convolutions_0"]["kernel"]).max()) == 0.0
    np.testing.assert_array_equal(
        turned["domain_output"]["kernel"], none["domain_output"]["kernel"]
    )


def test_images_that_are_too_small_are_refused():
    with pytest.raises(ValueError, match="images are 15x40; they are too small"):
        jax.eval_shape(
            DomainNetwork().init, jax.random.key(0), jnp.zeros((1, 15, 40, 3)), jnp.zeros(())
        )
