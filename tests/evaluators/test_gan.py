import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.data import digits
from lecture_models.data.dataset import Split
from lecture_models.evaluators.gan import collapse_alarm, make_evaluate
from lecture_models.experiment import Images

NUM_SAMPLES = 40


@pytest.fixture(scope="module")
def dataset():
    """Returns digits of one class, for which no classifier is trained."""
    whole = digits.read()
    splits = {
        name: Split.labeled_images(split.images[:60], 0 * split.labels[:60])
        for name, split in (
            ("train", whole.train),
            ("validation", whole.validation),
            ("test", whole.test),
        )
    }
    return whole._replace(**splits, classes=("digit",))


def constant(state, images):
    """Returns the state's scale as the logit of every image."""
    return jnp.full(len(images), state["scale"])


def evaluate(dataset, generate, batch_size=None, discriminate=constant):
    function = make_evaluate(
        generate,
        discriminate,
        lambda key, count: jax.random.normal(key, (count, 3)),
        dataset,
        NUM_SAMPLES,
        extractor_steps=1,
        batch_size=batch_size,
    )
    return function({"scale": jnp.float32(2.0)}, jax.random.key(0))


def flat(state, latents):
    """Generates images whose gray value is that of the first latent."""
    values = jnp.tanh(latents[:, 0] * state["scale"])
    return jnp.broadcast_to(values[:, None, None, None], (len(latents), 28, 28, 1))


def test_scores_probabilities_and_pictures_are_reported(dataset):
    results = evaluate(dataset, flat)
    assert {"parzen_log_likelihood", "memorization_ratio", "parzen"} <= set(results)
    expected = 1.0 / (1.0 + np.exp(-2.0))
    assert float(results["real_probability"]) == pytest.approx(expected)
    assert float(results["fake_probability"]) == pytest.approx(expected)
    shapes = {name: len(r.pixels) for name, r in results.items() if isinstance(r, Images)}
    assert shapes == {"samples": NUM_SAMPLES, "interpolation": 8 * 10, "nearest": 2 * 10}
    assert results["alarm_collapse"] == ""


def test_real_images_are_those_of_the_test_split_and_fake_ones_the_samples(dataset):
    levels = {"train": -0.5, "validation": 0.0, "test": 0.5}
    marked = dataset._replace(
        **{
            name: Split.labeled_images(
                np.full_like(getattr(dataset, name).images, level), getattr(dataset, name).labels
            )
            for name, level in levels.items()
        }
    )

    def gray(state, latents):
        return jnp.full((len(latents), 28, 28, 1), -0.9)

    results = evaluate(
        marked, gray, discriminate=lambda state, images: state["scale"] * images.mean((1, 2, 3))
    )
    assert float(results["real_probability"]) == pytest.approx(1.0 / (1.0 + np.exp(-1.0)))
    assert float(results["fake_probability"]) == pytest.approx(1.0 / (1.0 + np.exp(1.8)))


def test_samples_do_not_depend_on_how_many_are_generated_at_a_time(dataset):
    sizes = []

    def counted(state, latents):
        sizes.append(len(latents))
        return flat(state, latents)

    whole, batched = (evaluate(dataset, counted, size) for size in (None, 15))
    np.testing.assert_array_equal(whole["samples"].pixels, batched["samples"].pixels)
    assert sizes == [NUM_SAMPLES, 80, 15, 15, 15, 80]


def test_a_row_of_the_interpolation_walks_from_one_latent_to_another(dataset):
    rows = np.asarray(evaluate(dataset, flat)["interpolation"].pixels)[:, 0, 0, 0].reshape(8, 10)
    steps = np.diff(rows, axis=1)
    assert all((step >= 0).all() or (step <= 0).all() for step in steps)


@pytest.mark.parametrize(("covered", "alarmed"), [(7.0, True), (8.0, False), (10.0, False)])
def test_fewer_than_eight_of_ten_modes_raise_an_alarm(covered, alarmed):
    text = collapse_alarm({"modes_covered": covered}, 10)
    assert text == (f"{covered:.0f} of 10 modes covered" if alarmed else "")


def test_without_a_count_of_modes_there_is_no_alarm():
    assert collapse_alarm({}, 10) == ""
