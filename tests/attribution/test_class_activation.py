import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from lecture_models.attribution.class_activation import (
    enlarged,
    features_and_gradients,
    grad_cam,
    grad_cam_plus_plus,
)
from lecture_models.models.vgg import VGG

RNG = np.random.default_rng(0)


def test_maps_are_weighted_by_their_mean_gradient_and_rectified():
    features = jnp.array([[1.0, 2.0], [3.0, 1.0]]).reshape(1, 1, 2, 2)
    gradients = jnp.array([[1.0, -4.0], [3.0, 0.0]]).reshape(1, 1, 2, 2)
    # Weights 2 and -2: 2 - 4 < 0, and 6 - 2.
    np.testing.assert_array_equal(grad_cam(features, gradients), [[[0.0, 4.0]]])


def test_gradients_at_a_layer_by_hand():
    matrix = jnp.array([[1.0, -1.0, 2.0], [0.0, 1.0, 1.0]])

    def network(images):
        features = nn.relu(images @ matrix)
        return (features**2).sum((1, 2, 3)), features

    images = jax.random.normal(jax.random.key(0), (2, 3, 3, 2))
    for run in (features_and_gradients, jax.jit(features_and_gradients, static_argnums=0)):
        features, gradients = run(network, images)
        np.testing.assert_allclose(features, nn.relu(images @ matrix), atol=1e-6)
        np.testing.assert_allclose(gradients, 2.0 * features, atol=1e-6)


def test_in_a_network_of_the_zoo_they_are_those_of_what_follows_the_layer():
    model = VGG(stages=((4, (3,)),), num_classes=5, hidden=8)
    images = jnp.asarray(RNG.normal(size=(1, 8, 8, 3)), jnp.float32)
    shapes = jax.eval_shape(model.init, jax.random.key(0), images)
    variables = jax.tree.map(lambda leaf: jnp.asarray(RNG.normal(size=leaf.shape)), shapes)

    @jax.jit
    def found(variables, images):
        def network(images):
            logits, activations = model.apply(variables, images)
            return logits[:, 2], activations["pool1"]

        return features_and_gradients(network, images)

    def rest(pooled):
        """What VGG does behind its pooling."""
        x, parameters = pooled.reshape(1, -1), variables["params"]
        for name in ("fc6", "fc7"):
            x = nn.relu(x @ parameters[name]["kernel"] + parameters[name]["bias"].reshape(1, -1))
        return (x @ parameters["fc8"]["kernel"] + parameters["fc8"]["bias"].reshape(1, -1))[0, 2]

    pooled, gradients = found(variables, images)
    np.testing.assert_allclose(gradients, jax.jit(jax.grad(rest))(pooled), rtol=1e-4, atol=1e-4)


def test_of_class_maps_that_are_averaged_grad_cam_is_the_class_map_itself():
    images = jnp.asarray(RNG.normal(size=(2, 3, 4, 5)), jnp.float32)

    def network(images):
        class_maps = nn.relu(images)
        return class_maps.mean((1, 2))[:, 1], class_maps

    features, gradients = features_and_gradients(network, images)
    np.testing.assert_allclose(grad_cam(features, gradients), features[..., 1] / 12, atol=1e-6)


def test_of_a_linear_head_grad_cam_plus_plus_is_its_closed_form():
    weights = np.array([2.0, -1.0, 0.0, 0.5])
    features = jnp.asarray(RNG.uniform(-1.0, 1.0, size=(2, 3, 5, 4)), jnp.float32)
    gradients = jnp.broadcast_to(weights.astype(np.float32) / 15.0, features.shape)
    # alpha = 1 / (2 + w mean(A)) at each of 15 positions, whose gradients add up to w.
    share = np.maximum(weights, 0.0) / (2.0 + weights * np.asarray(features).mean((1, 2)))
    expected = np.maximum((np.asarray(features) * share[:, None, None]).sum(-1), 0.0)
    assert (expected == 0.0).any()
    np.testing.assert_allclose(grad_cam_plus_plus(features, gradients), expected, rtol=1e-5)


def test_its_weights_are_those_of_derivatives_of_the_exponential_score():
    features, slopes = RNG.uniform(size=4), np.array([0.7, -0.3, 0.2, 0.0])
    score = np.exp(features @ slopes)
    # The derivatives of Y = exp(S) at each position, with S linear in the features.
    first, second, third = (slopes**order * score for order in (1, 2, 3))
    alpha = np.divide(
        second, 2.0 * second + features.sum() * third, out=np.zeros(4), where=second > 0.0
    )
    weight = (alpha * np.maximum(first, 0.0)).sum()
    maps = grad_cam_plus_plus(
        *(jnp.asarray(values.reshape(1, 2, 2, 1), jnp.float32) for values in (features, slopes))
    )
    np.testing.assert_allclose(maps.ravel(), weight / score * features, rtol=1e-5)


def test_a_layer_without_gradient_has_an_empty_map():
    features = jnp.ones((1, 2, 2, 3))
    np.testing.assert_array_equal(
        grad_cam_plus_plus(features, 0.0 * features), jnp.zeros((1, 2, 2))
    )


def test_maps_are_enlarged_to_the_image():
    maps = enlarged(jnp.array([[[0.0, 2.0], [0.0, 2.0]]]), 4, 4)
    np.testing.assert_allclose(maps[0, 0], [0.0, 0.5, 1.5, 2.0])


def test_a_layer_that_does_not_lead_to_the_score_is_refused():
    with pytest.raises(ValueError, match="does not depend on these features"):
        features_and_gradients(
            lambda images: (images.sum((1, 2, 3)), 2.0 * images), jnp.ones((1, 2, 2, 1))
        )
