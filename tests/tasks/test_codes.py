import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.tasks.codes import (
    collect_pictures,
    describe_codes,
    feature_codes,
    make_layer_reader,
    map_fields,
    picture_batches,
    pixel_codes,
    pooled,
)
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Weights


@pytest.fixture(scope="module")
def network():
    return Weights(None, lambda line: None).load("untrained")


@pytest.fixture
def library():
    return Library(None, lambda line: None)


@pytest.fixture
def animals(tmp_path):
    """Two classes of plain pictures, one of them in a sub-folder of its own."""
    for index, name in enumerate(["cat/a.png", "cat/b.png", "dog/c.png", "dog/brown/d.png"]):
        path = tmp_path / "animals" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 20), (60 * index, 0, 0)).save(path)
    return tmp_path / "animals"


def test_sub_folders_are_classes(library, animals):
    found = collect_pictures(library, (str(animals),), "", 9, 16)
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert found.pixels.shape == (4, 16, 16, 3)
    assert sorted(found.pixels[:, 0, 0, 0].tolist()) == [0, 60, 120, 180]


def test_folders_named_one_by_one_are_classes_too(library, animals):
    names = (str(animals / "dog"), str(animals / "cat"))
    found = collect_pictures(library, names, "", 9, 16)
    assert found.classes == ("brown", "cat", "dog")
    one = collect_pictures(library, (str(animals / "cat"),), "", 9, 16)
    assert one.classes == ("cat",)


def test_files_and_samples_can_be_named(library, animals):
    found = collect_pictures(library, (str(animals / "cat/a.png"), "sample:china"), "", 9, 16)
    assert found.classes == ("cat", "images")
    assert found.pixels.shape == (2, 16, 16, 3)


def test_of_more_files_than_asked_for_some_of_each_class_are_read(library, animals):
    found = collect_pictures(library, (str(animals),), "", 2, 16)
    assert found.labels.tolist() == [0, 1]
    with pytest.raises(DataError, match="1 picture; at least 2 are needed"):
        collect_pictures(library, (str(animals / "cat/a.png"),), "", 9, 16)


def test_a_data_set_begins_with_its_test_split(library):
    dataset = library.load("digits")
    found = collect_pictures(library, (), "digits", 310, 16)
    assert found.pixels.shape == (310, 28, 28, 3)
    expected = np.concatenate([dataset.test.labels, dataset.validation.labels[:10]])
    np.testing.assert_array_equal(found.labels, expected)
    exact = found.pixels[0, :, :, :1] / np.float32(127.5) - np.float32(1.0)
    np.testing.assert_allclose(exact, dataset.test.images[0], atol=1e-6)


def test_batches_have_one_size_and_say_where_they_are():
    pixels = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1).repeat(3, axis=3) * 51
    found = list(picture_batches(pixels, 2))
    assert [(part.start, part.stop) for part, _ in found] == [(0, 2), (2, 4), (4, 5)]
    assert all(images.shape == (2, 1, 1, 3) for _, images in found)
    assert found[2][1][:, 0, 0, 0].tolist() == pytest.approx([0.6, 0.6])


def test_maps_are_averaged_over_their_places_and_vectors_kept():
    maps = jnp.arange(24.0).reshape(1, 2, 3, 4)
    assert pooled(maps).tolist() == [[10.0, 11.0, 12.0, 13.0]]
    assert pooled(maps[:, 0, 0]).shape == (1, 4)


@pytest.mark.slow
def test_codes_do_not_depend_on_the_batch(library, network):
    collection = collect_pictures(library, (), "digits", 9, 56)
    reader = make_layer_reader(network, "", 56)
    assert describe_codes(network, reader) == "untrained at 56x56, relu7: 32 features"
    codes = feature_codes(network, reader, collection, 4)
    assert codes.shape == (9, 32)
    assert codes.dtype == np.float32
    np.testing.assert_allclose(codes, feature_codes(network, reader, collection, 9), atol=1e-6)
    images = jnp.asarray(collection.pixels[:1] / np.float32(127.5) - np.float32(1.0))
    one = reader.apply(network.variables, images)
    np.testing.assert_allclose(codes[:1], one, atol=1e-5)


def test_pixel_codes_are_the_pixels_of_small_pictures(library):
    collection = collect_pictures(library, (), "digits", 3, 56)
    codes = pixel_codes(collection, 32, 2)
    expected = collection.pixels.reshape(3, -1) / np.float32(127.5) - np.float32(1.0)
    np.testing.assert_allclose(codes, expected, atol=1e-6)
    assert pixel_codes(collection, 14, 2).shape == (3, 14 * 14 * 3)


def test_other_sizes_leave_the_fully_connected_layers_out(network):
    assert make_layer_reader(network, "", 40).layer == "pool2"
    assert describe_codes(network, make_layer_reader(network, "conv2_1", 40)).endswith(
        "conv2_1: 16 features, means over 20x20 places"
    )
    with pytest.raises(WeightsError, match="no layer 'fc6' for images of 40x40"):
        make_layer_reader(network, "fc6", 40)
    with pytest.raises(WeightsError, match="untrained does not take an image of 2x2|too small"):
        make_layer_reader(network, "", 2)


def test_fields_are_those_of_the_layers_with_maps(network):
    fields = map_fields(network, 56)
    assert list(fields) == ["conv1_1", "relu1_1", "pool1", "conv2_1", "relu2_1", "pool2"]
    assert [each.rows.size for each in fields.values()] == [3, 3, 4, 8, 8, 10]
