import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.attribution.occlusion import corners, occlusion_map

IMAGE = jax.random.uniform(jax.random.key(0), (9, 11, 3), minval=-1.0)
FILTER = jax.random.normal(jax.random.key(1), (1, 9, 11, 3))


@jax.jit
def score(images):
    return jnp.tanh((images * FILTER).sum((1, 2, 3)))


def by_hand(size, stride, fill):
    """One image after the other."""
    falls, counts = np.zeros((9, 11)), np.zeros((9, 11))
    for top in corners(9, size, stride):
        for left in corners(11, size, stride):
            covered = IMAGE.at[top : top + size, left : left + size].set(fill)
            fall = float(score(IMAGE[None])[0] - score(covered[None])[0])
            falls[top : top + size, left : left + size] += fall
            counts[top : top + size, left : left + size] += 1
    return falls / counts


@pytest.mark.parametrize("batch_size", [1, 4, 20, 50])
def test_batches_give_what_a_loop_gives(batch_size):
    found = occlusion_map(score, IMAGE, 3, 2, batch_size, 0.5)
    np.testing.assert_allclose(found, by_hand(3, 2, 0.5), atol=1e-5)


def test_patches_of_a_pixel_give_a_linear_scores_own_parts():
    found = occlusion_map(lambda images: (images * FILTER).sum((1, 2, 3)), IMAGE, 1, 1, 99)
    np.testing.assert_allclose(found, (IMAGE * FILTER[0]).sum(-1), atol=1e-4)


def test_the_map_is_high_where_the_object_lies():
    image = jnp.full((12, 12, 3), -1.0).at[2:6, 7:11].set(1.0)
    found = occlusion_map(lambda images: images.mean((1, 2, 3)), image, 4, 1, 9, -1.0)
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert 2 <= row < 6
    assert 7 <= column < 11


def test_the_last_patch_ends_with_the_image():
    assert corners(10, 4, 3) == [0, 3, 6]
    assert corners(11, 4, 3) == [0, 3, 6, 7]
    assert corners(4, 4, 4) == [0]


@pytest.mark.parametrize(("size", "stride"), [(10, 1), (0, 1), (3, 0), (3, 4)])
def test_patches_that_do_not_fit_or_leave_pixels_out_are_refused(size, stride):
    with pytest.raises(
        ValueError, match=f"patches of {size} pixels at stride {stride} on 9 pixels"
    ):
        corners(9, size, stride)
