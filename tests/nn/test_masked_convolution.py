"""Tests masked convolutions: which inputs an output sees, exactly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.nn.masked_convolution import (
    MASKS,
    MaskedConvolution,
    Position,
    acting_parameters,
    channel_groups,
    kernel_mask,
)

SIDE = 5


def support(convolution, channels, side=SIDE):
    """Returns, for each output of each map, which inputs its gradient touches."""
    images = jax.random.normal(jax.random.key(1), (1, side, side, channels))
    variables = {"params": convolution.init(jax.random.key(0), images)["params"]}
    jacobian = jax.jacobian(lambda images: convolution.apply(variables, images)[0])(images)
    return np.asarray(jacobian[:, :, :, 0] != 0.0)


def raster(side=SIDE):
    return np.arange(side * side).reshape(side, side)


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("mask", ["A", "B"])
def test_an_output_sees_exactly_the_earlier_pixels_of_its_window(mask, size):
    if mask == "A" and size == 1:
        return  # Sees nothing.
    seen = support(MaskedConvolution(2, (size, size), mask), 1)
    order, radius = raster(), size // 2
    for row, column in np.ndindex(SIDE, SIDE):
        rows, columns = np.indices((SIDE, SIDE))
        window = (abs(rows - row) <= radius) & (abs(columns - column) <= radius)
        earlier = order < order[row, column] if mask == "A" else order <= order[row, column]
        for feature in range(2):
            np.testing.assert_array_equal(seen[row, column, feature, ..., 0], window & earlier)


@pytest.mark.parametrize(("mask", "last"), [("rows A", -1), ("rows B", 0)])
def test_an_output_of_the_vertical_stack_sees_whole_rows(mask, last):
    seen = support(MaskedConvolution(1, (3, 3), mask), 1)
    rows, columns = np.indices((SIDE, SIDE))
    for row, column in np.ndindex(SIDE, SIDE):
        window = (abs(columns - column) <= 1) & (rows >= row - 1) & (rows <= row + last)
        np.testing.assert_array_equal(seen[row, column, 0, ..., 0], window)


@pytest.mark.parametrize("mask", ["A", "B"])
def test_of_the_own_pixel_an_output_sees_the_earlier_channels(mask):
    seen = support(MaskedConvolution(6, (3, 3), mask, num_groups=3), 3)
    groups = channel_groups(6, 3)
    assert groups.tolist() == [0, 0, 1, 1, 2, 2]
    for feature, group in enumerate(groups):
        own = seen[2, 2, feature, 2, 2].tolist()
        last = group - 1 if mask == "A" else group
        assert own == [channel <= last for channel in range(3)]
        assert seen[2, 2, feature, 1].all(axis=-1).tolist() == [False, True, True, True, False]
        assert not seen[2, 2, feature, 2, 3:].any()


@pytest.mark.parametrize("mask", MASKS)
def test_a_mask_has_no_rows_below(mask):
    assert kernel_mask((5, 3), 2, 4, mask).shape == (3, 3, 2, 4)


def test_the_masks_of_figure_2():
    a = kernel_mask((3, 3), 3, 3, "A", 3)
    b = kernel_mask((3, 3), 3, 3, "B", 3)
    np.testing.assert_array_equal(a[1, 1], np.triu(np.ones((3, 3)), 1))  # R -> G, R -> B, G -> B
    np.testing.assert_array_equal(b[1, 1], np.triu(np.ones((3, 3))))
    assert a[0].all()
    assert a[1, 0].all()
    assert not a[1, 2].any()


def test_parameters_that_act_are_counted():
    images = jnp.zeros((1, 4, 4, 1))
    params = MaskedConvolution(8, (7, 7), "A").init(jax.random.key(0), images)["params"]
    assert params["convolution"]["kernel"].shape == (4, 7, 1, 8)
    assert acting_parameters(params) == (3 * 7 + 3) * 8 + 8


def test_masked_weights_stay_zero_under_a_gradient():
    images = jax.random.normal(jax.random.key(1), (2, 4, 4, 1))
    convolution = MaskedConvolution(2, (3, 3), "A")
    params = convolution.init(jax.random.key(0), images)["params"]
    gradient = jax.grad(lambda p: convolution.apply({"params": p}, images).sum())(params)
    kernel = gradient["convolution"]["kernel"]
    acts = kernel_mask((3, 3), 1, 2, "A")
    assert not np.asarray(kernel)[acts == 0].any()
    assert np.asarray(kernel)[acts == 1].all()


def test_the_variance_of_the_outputs_does_not_depend_on_the_mask():
    images = jax.random.normal(jax.random.key(1), (8, 12, 12, 16))
    for mask in MASKS:
        convolution = MaskedConvolution(64, (3, 3), mask)
        maps = convolution.apply(
            {"params": convolution.init(jax.random.key(2), images)["params"]}, images
        )
        assert float(maps[:, 2:, 2:-2].std()) == pytest.approx(1.0, rel=0.15)


@pytest.mark.parametrize(("size", "mask"), [((3, 5), "B"), ((1, 3), "B"), ((3, 3), "rows B")])
def test_outputs_from_caches_are_those_of_the_whole_maps(size, mask):
    maps = jax.random.normal(jax.random.key(1), (2, 4, 4, 3))
    convolution = MaskedConvolution(5, size, mask)
    variables = {"params": convolution.init(jax.random.key(0), maps)["params"]}
    whole, empty = convolution.apply(variables, maps, mutable=["cache"])
    caches, rows = empty, mask.startswith("rows")
    for row in range(4):
        for column in [None] if rows else range(4):
            place = Position(row, column)
            part = maps[:, row : row + 1, (slice(None) if rows else slice(column, column + 1))]
            found, caches = convolution.apply(
                {**variables, **caches}, part, place, mutable=["cache"]
            )
            expected = whole[:, row : row + 1, (slice(None) if rows else slice(column, column + 1))]
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_call_with_a_position_needs_caches():
    convolution = MaskedConvolution(2, (3, 3), "B")
    variables = {"params": convolution.init(jax.random.key(0), jnp.zeros((1, 4, 4, 1)))["params"]}
    with pytest.raises(ValueError, match="there is no cache"):
        convolution.apply(variables, jnp.zeros((1, 1, 1, 1)), Position(0, 0), mutable=["cache"])


@pytest.mark.parametrize("size", [(2, 3), (3, 4), (0, 1)])
def test_a_filter_without_a_middle_is_refused(size):
    with pytest.raises(ValueError, match="both sides must be odd"):
        kernel_mask(size, 1, 1, "A")


def test_an_unknown_mask_is_refused():
    with pytest.raises(ValueError, match="mask is 'C'"):
        kernel_mask((3, 3), 1, 1, "C")


def test_fewer_maps_than_image_channels_are_refused():
    with pytest.raises(ValueError, match="2 maps for 3 image channels"):
        channel_groups(2, 3)
