import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.models.autoencoder import (
    ConvDecoder,
    ConvEncoder,
    DenseDecoder,
    DenseEncoder,
    SubpixelDecoder,
    pixels,
)

MNIST = (28, 28, 1)


def count(module, inputs):
    shapes = jax.eval_shape(module.init, jax.random.key(0), inputs)
    return sum(leaf.size for leaf in jax.tree.leaves(shapes))


def test_the_autoencoder_of_2006_has_its_parameters():
    """Checks 784-1000-500-250-30 and back: 1.4 million weights and biases each way."""
    encoder, decoder = (
        count(DenseEncoder((1000, 500, 250), 30), jnp.zeros((1, *MNIST))),
        count(DenseDecoder((250, 500, 1000), MNIST), jnp.zeros((1, 30))),
    )
    assert encoder == 785 * 1000 + 1001 * 500 + 501 * 250 + 251 * 30
    assert decoder == 31 * 250 + 251 * 500 + 501 * 1000 + 1001 * 784
    assert encoder + decoder == 2_837_314


def test_the_convolutional_autoencoder_has_a_tenth_of_the_parameters():
    encoder = count(ConvEncoder((32, 64), 30), jnp.zeros((1, *MNIST)))
    decoder = count(ConvDecoder((64, 32), MNIST), jnp.zeros((1, 30)))
    assert encoder == 10 * 32 + (9 * 32 + 1) * 64 + (7 * 7 * 64 + 1) * 30
    assert decoder == 31 * 7 * 7 * 64 + (9 * 64 + 1) * 32 + (9 * 32 + 1) * 1


@pytest.mark.slow
@pytest.mark.parametrize("image_shape", [(28, 28, 1), (12, 20, 3)])
@pytest.mark.parametrize(
    ("make_encoder", "make_decoder"),
    [
        (lambda: DenseEncoder((8,), 5), lambda shape: DenseDecoder((8,), shape)),
        (lambda: ConvEncoder((4, 6), 5), lambda shape: ConvDecoder((6, 4), shape)),
    ],
)
def test_images_of_any_shape_become_codes_and_logits_of_their_shape(
    image_shape, make_encoder, make_decoder
):
    images = jax.random.uniform(jax.random.key(0), (2, *image_shape), minval=-1.0)
    codes, _ = make_encoder().init_with_output(jax.random.key(1), images)
    logits, _ = make_decoder(image_shape).init_with_output(jax.random.key(2), codes)
    assert codes.shape == (2, 5)
    assert logits.shape == images.shape


def test_an_encoder_without_hidden_layers_is_affine_in_pixels_from_zero_to_one():
    images = jax.random.uniform(jax.random.key(0), (3, 4, 4, 1), minval=-1.0)
    codes, variables = DenseEncoder((), 5).init_with_output(jax.random.key(1), images)
    kernel = variables["params"]["Dense_0"]["kernel"]
    np.testing.assert_allclose(codes, (images.reshape(3, 16) + 1.0) / 2.0 @ kernel, rtol=1e-5)


def test_the_code_is_linear_by_default():
    images = jax.random.uniform(jax.random.key(0), (3, 4, 4, 1), minval=-1.0)
    linear, squashed = DenseEncoder((6,), 5), DenseEncoder((6,), 5, code_nonlinearity=nn.sigmoid)
    variables = linear.init(jax.random.key(1), images)
    np.testing.assert_allclose(
        squashed.apply(variables, images), nn.sigmoid(linear.apply(variables, images)), rtol=1e-6
    )


@pytest.mark.slow
def test_the_nonlinearity_reaches_every_hidden_layer():
    images, codes = jnp.ones((1, 8, 8, 1)), jnp.ones((1, 5))
    dead = jnp.zeros_like
    for module, inputs in (
        (DenseEncoder((6, 6), 5, dead), images),
        (DenseDecoder((6, 6), (8, 8, 1), dead), codes),
        (ConvEncoder((4, 4), 5, dead), images),
        (ConvDecoder((4, 4), (8, 8, 1), dead), codes),
    ):
        outputs, variables = module.init_with_output(jax.random.key(0), inputs)
        assert not outputs.any()  # Biases begin at 0: only the last layer's is left.
        assert all(jnp.abs(leaf).max() < 3.0 for leaf in jax.tree.leaves(variables))


def test_sides_that_doubling_cannot_give_are_refused():
    with pytest.raises(ValueError, match="images are 28x30; for 2 doublings .* multiples of 4"):
        ConvDecoder((4, 4), (28, 30, 1)).init(jax.random.key(0), jnp.zeros((1, 5)))


def test_pixels_are_the_sigmoid_of_their_logits_on_zero_to_one():
    logits = jnp.linspace(-6.0, 6.0, 16).reshape(1, 4, 4, 1)
    found = (pixels(logits) + 1.0) / 2.0
    np.testing.assert_allclose(found, jax.nn.sigmoid(logits), atol=1e-6)


def test_subpixel_maps_are_rearranged_to_two_by_two_pixels():
    decoder = SubpixelDecoder((), (1,), (2, 2, 1))
    params = decoder.init(jax.random.key(0), jnp.zeros((1, 3)))["params"]
    params = jax.tree.map(jnp.zeros_like, params)
    params["Conv_0"]["bias"] = jnp.arange(4.0)
    logits = decoder.apply({"params": params}, jnp.zeros((1, 3)))
    assert logits[0, :, :, 0].tolist() == [[0.0, 1.0], [2.0, 3.0]]


@pytest.mark.slow
def test_the_subpixel_decoder_has_its_parameters_and_an_images_shape():
    decoder = SubpixelDecoder((256,), (32, 16), (28, 28, 1))
    logits, params = decoder.init_with_output(jax.random.key(0), jnp.zeros((2, 2)))
    assert logits.shape == (2, 28, 28, 1)
    expected = [2 * 256 + 256, 257 * 7 * 7 * 32, (9 * 32 + 1) * 64, (9 * 16 + 1) * 4]
    layers = params["params"].values()
    assert sorted(sum(x.size for x in layer.values()) for layer in layers) == sorted(expected)


@pytest.mark.slow
def test_the_subpixel_decoder_refuses_sides_that_it_cannot_halve():
    with pytest.raises(ValueError, match="images are 30x28; for 2 doublings both sides"):
        SubpixelDecoder((), (4, 4), (30, 28, 1)).init(jax.random.key(0), jnp.zeros((1, 2)))
