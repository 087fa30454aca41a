import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from lecture_models.attribution.rectifiers import deconvolved, guided, redirected
from lecture_models.attribution.unpooling import pool_with_switches, unpool
from lecture_models.models.vgg import VGG
from lecture_models.nn.pooling import max_pool

# Every sign of the input with every sign of the signal from above.
INPUTS = jnp.array([2.0, 2.0, -1.0, -1.0])
SIGNALS = jnp.array([3.0, -3.0, 5.0, -5.0])
RNG = np.random.default_rng(0)
BIAS = 6.0  # So that no window of the pooling is zero throughout, where maxima are equal.


def passed_on(nonlinearity, inputs=INPUTS, signals=SIGNALS):
    outputs, backward = jax.vjp(nonlinearity, inputs)
    return outputs, backward(signals)[0]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (lambda f: f, [3.0, -3.0, 0.0, 0.0]),
        (guided, [3.0, 0.0, 0.0, 0.0]),
        (deconvolved, [3.0, 0.0, 5.0, 0.0]),
    ],
)
def test_the_three_rules_of_the_paper_differ_only_backward(rule, expected):
    outputs, signals = passed_on(rule(nn.relu))
    np.testing.assert_array_equal(outputs, [2.0, 2.0, 0.0, 0.0])
    np.testing.assert_array_equal(signals, expected)


def test_guided_backpropagation_keeps_the_derivative_of_another_nonlinearity():
    _, signals = passed_on(guided(nn.relu6), jnp.array([7.0, 3.0, 3.0]), jnp.array([1.0, 2.0, -2]))
    np.testing.assert_array_equal(signals, [0.0, 2.0, 0.0])


def test_a_tiny_network_by_hand():
    # hidden = relu([1, -2] x + [0, 5]) = [2, 1] at x = 2; score = relu(hidden . [-1, 4]) = 2.
    def score(nonlinearity, x):
        hidden = nonlinearity(jnp.array([1.0, -2.0]) * x + jnp.array([0.0, 5.0]))
        return nonlinearity(hidden @ jnp.array([-1.0, 4.0]))

    def derivative(nonlinearity):
        return jax.grad(lambda x: score(nonlinearity, x))(2.0)

    assert derivative(nn.relu) == -1.0 * 1.0 + 4.0 * -2.0
    # The signals to the hidden units are -1 and 4; only the second passes.
    assert derivative(guided(nn.relu)) == derivative(deconvolved(nn.relu)) == 4.0 * -2.0


def test_a_zoo_network_with_the_rule_in_its_field_computes_the_same_logits():
    model = VGG(stages=((4, (3,)),), num_classes=3, hidden=4)
    images = jnp.asarray(RNG.normal(size=(2, 4, 4, 3)), jnp.float32)
    shapes = jax.eval_shape(model.init, jax.random.key(0), images)
    variables = jax.tree.map(lambda leaf: jnp.asarray(RNG.normal(size=leaf.shape)), shapes)

    def logits_and_gradient(model):
        @jax.jit
        def both(variables, images):
            def score(images):
                logits, _ = model.apply(variables, images)
                return logits[:, 0].sum(), logits

            gradient, logits = jax.grad(score, has_aux=True)(images)
            return logits, gradient

        return both(variables, images)

    logits, gradient = logits_and_gradient(model)
    same, other = logits_and_gradient(model.clone(nonlinearity=guided(nn.relu)))
    np.testing.assert_allclose(same, logits, rtol=1e-5)
    assert not np.allclose(other, gradient)


def test_the_gradient_of_a_layer_of_convolution_rectifier_and_pooling_is_the_deconvnet():
    images = jnp.asarray(RNG.normal(size=(1, 6, 6, 2)), jnp.float32)
    kernel = jnp.asarray(RNG.normal(size=(3, 3, 2, 4)), jnp.float32)
    signal = jnp.asarray(RNG.normal(size=(1, 3, 3, 4)), jnp.float32)

    def filtered(maps, kernel):
        dimensions = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(
            maps, kernel, (1, 1), "SAME", dimension_numbers=dimensions
        )

    @jax.jit
    def gradient(images, kernel, signal):
        def layer(images):
            return max_pool(deconvolved(nn.relu)(filtered(images, kernel) + BIAS), 2, 2)

        return jax.vjp(layer, images)[1](signal)[0]

    @jax.jit
    def deconvnet(images, kernel, signal):
        """Zeiler and Fergus: unpool, rectify, filter with the transposed kernels."""
        _, switches = pool_with_switches(nn.relu(filtered(images, kernel) + BIAS), 2, 2)
        rectified = nn.relu(unpool(signal, switches, 6, 6))
        return filtered(rectified, kernel[::-1, ::-1].transpose(0, 1, 3, 2))

    expected = deconvnet(images, kernel, signal)
    np.testing.assert_allclose(gradient(images, kernel, signal), expected, atol=1e-4)


def test_a_redirected_gradient_is_the_usual_one_unless_an_example_is_silent():
    """Descent would lower the third unit of the silent example further, and raise the fourth."""
    inputs = jnp.stack([INPUTS, -jnp.abs(INPUTS)])
    signals = jnp.stack([SIGNALS, SIGNALS])
    outputs, found = passed_on(redirected(nn.relu), inputs, signals)
    np.testing.assert_array_equal(outputs, nn.relu(inputs))
    np.testing.assert_array_equal(found, [[3.0, -3.0, 0.0, 0.0], [0.0, -3.0, 0.0, -5.0]])
