import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space.gram import gram_loss, gram_matrix
from lecture_models.image_space.tiles import partition, tile_grid, tiled_objective, tiled_sums
from lecture_models.metrics.receptive_field import ReceptiveField, WindowedLayer, receptive_field
from lecture_models.nn.pooling import max_pool

FIELD = receptive_field([WindowedLayer(5, 2, 2), WindowedLayer(3, 2, 0), WindowedLayer(3, 1, 1)])


def random_filters(seed, channels=6):
    random = np.random.default_rng(seed)
    shapes = (5, 5, 3, channels), (3, 3, channels, 8)
    return [jnp.asarray(random.normal(0.0, 0.3, shape), jnp.float32) for shape in shapes]


def convolve(x, filters, stride, padding):
    return jax.lax.conv_general_dilated(
        x,
        filters,
        (stride, stride),
        [(padding, padding)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def features(filters, images):
    """Computes a network with strides, a rounded-up pooling and padding, which matter at edges."""
    first, second = filters
    x = max_pool(jax.nn.relu(convolve(images, first, 2, 2)), 3, 2, ceil=True)
    return jax.nn.relu(convolve(x, second, 1, 1))


def energy(filters, images):
    found = features(filters, images)
    return 0.5 * jnp.square(found).sum((1, 2, 3))


def tile_energy(filters, crop, tile):
    return 0.5 * jnp.square(tile.units(features(filters, crop), (4, 4))).sum((1, 2, 3))


def tile_gram(filters, crop, tile):
    return gram_matrix(tile.units(features(filters, crop), (4, 4)))


def images_of(height, width):
    return jax.random.uniform(jax.random.key(3), (2, height, width, 3), minval=-1.0, maxval=1.0)


def both(value, filters, images):
    """Returns the values, and the gradient of the first one plus twice the second one."""

    @jax.jit
    def values_and_gradient(filters, images):
        values, pull = jax.vjp(lambda each: value(filters, each), images)
        return values, pull(jnp.arange(1.0, 1.0 + len(images)))[0]

    return values_and_gradient(filters, images)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "tile"), [((64, 64), 24), ((75, 66), 30), ((37, 90), 16), ((61, 50), 200)]
)
def test_energy_and_gradient_of_tiles_are_those_of_the_whole(size, tile):
    filters, images = random_filters(0), images_of(*size)
    tiles = tile_grid(size, tile, [FIELD], [FIELD])
    found = both(tiled_objective(tile_energy, tiles), filters, images)
    for ours, whole in zip(found, both(energy, filters, images), strict=True):
        np.testing.assert_allclose(ours, whole, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_a_gram_loss_of_tiles_is_that_of_the_whole():
    filters, images = random_filters(1), images_of(70, 58)
    _, rows, columns, _ = jax.eval_shape(features, filters, images).shape
    target, places = 40.0 * jnp.eye(8), float(rows * columns)

    def whole(filters, images):
        return gram_loss(features(filters, images), target)

    def value(filters, images):
        grams = tiled_sums(tile_gram, tiles, lambda arguments, tile: arguments)(filters, images)
        return jnp.square((grams - target[None]) / places).sum((1, 2)) / (4.0 * 8**2)

    tiles = tile_grid((70, 58), 20, [FIELD], [FIELD])
    found = both(value, filters, images)
    for ours, expected in zip(found, both(whole, filters, images), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6)
    only_values = jax.jit(value)(filters, images)
    np.testing.assert_allclose(only_values, found[0], rtol=1e-5)


@pytest.mark.slow
def test_tiles_in_a_compiled_function_are_as_outside_of_it():
    filters, images = random_filters(2), images_of(48, 24)
    value = tiled_objective(tile_energy, tile_grid((48, 24), 24, [FIELD], [FIELD]))
    gradient = jax.grad(lambda images: value(filters, images).sum())
    np.testing.assert_allclose(jax.jit(gradient)(images), gradient(images), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_pixel_of_one_image_leaves_the_other_image_and_other_tiles_as_they_are(bad):
    filters, images = random_filters(2), images_of(48, 24)
    value = tiled_objective(tile_energy, tile_grid((48, 24), 24, [FIELD], [FIELD]))
    values, gradient = both(value, filters, images.at[0, 0, 0, 0].set(bad))
    clean_values, clean_gradient = both(value, filters, images)
    assert not np.isfinite(values[0])
    assert values[1] == clean_values[1]
    np.testing.assert_array_equal(gradient[1], clean_gradient[1])
    np.testing.assert_array_equal(gradient[0, -8:], clean_gradient[0, -8:])


def test_a_target_with_positions_is_cut_to_the_tiles():
    filters, images = random_filters(1), images_of(45, 38)
    target = 0.3 + jax.random.uniform(
        jax.random.key(5), jax.eval_shape(features, filters, images).shape
    )

    def sums(arguments, crop, tile):
        filters, part = arguments
        return (tile.units(features(filters, crop), (4, 4)) * part).sum((1, 2, 3))

    def cut(arguments, tile):
        return arguments[0], tile.of_whole(arguments[1], (4, 4))

    tiles = tile_grid((45, 38), 16, [FIELD], [FIELD])
    total = jax.jit(tiled_sums(sums, tiles, cut))((filters, target), images)
    expected = (features(filters, images) * target).sum((1, 2, 3))
    np.testing.assert_allclose(total, expected, rtol=1e-5)


def test_every_unit_is_counted_in_one_tile():
    for size in (40, 64, 75, 131):
        images = jnp.zeros((1, size, size, 3))
        rows = jax.eval_shape(features, random_filters(0), images).shape[1]
        counted = []
        for part in partition(size, 20, [FIELD]):
            span = part.units(4)
            offset = part.start // 4
            stop = rows if span.stop is None else offset + span.stop
            counted += range(offset + span.start, stop)
        assert counted == list(range(rows))


def test_layers_of_several_strides_share_their_tiles():
    fine = receptive_field([WindowedLayer(5, 2, 2)])
    for part in partition(100, 24, [fine, FIELD]):
        assert part.start % 4 == part.core % 4 == 0
        assert part.units(2).start == 2 * part.units(4).start


def test_a_crop_holds_what_its_units_see():
    parts = partition(400, 64, [ReceptiveField(99, 16, 14.0)])
    for part in parts[1:-1]:
        assert part.start <= 14 + part.core - 49
        assert part.stop >= 14 + (part.core_stop - 16) + 49 + 1


@pytest.mark.slow
def test_memory_of_tiles_is_a_fraction_of_the_whole():
    filters = random_filters(0, 64)
    shape = jax.ShapeDtypeStruct((1, 256, 512, 3), jnp.float32)
    tiles = tile_grid((256, 512), 128, [FIELD], [FIELD])

    def needed(value):
        gradient = jax.jit(jax.grad(lambda images: value(filters, images).sum()))
        return gradient.lower(shape).compile().memory_analysis().temp_size_in_bytes

    def tiled_gram(filters, images):
        grams = tiled_sums(tile_gram, tiles, lambda arguments, tile: arguments)(filters, images)
        return jnp.square(grams).sum((1, 2))

    most = 0.4 * needed(energy)
    assert needed(tiled_objective(tile_energy, tiles)) < most
    assert needed(tiled_gram) < most


def test_a_tile_smaller_than_a_stride_is_refused():
    with pytest.raises(
        ValueError, match="the tile is 3 pixels; it must be at least the stride of a unit, 4"
    ):
        partition(100, 3, [FIELD])
