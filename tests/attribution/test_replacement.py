import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.attribution.replacement import area, blurred, ranks, replacement_curve

IMAGE = np.asarray(jax.random.uniform(jax.random.key(0), (6, 5, 3)))
GRAY = np.zeros_like(IMAGE)
IMPORTANCE = IMAGE.mean(axis=-1)  # Of each pixel for the mean of the image.


def mean(images):
    return images.mean((1, 2, 3))


def test_the_largest_value_is_replaced_first():
    np.testing.assert_array_equal(ranks(np.array([[0.1, 0.9], [-3.0, 0.5]])), [[2, 0], [3, 1]])


def test_equal_values_are_in_no_order_of_place():
    found = ranks(np.zeros((20, 20))).ravel()
    assert sorted(found) == list(range(400))
    assert abs(np.corrcoef(found, np.arange(400))[0, 1]) < 0.2


@pytest.mark.parametrize("batch_size", [1, 4, 11, 20])
def test_deletion_goes_from_the_image_to_the_baseline(batch_size):
    curve = replacement_curve(mean, IMAGE, GRAY, IMPORTANCE, 10, batch_size)
    falling = np.concatenate([[0.0], np.cumsum(np.sort(IMPORTANCE.ravel())[::-1])]) / 30
    np.testing.assert_allclose(curve, falling[-1] - falling[::3], atol=1e-6)


def test_a_perfect_map_deletes_faster_and_inserts_faster_than_its_opposite():
    def areas(attribution):
        deleted = replacement_curve(mean, IMAGE, GRAY, attribution, 6, 4)
        inserted = replacement_curve(mean, GRAY, IMAGE, attribution, 6, 4)
        return area(deleted), area(inserted)

    right, wrong = areas(IMPORTANCE), areas(-IMPORTANCE)
    assert right[0] < wrong[0]
    assert right[1] > wrong[1]


def test_areas_of_a_constant_and_of_a_line():
    assert area(np.ones(5)) == 1.0
    assert area(np.linspace(0.0, 1.0, 8)) == pytest.approx(0.5)


def test_the_area_is_that_of_trapezoids():
    assert area(np.array([0.0, 0.0, 1.0])) == pytest.approx(0.25)
    assert area(np.array([0.0, 1.0, 0.0])) == pytest.approx(0.5)


def test_blurring_keeps_the_mean_and_loses_the_detail():
    checks = (jnp.indices((32, 32)).sum(axis=0) % 2).reshape(32, 32, 1) * 1.0
    found = blurred(checks, 8)
    np.testing.assert_allclose(found, 0.5, atol=0.05)


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="0 steps in batches of 4"):
        replacement_curve(mean, IMAGE, GRAY, IMPORTANCE, 0, 4)
