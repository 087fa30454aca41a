import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space import objectives
from lecture_models.image_space.gram import gram_matrix
from lecture_models.image_space.terms import View, negated


def view(images, **activations):
    logits = activations.pop("logits", jnp.zeros((len(images), 0)))
    return View(images, logits, activations)


def maps(seed, count=1):
    return jax.random.normal(jax.random.key(seed), (count, 3, 4, 5))


BLANK = jnp.zeros((1, 2, 2, 3))


def test_content_loss_is_half_the_squared_distance():
    features, target = maps(0, 2), maps(1)
    (first, second) = objectives.feature_match("relu")(view(BLANK, relu=features), target)
    expected = [0.5 * np.square(np.asarray(each - target[0])).sum() for each in features]
    np.testing.assert_allclose([first, second], expected, rtol=1e-5)


def test_content_gradient_is_the_closed_form_of_the_slide():
    """dL/dF = F - P where F > 0, else 0: eq. 2, through the rectifier."""
    before, target = maps(0), jnp.maximum(maps(1), 0.0)
    content = objectives.feature_match("relu")

    def loss(x):
        return content(view(BLANK, relu=jnp.maximum(x, 0.0)), target).sum()

    features = np.maximum(np.asarray(before), 0.0)
    closed = np.where(features > 0.0, features - np.asarray(target), 0.0)
    np.testing.assert_allclose(jax.grad(loss)(before), closed, atol=1e-5)


def test_gram_match_passes_the_whole_target_on():
    features, mask = maps(0), jnp.zeros((3, 4)).at[:2].set(1.0)
    cut = features[:, :2]
    target = {"gram": gram_matrix(cut)[0], "places": jnp.asarray(8.0), "mask": mask}
    matched = objectives.gram_match("relu")(view(BLANK, relu=features), target)
    np.testing.assert_allclose(matched, [0.0], atol=1e-10)
    whole = {"gram": gram_matrix(features)[0]}
    np.testing.assert_array_equal(
        objectives.gram_match("relu")(view(BLANK, relu=features), whole), [0.0]
    )


def test_the_gradient_of_the_energy_is_the_layer_itself():
    """dst.diff = dst.data, as the slide's step of DeepDream has it."""
    energy = objectives.layer_energy("relu")
    found = jax.grad(lambda x: energy(view(BLANK, relu=x), ()).sum())(maps(0))
    np.testing.assert_allclose(found, maps(0), rtol=1e-6)


def test_units_channels_and_classes_are_picked_by_number():
    features, logits = maps(0), jnp.array([[1.0, 2.0, 4.0]])
    seen = view(BLANK, relu=features, logits=logits)
    np.testing.assert_array_equal(
        objectives.neuron("relu", 1, 2, 3)(seen, ()), features[:, 1, 2, 3]
    )
    np.testing.assert_allclose(
        objectives.channel_mean("relu", 3)(seen, ()), [features[..., 3].mean()], rtol=1e-5
    )
    assert objectives.class_logit(2)(seen, ()).tolist() == [4.0]
    assert negated(objectives.class_logit(2))(seen, ()).tolist() == [-4.0]


def test_a_direction_of_one_channel_is_that_channel():
    features = maps(3)
    seen, third = view(BLANK, relu=features), jnp.eye(5)[3]
    expected = objectives.channel_mean("relu", 3)(seen, ())
    np.testing.assert_allclose(objectives.direction_mean("relu")(seen, third), expected, rtol=1e-5)
    at_one_place = objectives.direction_at("relu", 1, 2)(seen, third)
    np.testing.assert_allclose(at_one_place, objectives.neuron("relu", 1, 2, 3)(seen, ()))
    both = objectives.direction_mean("relu")(seen, third - jnp.eye(5)[0])
    expected -= objectives.channel_mean("relu", 0)(seen, ())
    np.testing.assert_allclose(both, expected, rtol=1e-5)


def test_equal_images_are_similar_and_those_of_other_channels_are_not():
    """Of three images, two have equal features, and the third one has them in another channel."""
    plane = jnp.ones((3, 4))
    features = jnp.zeros((3, 3, 4, 5)).at[:2, :, :, 0].set(plane).at[2, :, :, 1].set(2.0 * plane)
    images = jnp.zeros((3, 2, 2, 3))
    found = objectives.gram_similarity("relu")(view(images, relu=features), ())
    np.testing.assert_allclose(found, [0.5, 0.5, 0.0], atol=1e-6)


def test_the_similarity_of_silent_images_has_a_finite_gradient():
    def similarity(features):
        return objectives.gram_similarity("relu")(view(jnp.zeros((2, 2, 2, 3)), relu=features), ())

    gradient = jax.grad(lambda features: similarity(features).sum())(jnp.zeros((2, 3, 4, 5)))
    assert np.isfinite(gradient).all()


def test_the_log_probability_of_even_scores_is_minus_the_log_of_their_number():
    seen = view(BLANK, logits=jnp.full((1, 10), 3.0))
    np.testing.assert_allclose(
        objectives.class_log_probability(4)(seen, ()), [-np.log(10.0)], rtol=1e-6
    )


@pytest.mark.parametrize(("beta", "expected"), [(1.0, 5.0 + 3.0 + 4.0), (2.0, 25.0 + 9.0 + 16.0)])
def test_variation_of_four_pixels_by_hand(beta, expected):
    """First pixel: 3 to the right and 4 below. Last column: 3 below. Last row: 4 to the right."""
    image = jnp.array([[0.0, 3.0], [4.0, 0.0]]).reshape(1, 2, 2, 1)
    found = objectives.total_variation(beta)(view(image), ())
    np.testing.assert_allclose(found, [expected], rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 4), (4, 1)])
def test_variation_of_a_single_row_or_column_is_that_of_its_neighbors(shape):
    line = jnp.array([0.0, 1.0, 3.0, 3.0]).reshape(1, *shape, 1)
    assert objectives.total_variation(2.0)(view(line), ()).tolist() == [5.0]


def test_variation_smooths_noise_at_all_four_borders_as_it_does_inside():
    variation = objectives.total_variation(2.0)
    slope = jax.jit(jax.grad(lambda x: variation(view(x), ()).sum()))
    images = jax.random.uniform(jax.random.key(0), (8, 32, 24, 3), minval=-1.0, maxval=1.0)
    for _ in range(4):
        images -= 0.1 * slope(images)
    pixels = np.asarray(images)
    along_rows, along_columns = (np.abs(np.diff(pixels, axis=axis)) for axis in (2, 1))
    inside = along_rows[:, 4:-4, 4:-4].mean()
    borders = {
        "top": along_rows[:, 0],
        "bottom": along_rows[:, -1],
        "left": along_columns[:, :, 0],
        "right": along_columns[:, :, -1],
    }
    for name, differences in borders.items():
        assert 0.8 < differences.mean() / inside < 1.45, name


@pytest.mark.parametrize("beta", [1.0, 1.5, 2.0])
def test_a_flat_image_has_no_variation_and_no_gradient(beta):
    variation = objectives.total_variation(beta)
    flat = jnp.full((1, 4, 4, 3), 0.5)
    value, gradient = jax.value_and_grad(lambda x: variation(view(x), ()).sum())(flat)
    assert value == 0.0
    assert not gradient.any()


@pytest.mark.slow
def test_variation_agrees_with_finite_differences():
    variation = objectives.total_variation(1.5)
    image = jax.random.normal(jax.random.key(2), (1, 4, 4, 1))

    def value(x):
        return variation(view(x), ()).sum()

    toward = jax.random.normal(jax.random.key(3), image.shape)
    slope = jnp.vdot(jax.grad(value)(image), toward)
    found = (value(image + 1e-2 * toward) - value(image - 1e-2 * toward)) / 2e-2
    np.testing.assert_allclose(found, slope, rtol=1e-2)


def test_the_alpha_norm_of_a_half_by_hand():
    image = jnp.full((2, 1, 1, 3), -0.5)
    found = objectives.alpha_norm(6.0)(view(image), ())
    np.testing.assert_allclose(found, [3 * 0.5**6] * 2, rtol=1e-6)
    centered = objectives.alpha_norm(6.0, center=-0.5)(view(image), ())
    np.testing.assert_array_equal(centered, [0.0, 0.0])


@pytest.mark.slow
def test_image_match_counts_only_the_places_with_weight():
    image, target = jnp.ones((1, 2, 2, 3)), {"image": jnp.zeros((2, 2, 3))}
    assert objectives.image_match()(view(image), target).tolist() == [6.0]
    target["weights"] = jnp.array([[1.0, 0.0], [0.0, 0.5]])
    assert objectives.image_match(weights=True)(view(image), target).tolist() == [2.25]
