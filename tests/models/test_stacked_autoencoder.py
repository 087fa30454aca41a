import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.models.stacked_autoencoder import decode, encode, init_layer, reconstruct


@pytest.fixture(scope="module")
def layers():
    keys = jax.random.split(jax.random.key(0), 3)
    sizes = ((6, 5), (5, 4), (4, 2))
    made = [init_layer(key, *size) for key, size in zip(keys, sizes, strict=True)]
    return [layer._replace(decoder_bias=layer.decoder_bias + 0.3) for layer in made]


@pytest.mark.slow
def test_a_stack_goes_up_and_down_through_sigmoids(layers):
    inputs = jax.random.uniform(jax.random.key(1), (3, 6))
    x = np.asarray(inputs, np.float64)
    exact = [jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), layer) for layer in layers]
    for layer in exact:
        x = 1.0 / (1.0 + np.exp(-(x @ layer.encoder_kernel + layer.encoder_bias)))
    np.testing.assert_allclose(encode(layers, inputs), x, rtol=1e-5)
    for layer in reversed(exact):
        x = 1.0 / (1.0 + np.exp(-(x @ layer.decoder_kernel + layer.decoder_bias)))
    np.testing.assert_allclose(reconstruct(layers, inputs), x, rtol=1e-5)


def test_a_part_of_the_stack_is_an_autoencoder_of_the_codes_below(layers):
    inputs = jax.random.uniform(jax.random.key(1), (3, 6))
    below = encode(layers[:1], inputs)
    whole = encode(layers, inputs)
    np.testing.assert_allclose(encode(layers[1:], below), whole, rtol=1e-6)
    inner = jax.nn.sigmoid(decode(layers[1:], whole))
    np.testing.assert_allclose(decode(layers[:1], inner), decode(layers, whole), rtol=1e-6)


def test_an_empty_stack_encodes_as_the_identity_and_cannot_decode():
    inputs = jnp.ones((1, 6))
    assert encode((), inputs) is inputs
    with pytest.raises(ValueError, match="the stack has 0 layers"):
        decode((), inputs)


@pytest.mark.slow
def test_weights_begin_with_the_variance_of_glorot_and_biases_at_zero():
    layer = init_layer(jax.random.key(0), 300, 100)
    for kernel in (layer.encoder_kernel, layer.decoder_kernel):
        assert float(kernel.var()) == pytest.approx(2.0 / 400.0, rel=0.05)
    assert not layer.encoder_bias.any()
    assert not layer.decoder_bias.any()
