import jax
import jax.numpy as jnp

from lecture_models.metrics.cost import count_parameters
from lecture_models.metrics.traced_field import traced_channel_fields
from lecture_models.models.hierarchy_convnet import HierarchyConvNet
from tests.random_variables import random_variables

IMAGES = jax.ShapeDtypeStruct((2, 32, 32, 1), jnp.float32)


def test_shapes_and_parameters_are_those_of_three_convolutions():
    model = HierarchyConvNet()
    (logits, maps), variables = jax.eval_shape(model.init_with_output, jax.random.key(0), IMAGES)
    assert logits.shape == (2, 10)
    assert maps["relu1"].shape == (2, 32, 32, 8)
    assert maps["relu2"].shape == (2, 16, 16, 24)
    assert maps["relu3"].shape == (2, 8, 8, 48)
    assert count_parameters(variables["params"]) == (
        (25 + 1) * 8 + (25 * 8 + 1) * 24 + (25 * 24 + 1) * 48 + (48 + 1) * 10
    )


def test_units_see_a_stroke_a_part_and_an_object():
    model = HierarchyConvNet()
    variables = jax.eval_shape(model.init, jax.random.key(0), IMAGES)

    def seen(layer):
        fields = traced_channel_fields(
            lambda variables, images: model.apply(variables, images)[1][layer], variables, IMAGES
        )
        return fields[0].rows.size

    assert [seen(layer) for layer in ("relu1", "relu2", "relu3")] == [5, 14, 32]


def test_logits_do_not_change_when_a_small_object_moves():
    model = HierarchyConvNet(features=(2, 3, 4), num_classes=3)
    image = jnp.zeros((1, 64, 64, 1)).at[0, 28:34, 28:34, 0].set(1.0)
    moved = jnp.roll(image, (4, -8), (1, 2))
    apply = jax.jit(lambda variables, images: model.apply(variables, images)[0])
    variables = random_variables(model, image)
    first, second = apply(variables, image), apply(variables, moved)
    assert jnp.allclose(first, second, atol=1e-5)
    assert not jnp.allclose(first, apply(variables, jnp.roll(image, 1, 1)), atol=1e-5)
