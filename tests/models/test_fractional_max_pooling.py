import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.cost import count_parameters
from lecture_models.models.fractional_max_pooling import FractionalMaxPoolingNet
from tests.random_variables import random_variables

TINY = {"width": 3, "num_poolings": 2, "padding": 0, "num_classes": 4}


@pytest.fixture(scope="module")
def images():
    return jax.random.uniform(jax.random.key(0), (2, 7, 7, 3), minval=-1.0)


@pytest.fixture(scope="module")
def variables(images):
    return random_variables(FractionalMaxPoolingNet(**TINY), images)


def shapes(**fields):
    model = FractionalMaxPoolingNet(**fields)
    images = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.float32)
    return jax.eval_shape(model.init_with_output, jax.random.key(0), images)


@pytest.mark.parametrize("overlapping", [False, True])
def test_six_poolings_by_sqrt_2_take_cifar_to_one_pixel(overlapping):
    (logits, activations), _ = shapes(overlapping=overlapping)
    assert logits.shape == (2, 10)
    found = [activations[f"pool{layer}"].shape[1:] for layer in range(1, 7)]
    assert found == [(side, side, 160 * n) for n, side in enumerate((25, 17, 11, 7, 4, 2), 1)]
    assert activations["relu8"].shape == (2, 1, 1, 1120)


def test_layer_n_has_n_times_160_filters_of_2x2():
    expected = 1120 * 1120 + 1120 + 1120 * 10 + 10
    inputs = 3
    for n in range(1, 8):
        expected += 4 * inputs * 160 * n + 160 * n
        inputs = 160 * n
    assert count_parameters(shapes()[1]["params"]) == expected


@pytest.mark.slow
def test_evaluation_needs_no_key_and_training_draws_regions(images, variables):
    model = FractionalMaxPoolingNet(**TINY, final_dropout=0.0)
    evaluate = jax.jit(model.apply)
    train = jax.jit(
        lambda key: model.apply(variables, images, training=True, rngs={"structure": key})[0]
    )
    np.testing.assert_array_equal(evaluate(variables, images)[0], evaluate(variables, images)[0])
    logits = [train(jax.random.key(seed)) for seed in (0, 0, 1, 2, 3)]
    np.testing.assert_array_equal(logits[0], logits[1])
    assert any((logits[0] != each).any() for each in logits[2:])


@pytest.mark.slow
def test_random_evaluation_draws_regions_and_drops_nothing(images, variables):
    drawn = FractionalMaxPoolingNet(**TINY, random_evaluation=True)
    trained = FractionalMaxPoolingNet(**TINY, final_dropout=0.0)
    found = drawn.apply(variables, images, rngs={"structure": jax.random.key(5)})[0]
    key = jax.random.key(5)
    expected = trained.apply(variables, images, training=True, rngs={"structure": key})[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("fields", [{}, {"pseudorandom": False, "overlapping": False}])
def test_gradients_are_finite_and_none_is_zero(images, fields):
    model = FractionalMaxPoolingNet(**{**TINY, "num_poolings": 1}, **fields)
    variables, images = random_variables(model, images[:, :4, :4]), images[:, :4, :4]

    def loss(params):
        rngs = {"structure": jax.random.key(0), "dropout": jax.random.key(1)}
        return (model.apply({"params": params}, images, training=True, rngs=rngs)[0] ** 2).mean()

    for leaf in jax.tree.leaves(jax.jit(jax.grad(loss))(variables["params"])):
        assert jnp.isfinite(leaf).all()
        assert leaf.any()


def test_features_alone_have_no_classifier():
    (logits, _), variables = shapes(width=2, num_classes=0)
    assert logits.shape == (2, 0)
    assert "fc" not in variables["params"]


def test_logits_are_float32_in_mixed_precision():
    (logits, activations), _ = shapes(width=2, dtype=jnp.bfloat16)
    assert (logits.dtype, activations["pool6"].dtype) == (jnp.float32, jnp.bfloat16)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_factors_outside_1_to_2_are_refused(factor):
    with pytest.raises(ValueError, match=f"factor is {factor}"):
        FractionalMaxPoolingNet(factor=factor)


def test_images_that_are_pooled_away_are_refused():
    model = FractionalMaxPoolingNet(padding=0, width=2)
    with pytest.raises(ValueError, match="images are 20x20, too small for layer"):
        jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 20, 20, 3)))


def test_no_pooling_is_refused():
    with pytest.raises(ValueError, match="num_poolings is 0"):
        FractionalMaxPoolingNet(num_poolings=0)
