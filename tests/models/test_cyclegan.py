import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.cost import count_parameters
from lecture_models.models.cyclegan import PatchDiscriminator, TranslationGenerator, reflected
from tests.random_variables import random_variables


def described(module, side):
    image = jax.ShapeDtypeStruct((1, side, side, 3), jnp.float32)
    return jax.eval_shape(module.init, jax.random.key(0), image)["params"]


def test_the_networks_of_the_paper_have_their_parameters():
    assert count_parameters(described(TranslationGenerator(), 256)) == 11_378_179
    assert count_parameters(described(PatchDiscriminator(), 256)) == 2_764_737


def test_a_translation_has_the_size_of_its_picture_and_the_patches_of_256_are_30():
    image = jax.ShapeDtypeStruct((2, 256, 256, 3), jnp.float32)

    def shape(module):
        return jax.eval_shape(
            lambda images: module.init_with_output(jax.random.key(0), images)[0], image
        ).shape

    assert shape(TranslationGenerator()) == (2, 256, 256, 3)
    assert shape(PatchDiscriminator()) == (2, 30, 30)


def test_borders_are_mirrored_as_numpy_mirrors_them():
    x = jnp.arange(2.0 * 4 * 5).reshape(2, 4, 5, 1)
    expected = np.pad(np.asarray(x), ((0, 0), (3, 3), (3, 3), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(reflected(x, 3), expected)


@pytest.mark.parametrize(("strided", "field"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_a_patch(strided, field):
    """Traces the support of the gradient; instance norm would spread it over the image."""
    judge = PatchDiscriminator(width=1, strided=strided)
    side = 104
    images = jnp.zeros((1, side, side, 3))
    params = jax.tree.map(
        lambda leaf: jnp.abs(jax.random.normal(jax.random.key(2), leaf.shape)) + 0.1,
        described(judge, side),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lecture_models.models.cyclegan.instance_norm", lambda x: x)
        middle = side // 2**strided // 2

        def logit(images):
            return judge.apply({"params": params}, images)[0, middle, middle]

        gradient = np.asarray(jax.grad(logit)(images))[0]
    rows = np.flatnonzero(np.abs(gradient).sum((1, 2)))
    assert rows[-1] - rows[0] + 1 == field == len(rows)


def test_a_generator_without_blocks_translates_and_its_pixels_are_bounded():
    generator = TranslationGenerator(width=2, blocks=0)
    images = jax.random.normal(jax.random.key(0), (2, 8, 12, 3))
    output = generator.apply(random_variables(generator, images), images)
    assert output.shape == images.shape
    assert float(jnp.abs(output).max()) <= 1.0
    assert float(output.std()) > 0.0


def test_sizes_that_do_not_fit_are_refused():
    for shape in ((1, 10, 8, 3), (1, 4, 4, 3)):
        with pytest.raises(ValueError, match=r"both sides must be multiples of 4, at least 8"):
            jax.eval_shape(TranslationGenerator(2, 1).init, jax.random.key(0), jnp.zeros(shape))
    with pytest.raises(ValueError, match="images are 16x16; for 3 strided layers"):
        jax.eval_shape(PatchDiscriminator(2).init, jax.random.key(0), jnp.zeros((1, 16, 16, 3)))
