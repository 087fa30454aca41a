import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from lecture_models.attribution.class_activation import features_and_gradients, grad_cam
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


def test_a_layer_that_does_not_lead_to_the_score_is_refused():
    with pytest.raises(ValueError, match="does not depend on these features"):
        features_and_gradients(
            lambda images: (images.sum((1, 2, 3)), 2.0 * images), jnp.ones((1, 2, 2, 1))
        )
