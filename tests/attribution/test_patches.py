import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.attribution.patches import (
    PatchBox,
    Peaks,
    PixelSpan,
    crop,
    in_place,
    peaks,
    receptive_box,
    top_peaks,
)
from lecture_models.metrics.receptive_field import WindowedLayer, receptive_field
from lecture_models.metrics.traced_field import ReceptiveFields, traced_channel_fields
from lecture_models.models.squeezenet import SqueezeNet
from lecture_models.models.vgg import VGG


def test_a_peak_is_the_first_of_the_largest():
    maps = np.zeros((2, 3, 4, 2), np.float32)
    maps[0, 1, 2, 0] = maps[0, 2, 3, 0] = 5.0
    maps[1, :, :, 1] = -1.0
    found = peaks(jnp.asarray(maps))
    assert found.values.tolist() == [[5.0, 0.0], [0.0, -1.0]]
    assert found.rows.tolist() == [[1, 0], [0, 0]]
    assert found.columns.tolist() == [[2, 0], [0, 0]]


def test_the_strongest_of_batches_are_the_strongest_of_all():
    random = np.random.default_rng(0)
    values = random.normal(size=(23, 3)).astype(np.float32)
    places = random.integers(0, 9, (2, 23, 3))
    found = None
    for first in range(0, 23, 5):
        part = slice(first, first + 5)
        found = top_peaks(Peaks(values[part], *places[:, part]), first, 4, found)
    order = np.argsort(-values, axis=0)[:4]
    np.testing.assert_array_equal(found.images, order)
    np.testing.assert_array_equal(found.values, np.take_along_axis(values, order, 0))
    np.testing.assert_array_equal(found.rows, np.take_along_axis(places[0], order, 0))
    np.testing.assert_array_equal(found.columns, np.take_along_axis(places[1], order, 0))


def test_fewer_pictures_than_asked_for_are_all_there():
    values = np.array([[1.0], [3.0]], np.float32)
    found = top_peaks(Peaks(values, np.zeros((2, 1), int), np.zeros((2, 1), int)), 0, 9, None)
    assert found.images[:, 0].tolist() == [1, 0]
    with pytest.raises(ValueError, match="top is 0; it must be at least 1"):
        top_peaks(Peaks(values, values.astype(int), values.astype(int)), 0, 0, None)


def test_a_box_reaches_over_the_edge_as_far_as_the_padding():
    field = receptive_field([WindowedLayer(3, 1, 1), WindowedLayer(2, 2), WindowedLayer(3, 1, 1)])
    assert field.size == 8
    box = receptive_box(ReceptiveFields(field, None), 0, 5, 16, 20)
    assert box == PatchBox(PixelSpan(-3, 4), PixelSpan(0, 19))


def test_a_crop_over_the_edge_is_padded():
    picture = np.arange(12.0, dtype=np.float32).reshape(3, 4, 1)
    patch = crop(picture, PatchBox(PixelSpan(-1, 1), PixelSpan(2, 5)), fill=-7.0)
    assert patch[..., 0].tolist() == [[-7, -7, -7, -7], [2, 3, -7, -7], [6, 7, -7, -7]]
    inner = crop(picture, PatchBox(PixelSpan(1, 2), PixelSpan(0, 1)))
    assert inner[..., 0].tolist() == [[4, 5], [8, 9]]


def test_a_patch_goes_back_to_its_place():
    picture = np.arange(12.0, dtype=np.float32).reshape(3, 4, 1)
    box = PatchBox(PixelSpan(-1, 1), PixelSpan(2, 5))
    back = in_place(crop(picture, box), box, 3, 4, around=-1.0)
    assert back[..., 0].tolist() == [[-1, -1, 2, 3], [-1, -1, 6, 7], [-1, -1, -1, -1]]


def test_boxes_that_fit_nothing_are_refused():
    picture = np.zeros((3, 4, 1), np.float32)
    with pytest.raises(ValueError, match="no pixel of .* is inside an image of 3x4 pixels"):
        crop(picture, PatchBox(PixelSpan(3, 5), PixelSpan(0, 1)))
    with pytest.raises(ValueError, match=r"patch has shape \(3, 4, 1\)"):
        in_place(picture, PatchBox(PixelSpan(0, 1), PixelSpan(0, 1)), 3, 4)


SMALL_VGG = VGG(stages=((6, (3, 3)), (8, (3, 3))), num_classes=0)
NETWORKS = [
    pytest.param(SMALL_VGG, "relu2_1", 40, id="vgg"),
    pytest.param(SqueezeNet(num_classes=0), "fire3/concat", 64, id="squeezenet"),
]


def drawn(model, side):
    """Parameters from NumPy: to draw them in jax costs seconds of compiling."""
    random = np.random.default_rng(0)
    images = jax.ShapeDtypeStruct((1, side, side, 3), jnp.float32)
    shapes = jax.eval_shape(model.init, jax.random.key(0), images)
    return jax.tree.map(
        lambda leaf: jnp.asarray(
            random.normal(0.1, 1.0, leaf.shape) / np.sqrt(max(np.prod(leaf.shape[:-1]), 1)),
            jnp.float32,
        ),
        shapes,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("model", "layer", "side"), NETWORKS)
def test_the_crop_alone_has_the_activation_of_the_picture(model, layer, side):
    variables = drawn(model, side)

    def maps_of(variables, images):
        return model.apply(variables, images)[1][layer]

    images = np.random.default_rng(1).uniform(-1.0, 1.0, (2, side, side, 3)).astype(np.float32)
    fields = traced_channel_fields(maps_of, variables, images)
    apply = jax.jit(maps_of)
    maps = np.asarray(apply(variables, images))
    rows, columns, channels = maps.shape[1:]
    # Corners, where the network pads, and the middle; the first and the last branch.
    units = [(0, 0, 0), (rows - 1, columns - 1, channels - 1), (rows // 2, 1, channels // 2)]
    for row, column, channel in units:
        box = receptive_box(fields[channel], row, column, side, side)
        assert box.rows.last - box.rows.first + 1 < side
        patches = [crop(image, box) for image in images]
        placed = np.stack([in_place(patch, box, side, side, around=0.5) for patch in patches])
        assert np.abs(placed - images).max() > 0.5
        again = np.asarray(apply(variables, placed))
        np.testing.assert_allclose(
            again[:, row, column, channel], maps[:, row, column, channel], rtol=1e-5, atol=1e-6
        )
        smaller = PatchBox(PixelSpan(box.rows.first + 1, box.rows.last - 1), box.columns)
        cut = np.stack([in_place(crop(i, smaller), smaller, side, side) for i in images])
        assert (apply(variables, cut)[:, row, column] != maps[:, row, column]).any()
