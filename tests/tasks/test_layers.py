import pytest

from lecture_models.tasks.image_optimization import classifier_network
from lecture_models.tasks.layers import cam_layer, class_index, layer_shapes, require_unit
from lecture_models.weights.error import WeightsError
from tests.tasks.attribution.brightness import CLASSES, SIDE, network


def test_a_class_whose_name_is_a_number_goes_by_its_name():
    years = ("2019", "2020", "1")
    assert [class_index(name, years) for name in ("2020", "1", "0")] == [1, 2, 0]


def test_a_class_goes_by_number_and_by_each_of_its_names():
    assert class_index("2", CLASSES) == 2
    assert class_index("Scarlet", CLASSES) == class_index("red, scarlet", CLASSES) == 0


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("4", "--target is 4; it must be from 0 to 3"),
        ("scarlett", "there is no class 'scarlett'; did you mean 'scarlet'"),
        ("crane", r"--target is crane, the name of 2 classes; give an index: 1 \(crane\); 3"),
    ],
)
def test_a_class_that_cannot_be_meant_is_refused(written, message):
    with pytest.raises(WeightsError, match=message):
        class_index(written, CLASSES)


def test_layers_are_listed_from_the_image_on_and_the_last_with_rows_is_grad_cams():
    shapes = layer_shapes(classifier_network(network()), network(), (SIDE, SIDE))
    assert list(shapes.items()) == [("rectified", (1, 16, 16, 3)), ("mean", (1, 3))]
    assert cam_layer(shapes, "") == "rectified"


def test_units_and_layers_without_rows_are_refused():
    shapes = layer_shapes(classifier_network(network()), network(), (SIDE, SIDE))
    with pytest.raises(WeightsError, match="--unit is 3; rectified has the units 0 to 2"):
        require_unit(shapes, "rectified", 3)
    with pytest.raises(WeightsError, match="--unit is 3, but --layer is empty"):
        require_unit(shapes, "", 3)
    with pytest.raises(WeightsError, match=r"--cam_layer is mean, of shape \(3,\)"):
        cam_layer(shapes, "mean")
