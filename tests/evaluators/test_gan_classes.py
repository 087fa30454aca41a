import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.evaluators.gan_classes import class_evaluation
from lecture_models.metrics.samples import Extractor


def generate(state, latents, classes):
    """Draws one row of pixels: the one-hot class, shifted by `state` classes."""
    return jnp.roll(classes, state, 1)[:, None, :, None]


def draw(key, count):
    return jax.random.normal(key, (count, 3))


EXTRACTOR = Extractor(lambda images: (images, images[:, 0, :, 0]), "the pixels")


def test_obedient_generators_score_one_and_others_zero():
    evaluate = class_evaluation(generate, draw, 4, EXTRACTOR)
    assert evaluate(0, jax.random.key(0))["class_accuracy"] == 1.0
    assert evaluate(1, jax.random.key(0))["class_accuracy"] == 0.0


def test_a_row_of_the_picture_has_one_class():
    shown = class_evaluation(generate, draw, 4, None)(0, jax.random.key(0))
    assert set(shown) == {"classes"}
    rows = np.asarray(shown["classes"].pixels)[:, 0, :, 0].argmax(1).reshape(4, 10)
    np.testing.assert_array_equal(rows, np.repeat(np.arange(4)[:, None], 10, 1))
