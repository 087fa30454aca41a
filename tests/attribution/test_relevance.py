import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from lecture_models.attribution.relevance import relevance, relevance_rule
from lecture_models.models.vgg import VGG
from lecture_models.nn.local_response_norm import caffe_local_response_norm

RNG = np.random.default_rng(0)
WIDTHS = (6, 5, 4, 3)
KERNELS = [RNG.normal(size=shape) for shape in itertools.pairwise(WIDTHS)]
BIASES = [RNG.normal(size=width) for width in WIDTHS[1:]]
NO_BIASES = [np.zeros(width) for width in WIDTHS[1:]]
INPUTS = RNG.normal(size=(7, WIDTHS[0]))
TARGETS = jnp.array([0, 1, 2, 0, 1, 2, 0])


def network(biases, nonlinearity, inputs):
    for layer, (kernel, bias) in enumerate(zip(KERNELS, biases, strict=True)):
        inputs = inputs @ jnp.asarray(kernel, jnp.float32) + bias.reshape(1, -1).astype(np.float32)
        inputs = nonlinearity(inputs) if layer < len(KERNELS) - 1 else inputs
    return inputs


def found(biases, epsilon):
    rule = relevance_rule(nn.relu, epsilon)
    net = functools.partial(network, biases, rule)
    values, scores = jax.jit(lambda x: relevance(net, x, TARGETS, epsilon))(
        jnp.asarray(INPUTS, jnp.float32)
    )
    return np.asarray(values), np.asarray(scores)


def by_hand(inputs, target, biases, epsilon):
    """Bach et al., equation 58, with loops; returns the inputs' and the biases' relevance."""
    activations, sums = [inputs], []
    for layer, (kernel, bias) in enumerate(zip(KERNELS, biases, strict=True)):
        sums.append(activations[-1] @ kernel + bias)
        last = layer == len(KERNELS) - 1
        activations.append(sums[-1] if last else np.maximum(sums[-1], 0.0))
    relevances = np.zeros(WIDTHS[-1])
    relevances[target] = sums[-1][target]
    taken = 0.0
    for layer in reversed(range(len(KERNELS))):
        z = sums[layer]
        stabilized = z + epsilon * np.sqrt(np.mean(z**2)) * np.where(z < 0.0, -1.0, 1.0)
        below = np.zeros(WIDTHS[layer])
        for j in range(len(z)):
            for i in range(len(below)):
                share = activations[layer][i] * KERNELS[layer][i, j] / stabilized[j]
                below[i] += share * relevances[j]
            taken += biases[layer][j] / stabilized[j] * relevances[j]
        relevances = below
    return relevances, taken


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.5])
def test_the_epsilon_rule_of_a_network_by_hand(epsilon):
    values, scores = found(BIASES, epsilon)
    for image in range(len(INPUTS)):
        expected, _ = by_hand(INPUTS[image], int(TARGETS[image]), BIASES, epsilon)
        np.testing.assert_allclose(values[image], expected, rtol=1e-3, atol=1e-4)
    logits = network(BIASES, nn.relu, jnp.asarray(INPUTS, jnp.float32))
    np.testing.assert_allclose(scores, logits[jnp.arange(7), TARGETS], rtol=1e-5)


def test_relevance_and_the_biases_share_add_up_to_the_class_score():
    values, scores = found(BIASES, 0.0)
    taken = [
        by_hand(inputs, int(target), BIASES, 0.0)[1]
        for inputs, target in zip(INPUTS, TARGETS, strict=True)
    ]
    np.testing.assert_allclose(values.sum(axis=1) + taken, scores, rtol=1e-3, atol=1e-4)
    assert np.abs(taken).min() > 1e-3


def test_without_biases_and_stabilizer_it_is_gradient_times_input_and_conserved():
    values, scores = found(NO_BIASES, 0.0)
    net = functools.partial(network, NO_BIASES, nn.relu)

    def summed(x):
        return net(x)[jnp.arange(7), TARGETS].sum()

    inputs = jnp.asarray(INPUTS, jnp.float32)
    np.testing.assert_allclose(values, inputs * jax.grad(summed)(inputs), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(values.sum(axis=1), scores, rtol=1e-4, atol=1e-5)


def test_the_stabilizer_takes_relevance_away():
    sums = [np.abs(found(NO_BIASES, epsilon)[0].sum(axis=1)) for epsilon in (0.0, 0.3, 3.0)]
    assert (sums[0] > sums[1]).all()
    assert (sums[1] > sums[2]).all()


def test_a_zoo_network_without_biases_conserves_the_score_through_its_pooling():
    model = VGG(stages=((4, (3,)),), num_classes=5, hidden=8)
    images = jnp.asarray(RNG.normal(size=(2, 8, 8, 3)), jnp.float32)
    shapes = jax.eval_shape(model.init, jax.random.key(0), images)
    variables = jax.tree.map(
        lambda leaf: jnp.asarray(RNG.normal(size=leaf.shape) * (len(leaf.shape) > 1), jnp.float32),
        shapes,
    )
    ruled = model.clone(nonlinearity=relevance_rule(nn.relu, 0.0))

    @jax.jit
    def both(variables, images):
        targets = jnp.array([3, 1])
        return relevance(lambda x: ruled.apply(variables, x)[0], images, targets, 0.0)

    values, scores = both(variables, images)
    np.testing.assert_allclose(values.sum((1, 2, 3)), scores, rtol=1e-3)


def test_a_normalization_hands_on_what_it_got():
    inputs = jnp.asarray(RNG.normal(size=(2, 3, 3, 7)), jnp.float32).at[0, 0, 0].set(0.0)
    rule = relevance_rule(caffe_local_response_norm, 0.0)

    def net(x):
        return rule(10.0 * x).reshape(2, -1) @ jnp.ones((63, 2))

    values, scores = jax.jit(lambda x: relevance(net, x, jnp.array([0, 1]), 0.0))(inputs)
    np.testing.assert_allclose(values.sum((1, 2, 3)), scores, rtol=1e-5)
    # Its own gradient would not: the normalization is not linear.
    plain = jax.grad(lambda x: caffe_local_response_norm(10.0 * x).sum())(inputs)
    assert abs(float((plain * inputs).sum() / scores.sum()) - 1.0) > 1e-3


def test_units_at_zero_have_no_relevance_instead_of_nan():
    values, _ = relevance(
        lambda x: relevance_rule(nn.relu, 0.0)(x), jnp.zeros((2, 3)), jnp.array([0, 1]), 0.0
    )
    np.testing.assert_array_equal(values, np.zeros((2, 3)))
