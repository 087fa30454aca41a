import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.models.unet import (
    UNet,
    enlarged_map,
    fold,
    level_sides,
    padded,
    unfold,
    with_positions,
)

KEY = jax.random.key(0)


def test_folding_and_unfolding_change_nothing():
    images = jax.random.normal(KEY, (2, 4, 6, 3))
    folded = fold(images, 2)
    assert folded.shape == (2, 2, 3, 12)
    np.testing.assert_array_equal(folded[0, 0, 0, :3], images[0, 0, 0])
    np.testing.assert_array_equal(unfold(folded, 2), images)


@pytest.mark.parametrize("shape", [(16, 16), (13, 18)])
def test_the_map_has_the_size_of_the_image(shape):
    model = UNet(2, (3, 4, 5))
    images = jnp.zeros((1, *shape, 3))
    variables = jax.eval_shape(model.init, KEY, images)
    maps, activations = jax.eval_shape(model.apply, variables, images)
    assert maps.shape == (1, *shape, 2)
    sides = level_sides(16, 2, 3)
    if shape == (16, 16):
        assert [activations[f"encoder_{level}"].shape[1] for level in range(3)] == list(sides)


def test_features_enter_the_deepest_levels():
    model = UNet(1, (3, 4, 5), reduced=2)
    images, features = jnp.zeros((1, 16, 16, 3)), (jnp.zeros((1, 4, 4, 7)), jnp.zeros((1, 2, 2, 9)))
    variables = jax.eval_shape(model.init, KEY, images, features)
    assert variables["params"]["reduce_1"]["kernel"].shape == (1, 1, 7, 2)
    assert variables["params"]["reduce_2"]["kernel"].shape == (1, 1, 9, 2)
    assert "reduce_0" not in variables["params"]


def test_parameters_are_those_counted_by_hand():
    variables = jax.eval_shape(UNet(1, (3, 4), fold=2).init, KEY, jnp.zeros((1, 8, 8, 3)))
    count = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    encoder = 9 * (20 * 3 + 3 * 3) + 2 * 2 * 3 + 9 * (3 * 4 + 4 * 4) + 2 * 2 * 4
    decoder = (4 * 3 + 3) + 9 * (6 * 3 + 3 * 3) + 2 * 2 * 3 + (3 * 4 + 4)
    assert count == encoder + decoder


def test_positions_run_from_corner_to_corner():
    positions = with_positions(jnp.zeros((1, 3, 5, 1)))[0, ..., 1:]
    np.testing.assert_allclose(positions[0, 0], [-1.0, -1.0])
    np.testing.assert_allclose(positions[1, 2], [0.0, 0.0])
    np.testing.assert_allclose(positions[2, 4], [1.0, 1.0])


def test_images_are_continued_by_their_edge():
    image = jnp.arange(6.0).reshape(1, 2, 3, 1)
    np.testing.assert_array_equal(padded(image, 4)[0, 3, :, 0], [3.0, 4.0, 5.0, 5.0])
    assert padded(image, 1).shape == image.shape
    assert level_sides(13, 2, 2) == (8, 4)


def test_a_constant_map_stays_constant_when_enlarged():
    np.testing.assert_allclose(enlarged_map(jnp.ones((1, 4, 4, 1)), (7, 9)), 1.0, rtol=1e-6)
