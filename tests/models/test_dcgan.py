import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from lecture_models.metrics.cost import count_parameters
from lecture_models.models.dcgan import (
    DISCRIMINATOR_64,
    GENERATOR_64,
    Discriminator,
    Generator,
)
from lecture_models.nn.transposed_convolution import transposed_convolution


def key():
    return jax.random.key(0)


def shapes(module, *inputs):
    return jax.eval_shape(lambda: module.init(key(), *map(jnp.zeros, inputs)))


def count(module, *inputs):
    return count_parameters(shapes(module, *inputs)["params"])


@pytest.mark.slow
def test_the_networks_of_64_pixels_have_the_published_numbers_of_parameters():
    assert count(GENERATOR_64(), (1, 100)) == 3_576_704
    assert count(DISCRIMINATOR_64(), (1, 64, 64, 3)) == 2_765_568


@pytest.mark.slow
def test_the_maps_of_64_pixels_halve_from_32_to_4():
    _, maps = jax.eval_shape(
        lambda: DISCRIMINATOR_64().init_with_output(key(), jnp.zeros((2, 64, 64, 3)))[0]
    )
    assert [maps[f"conv{layer}"].shape for layer in range(1, 5)] == [
        (2, 32, 32, 64),
        (2, 16, 16, 128),
        (2, 8, 8, 256),
        (2, 4, 4, 512),
    ]


def test_the_generators_output_and_the_discriminators_input_are_not_normalized():
    generator = shapes(Generator((6, 4), (8, 8, 1)), (1, 3))["params"]
    discriminator = shapes(Discriminator((4, 6)), (1, 8, 8, 1))["params"]
    assert set(generator) == {"seed", "norm1", "conv1", "norm2", "conv2"}
    assert generator["norm2"]["scale"].shape == (4,)  # The 8x8 maps of `conv2` have none.
    assert set(discriminator) == {"conv1", "conv2", "norm2", "logit"}
    assert "bias" not in discriminator["conv1"]


def test_dense_layers_lie_between_the_latents_and_the_maps_and_behind_them():
    generator = shapes(Generator((6,), (4, 4, 1), (5,)), (1, 3))["params"]
    discriminator = shapes(Discriminator((6,), False, False, (5,)), (1, 4, 4, 1))["params"]
    assert generator["dense1"]["kernel"].shape == (3, 5)
    assert generator["seed"]["kernel"].shape == (5, 2 * 2 * 6)
    assert discriminator["dense1"]["kernel"].shape == (2 * 2 * 6, 5)
    assert discriminator["logit"]["kernel"].shape == (5, 1)


@pytest.mark.slow
def test_without_a_dense_layer_no_two_distant_pixels_are_judged_together():
    """Looks for a mixed derivative of the logit by pixels more than 10 pixels apart."""
    images = jax.random.normal(key(), (1, 28, 28, 1))

    def mixed(hidden):
        network = Discriminator((4, 4), False, False, hidden)
        variables = network.init(key(), images)

        def logit(first, second):
            moved = images.at[0, 8, 8, 0].add(first).at[0, 20, 20, 0].add(second)
            return 100.0 * network.apply(variables, moved)[0][0]

        apart = logit(5.0, 5.0) - logit(5.0, 0.0) - logit(0.0, 5.0) + logit(0.0, 0.0)
        scale = abs(logit(5.0, 0.0) - logit(0.0, 0.0)) + abs(logit(0.0, 5.0) - logit(0.0, 0.0))
        return float(abs(apart) / scale)

    assert mixed(()) < 1e-3
    assert mixed((32,)) > 1e-2


@pytest.mark.slow
def test_weights_and_scales_are_drawn_as_in_the_paper():
    params = Generator((64, 32), (28, 28, 1)).init(key(), jnp.zeros((1, 100)))["params"]
    for layer in ("seed", "conv1"):
        assert float(params[layer]["kernel"].std()) == pytest.approx(0.02, rel=0.05)
        assert float(params[layer]["kernel"].mean()) == pytest.approx(0.0, abs=1e-3)
    assert float(params["norm1"]["scale"].mean()) == pytest.approx(1.0, abs=0.02)
    assert 0.01 < float(params["norm1"]["scale"].std()) < 0.03


@pytest.mark.slow
def test_in_evaluation_an_image_does_not_depend_on_its_batch():
    generator = Generator((4, 3), (8, 8, 1))
    latents = jax.random.normal(key(), (5, 3))
    variables = generator.init(key(), latents)
    whole = generator.apply(variables, latents)
    np.testing.assert_allclose(generator.apply(variables, latents[:1]), whole[:1], atol=1e-6)
    trained, _ = generator.apply(variables, latents, training=True, mutable=["batch_stats"])
    single, _ = generator.apply(variables, latents[:2], training=True, mutable=["batch_stats"])
    assert np.abs(trained[:2] - single).max() > 1e-4


@pytest.mark.parametrize(("side", "largest"), [(4, 1.3), (3, 5.0)])
def test_filters_of_side_four_draw_no_checkerboard_at_first(side, largest):
    """Compares the power of pixels by their place modulo 2, over many random filters.

    With side 3 a pixel gets one, two or four taps, so some have four times the power of others.
    """
    maps = jax.random.normal(key(), (8, 8, 8, 16))
    filters = 0.02 * jax.random.normal(jax.random.key(1), (side, side, 16, 64))
    images = np.asarray(transposed_convolution(maps, filters))[:, 2:-2, 2:-2]
    power = np.square(images.reshape(8, 6, 2, 6, 2, 64)).mean((0, 1, 3, 5))
    ratio = power.max() / power.min()
    assert ratio < largest
    assert (ratio > 3.0) == (side == 3)


def test_a_class_changes_the_image_and_the_logit():
    generator, discriminator = Generator((4,), (4, 4, 1)), Discriminator((4,), batch_norm=False)
    latents, classes = jnp.ones((2, 3)), jnp.eye(2)
    variables = generator.init(key(), latents, classes)
    images = generator.apply(variables, latents, classes)
    assert np.abs(images[0] - images[1]).max() > 0
    blank = jnp.zeros((2, 4, 4, 1))
    logits, _ = discriminator.apply(discriminator.init(key(), blank, classes), blank, classes)
    assert logits[0] != logits[1]


def test_a_side_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="10x10; both sides must be multiples of 4"):
        shapes(Generator((4, 4), (10, 10, 1)), (1, 3))
    with pytest.raises(ValueError, match="multiples of 4"):
        shapes(Discriminator((4, 4)), (1, 10, 10, 1))


@pytest.mark.slow
def test_spectral_normalization_divides_by_the_largest_singular_value():
    """Compares the estimate with NumPy's decomposition, after power iterations on fixed weights."""
    network = Discriminator((3,), batch_norm=False, spectral_norm=True)
    images = jax.random.normal(key(), (2, 4, 4, 1))
    variables = network.init(key(), images)
    update = jax.jit(
        lambda variables: network.apply(variables, images, training=True, mutable=["batch_stats"])[
            1
        ]["batch_stats"]
    )
    for _ in range(60):
        variables = variables | {"batch_stats": update(variables)}
    estimates = variables["batch_stats"]
    for layer in ("conv1", "logit"):
        kernel = np.asarray(variables["params"][layer]["kernel"])
        largest = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
        found = float(estimates[f"{layer}_spectral"][f"{layer}/kernel/sigma"])
        assert found == pytest.approx(largest, rel=1e-3)
    before = network.apply(variables, images)[0]
    doubled = jax.tree.map(lambda value: 2.0 * value, variables["params"])
    after = network.apply(variables | {"params": doubled}, images)[0]
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-6)  # All biases are 0.


def test_filters_are_drawn_by_the_initializer_that_is_given():
    images = jnp.zeros((1, 16, 16, 1))
    for init, deviation in ((None, 0.02), (nn.initializers.he_normal(), np.sqrt(2 / (16 * 32)))):
        given = {} if init is None else {"kernel_init": init}
        network = Discriminator((32, 64), batch_norm=False, **given)
        params = network.init(jax.random.key(0), images)["params"]
        assert float(params["conv2"]["kernel"].std()) == pytest.approx(deviation, rel=0.05)
