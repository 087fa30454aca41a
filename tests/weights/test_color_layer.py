import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.models.vgg import VGG
from lecture_models.weights.color_layer import fold_color_layer
from lecture_models.weights.error import WeightsError

MODEL = VGG(stages=((4, (3,)),), num_classes=0, padding="REFLECT")


def test_a_network_without_its_color_layer_sees_the_same():
    random = np.random.default_rng(0)
    draw = {
        "color.weight": (3, 3, 1, 1),
        "color.bias": (3,),
        "first.weight": (4, 3, 3, 3),
        "first.bias": (4,),
    }
    tensors = {key: random.normal(size=shape).astype("f4") for key, shape in draw.items()}
    folded = fold_color_layer(tensors, "color", "first")
    assert folded.keys() == {"first.weight", "first.bias"}
    image = random.normal(size=(1, 6, 5, 3)).astype("f4")
    colored = image @ tensors["color.weight"][:, :, 0, 0].T + tensors["color.bias"].reshape(
        1, 1, 1, 3
    )

    def maps(tensors, image):
        layer = {
            "kernel": tensors["first.weight"].transpose(2, 3, 1, 0),
            "bias": tensors["first.bias"],
        }
        return MODEL.apply({"params": {"conv1_1": layer}}, jnp.asarray(image))[1]["conv1_1"]

    np.testing.assert_allclose(maps(folded, image), maps(tensors, colored), atol=1e-4)


def test_a_file_without_the_layer_is_of_another_network():
    with pytest.raises(WeightsError, match="color.weight, color.bias, first.weight, first.bias"):
        fold_color_layer({}, "color", "first")
