import jax
import jax.numpy as jnp
import pytest

from lecture_models.models.chollet_vae import CholletDecoder, CholletEncoder


def shapes(module, inputs):
    return jax.eval_shape(module.init, jax.random.key(0), inputs)["params"]


def sizes(params):
    return {
        name: sum(leaf.size for leaf in jax.tree.leaves(layer)) for name, layer in params.items()
    }


def test_the_decoder_has_the_lectures_parameters_layer_by_layer():
    found = sizes(shapes(CholletDecoder((28, 28, 1)), jnp.zeros((1, 2))))
    assert found == {"Dense_0": 37_632, "ConvTranspose_0": 18_464, "Conv_0": 289}
    assert sum(found.values()) == 56_385


def test_the_decoder_gives_a_digit():
    decoder = CholletDecoder((28, 28, 1))
    logits = jax.eval_shape(
        lambda key, codes: decoder.init_with_output(key, codes)[0],
        jax.random.key(0),
        jnp.zeros((3, 2)),
    )
    assert logits.shape == (3, 28, 28, 1)


def test_the_encoder_has_the_books_parameters_layer_by_layer():
    found = sizes(shapes(CholletEncoder(4), jnp.zeros((1, 28, 28, 1))))
    assert found == {
        "Conv_0": 320,
        "Conv_1": 18_496,
        "Conv_2": 36_928,
        "Conv_3": 36_928,
        "Dense_0": 14 * 14 * 64 * 32 + 32,
        "Dense_1": 32 * 4 + 4,
    }


def test_odd_sides_are_refused():
    with pytest.raises(ValueError, match="images are 27x28"):
        shapes(CholletDecoder((27, 28, 1)), jnp.zeros((1, 2)))
