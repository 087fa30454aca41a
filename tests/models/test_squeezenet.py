import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.cost import count_parameters, multiply_adds
from lecture_models.models.squeezenet import SqueezeNet
from tests.models.networks import described, filled, image_shape, outputs, pictures, rectifiers

SMALL = SqueezeNet(num_classes=5)


def test_it_has_1235496_parameters():
    assert count_parameters(described(SqueezeNet(), 227)["params"]) == 1_235_496


def test_alexnet_has_49_times_as_many():
    ratio = 60_965_224 / count_parameters(described(SqueezeNet(), 227)["params"])
    assert ratio == pytest.approx(49.34, abs=0.01)


def test_layers_carry_caffes_names():
    params = described(SqueezeNet(), 227)["params"]
    fires = {f"fire{index}" for index in range(2, 10)}
    assert set(params) == {"conv1", "conv10"} | fires
    assert all(set(params[fire]) == {"squeeze1x1", "expand1x1", "expand3x3"} for fire in fires)


@pytest.mark.parametrize(
    ("side", "sides"), [(227, (113, 56, 28, 14, 14)), (224, (111, 55, 27, 13, 13))]
)
def test_maps_shrink_as_at_the_two_usual_sizes(side, sides):
    logits, activations = outputs(SqueezeNet(), side)
    names = ("conv1", "pool1", "pool3", "pool5", "conv10")
    assert tuple(activations[name][0] for name in names) == sides
    assert activations["conv10"][-1:] == logits == (1000,)


def test_every_rectifier_is_the_field():
    assert rectifiers(SqueezeNet(), 227) == 1 + 8 * 3 + 1


def test_without_classes_there_is_no_conv10_and_any_size_is_taken():
    network = SqueezeNet(num_classes=0)
    logits, activations = outputs(network, 75)
    assert logits == (0,)
    assert activations["fire9/concat"] == (4, 4, 512)
    assert "conv10" not in described(network, 75)["params"]


def test_an_image_too_small_is_refused():
    assert outputs(SMALL, 17)[0] == (5,)
    with pytest.raises(ValueError, match="maps of side 1 with padding 0"):
        described(SMALL, 16)


@pytest.fixture(scope="module")
def run():
    """Returns logits, activations and the gradient of a logit to the image, at 35x35."""
    variables, images = filled(SMALL, 35), pictures(35, batch=1)

    def total(images):
        logits, activations = SMALL.apply(variables, images)
        return logits.sum(), (logits, activations)

    (_, found), gradient = jax.jit(jax.value_and_grad(total, has_aux=True))(images)
    return *found, gradient


@pytest.mark.slow
def test_logits_are_means_of_rectified_class_maps(run):
    logits, activations, _ = run
    rectified = np.maximum(np.asarray(activations["conv10"]), 0.0)
    np.testing.assert_array_equal(activations["relu_conv10"], rectified)
    np.testing.assert_allclose(logits, rectified.mean((1, 2)), rtol=1e-5)


def test_a_fire_module_concatenates_its_two_expansions(run):
    _, activations, _ = run
    expansions = [activations[f"fire2/relu_expand{size}"] for size in ("1x1", "3x3")]
    np.testing.assert_array_equal(activations["fire2/concat"], np.concatenate(expansions, -1))


def test_gradient_to_the_image_is_finite_and_not_zero(run):
    *_, gradient = run
    assert jnp.isfinite(gradient).all()
    assert (gradient != 0.0).any()


def test_dropout_changes_the_class_maps_in_training_only():
    variables, images = filled(SMALL, 35), pictures(35, batch=1)
    apply = jax.jit(SMALL.apply, static_argnums=2)
    first, second = (
        apply(variables, images, True, rngs={"dropout": jax.random.key(seed)})[1] for seed in (0, 1)
    )
    assert (first["conv10"] != second["conv10"]).any()
    np.testing.assert_array_equal(first["fire9/concat"], second["fire9/concat"])


def test_it_costs_0_35_billion_multiply_adds_at_224():
    network = SqueezeNet()
    cost = multiply_adds(network.apply, described(network, 224), image_shape(224))
    assert cost == 349_151_936


def test_computed_in_bfloat16_parameters_and_logits_stay_float32():
    network = SMALL.clone(dtype=jnp.bfloat16)
    variables = described(network, 35)
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    logits, activations = jax.eval_shape(network.apply, variables, image_shape(35))
    assert (logits.dtype, activations["conv10"].dtype) == (jnp.float32, jnp.bfloat16)
