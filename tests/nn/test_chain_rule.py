import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.nn import chain_rule
from lecture_models.nn.chain_rule import ACTIVATIONS, CRITERIA, TwoLayer

every_activation = pytest.mark.parametrize("name", sorted(ACTIVATIONS))


def drawn(inputs=5, hidden=4, outputs=3, count=7):
    """Returns weights, examples and targets that add up to 1, in the precision that is enabled."""
    generator = np.random.default_rng(0)
    params = TwoLayer(
        *(
            jnp.asarray(generator.normal(size=shape))
            for shape in ((hidden,), (inputs, hidden), (outputs,), (hidden, outputs))
        )
    )
    examples = jnp.asarray(generator.normal(size=(count, inputs)))
    targets = generator.uniform(size=(count, outputs))
    return params, examples, jnp.asarray(targets / targets.sum(1, keepdims=True))


@every_activation
@pytest.mark.parametrize("criterion", sorted(CRITERIA))
def test_the_hand_gradient_is_that_of_autodiff(name, criterion):
    with jax.enable_x64(True):
        params, inputs, targets = drawn()
        rest = (inputs, targets, ACTIVATIONS[name], CRITERIA[criterion])
        loss, gradient = chain_rule.hand_gradient(params, *rest)
        value, automatic = jax.value_and_grad(chain_rule.mean_loss)(params, *rest)
        assert float(loss) == pytest.approx(float(value), rel=1e-12)
        for hand, reference in zip(gradient, automatic, strict=True):
            np.testing.assert_allclose(hand, reference, rtol=1e-10, atol=1e-12)


@every_activation
def test_the_slides_products_are_the_gradient_of_every_weight(name):
    with jax.enable_x64(True):
        params, inputs, targets = drawn(outputs=1, count=1)
        target = 0.3 * targets
        factors = chain_rule.slide_factors(params, inputs[0], target[0, 0], ACTIVATIONS[name])
        gradient = jax.grad(chain_rule.mean_loss)(
            params, inputs, target, ACTIVATIONS[name], CRITERIA["squared"]
        )
        by_w_2 = factors.loss_by_output * factors.output_by_weights_2
        by_w_1 = factors.loss_by_output * jnp.outer(factors.z_by_weights_1, factors.output_by_z)
        np.testing.assert_allclose(by_w_2, gradient.weights_2[:, 0], rtol=1e-10)
        np.testing.assert_allclose(by_w_1, gradient.weights_1, rtol=1e-10)


def test_without_a_nonlinearity_two_layers_are_one():
    params, inputs, _ = drawn()
    values = chain_rule.forward(params, inputs, ACTIVATIONS["identity"], CRITERIA["cross_entropy"])
    weights = params.weights_1 @ params.weights_2
    bias = params.bias_1 @ params.weights_2 + params.bias_2
    np.testing.assert_allclose(
        values.scores, inputs @ weights + bias[None, :], rtol=2e-4, atol=1e-4
    )


def test_equal_scores_cost_the_logarithm_of_the_number_of_classes():
    params = TwoLayer(jnp.zeros(3), jnp.zeros((2, 3)), jnp.zeros(4), jnp.zeros((3, 4)))
    loss = chain_rule.mean_loss(params, jnp.ones((5, 2)), jnp.eye(4)[:1].repeat(5, 0), *rectified())
    assert float(loss) == pytest.approx(np.log(4.0))


def test_a_step_by_hand_lowers_the_loss():
    params, inputs, targets = drawn()
    before, gradient = chain_rule.hand_gradient(params, inputs, targets, *rectified())
    after = chain_rule.mean_loss(
        chain_rule.descend_by_hand(params, gradient, 1e-2), inputs, targets, *rectified()
    )
    expected = 1e-2 * sum(float((part**2).sum()) for part in gradient)
    assert float(before - after) == pytest.approx(expected, rel=0.1)


def test_first_weights_keep_the_scale_of_the_inputs():
    params = chain_rule.init_two_layer(jax.random.key(0), 400, 300, 10)
    inputs = jax.random.normal(jax.random.key(1), (50, 400))
    values = chain_rule.forward(params, inputs, *rectified())
    assert float(values.z.std()) == pytest.approx(1.0, rel=0.05)
    assert float(jnp.abs(params.bias_1).max()) == 0.0


def test_the_slides_factors_are_for_one_output():
    params, inputs, _ = drawn()
    with pytest.raises(ValueError, match="has 3 outputs"):
        chain_rule.slide_factors(params, inputs[0], jnp.array(0.0), ACTIVATIONS["tanh"])


def rectified():
    return ACTIVATIONS["relu"], CRITERIA["cross_entropy"]
