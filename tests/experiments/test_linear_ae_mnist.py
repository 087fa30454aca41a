"""Tests the convergence, pictures and checks of linear_ae_mnist."""

import dataclasses

import jax
import numpy as np
import pytest

from experiments import linear_ae_mnist
from lecture_models.data.dataset import DataError, Dataset, Provenance, Split
from lecture_models.data.lookup import Library

SMOKE = linear_ae_mnist.Config(**linear_ae_mnist.SMOKE)
SHORT = dataclasses.replace(SMOKE, num_steps=400, learning_rate=0.02)


class Shelf:
    """Returns one data set, whatever its name."""

    def __init__(self, dataset):
        self._dataset = dataset

    def load(self, names):
        return self._dataset


def pictures(count, shape, classes=("only",)):
    """Returns random pictures in every split, with decreasing variances."""
    generator = np.random.default_rng(0)
    decreasing = 0.9 ** np.arange(np.prod(shape), dtype=np.float32).reshape(shape)

    def split(number):
        images = np.tanh(generator.normal(size=(number, *shape)) * decreasing[None])
        return Split.labeled_images(images.astype(np.float32), np.zeros(number, np.int32))

    provenance = Provenance("pictures", "made up", ())
    return Dataset(split(count), split(count), split(count // 2), classes, provenance)


def trained(config, library):
    """Returns the experiment, and its state after all its steps."""
    experiment = linear_ae_mnist.build(config, library)
    state = jax.jit(experiment.init)(jax.random.key(0))
    step, key = jax.jit(experiment.step), jax.random.key(1)
    for _, batch in zip(range(config.num_steps), experiment.batches(0), strict=False):
        state, _ = step(state, batch, key)
    return experiment, state


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory):
    experiment, state = trained(SHORT, Library(tmp_path_factory.mktemp("data"), print))
    return experiment.evaluate(state, jax.random.key(2))


@pytest.mark.slow
def test_the_gradient_leads_to_the_principal_components(evaluation):
    assert evaluation["max_angle_2"] < 1e-2
    assert evaluation["max_angle_3"] < 1e-2
    assert evaluation["alarm_angle"] == ""


def test_the_squared_error_becomes_that_of_pca(evaluation):
    assert evaluation["squared_error_ratio_2"] == pytest.approx(1.0, abs=1e-4)
    assert evaluation["squared_error_3"] == pytest.approx(
        evaluation["pca_squared_error_3"], rel=1e-4
    )
    assert evaluation["squared_error_3"] < evaluation["squared_error_2"]


def test_the_axes_and_codes_are_shown_beside_those_of_pca(evaluation):
    axes = np.asarray(evaluation["axes"].pixels)
    np.testing.assert_allclose(axes[:3], axes[10:13], atol=0.02)
    assert evaluation["codes"].pixels.shape == (3, 640, 640, 3)
    raw, along_axes, by_pca = evaluation["codes"].pixels
    assert float(np.abs(along_axes - by_pca).mean()) < 0.5 * float(np.abs(raw - by_pca).mean())


def test_reconstructions_are_below_their_originals_in_the_order_of_the_codes(evaluation):
    shown = evaluation["reconstructions"]
    assert shown.pixels.shape == (50, 28, 28, 1)
    errors = [
        float(np.mean((shown.pixels[:10] - shown.pixels[10 * row : 10 * row + 10]) ** 2))
        for row in range(5)
    ]
    assert errors[0] == 0.0
    assert errors[1] == pytest.approx(errors[2], rel=1e-3)
    assert errors[3] == pytest.approx(errors[4], rel=1e-3)
    assert errors[3] < errors[1]


@pytest.mark.slow
def test_an_end_far_from_the_components_is_flagged(tmp_path):
    experiment, state = trained(SMOKE, Library(tmp_path, print))
    assert "rad with 2 code units" in experiment.evaluate(state, jax.random.key(2))["alarm_angle"]
    early = experiment.init(jax.random.key(0))
    assert experiment.evaluate(early, jax.random.key(2))["alarm_angle"] == ""


@pytest.mark.slow
def test_few_color_pictures_of_one_class_are_accepted():
    config = dataclasses.replace(SMOKE, code_dims=(3, 4), num_steps=3)
    experiment, state = trained(config, Shelf(pictures(12, (4, 8, 3))))
    evaluation = experiment.evaluate(state, jax.random.key(2))
    assert evaluation["reconstructions"].pixels.shape[1:] == (4, 8, 3)
    assert "codes" not in evaluation  # No code has two units.


def test_pictures_too_large_for_a_covariance_are_refused():
    with pytest.raises(DataError, match="are 40x40x3, 4800 values; at most 4096"):
        linear_ae_mnist.build(SMOKE, Shelf(pictures(4, (40, 40, 3))))


@pytest.mark.parametrize(("count", "shape", "most"), [(5, (8, 8, 1), 10), (50, (4, 4, 1), 16)])
def test_a_code_as_wide_as_the_pictures_or_their_number_is_refused(count, shape, most):
    config = dataclasses.replace(SMOKE, code_dims=(2, most))
    with pytest.raises(DataError, match=f"--code_dims has {most}; .* less than {most}"):
        linear_ae_mnist.build(config, Shelf(pictures(count, shape)))


@pytest.mark.parametrize(
    ("code_dims", "message"),
    [
        ((2, 2), "--code_dims is '2,2'; it must be one or more different numbers"),
        ((), "--code_dims is ''; it must be"),
        ((0,), "--code_dims is 0; it must be at least 1"),
    ],
)
def test_repeated_missing_and_zero_code_dims_are_refused(code_dims, message):
    with pytest.raises(ValueError, match=message):
        linear_ae_mnist.Config(code_dims=code_dims)
