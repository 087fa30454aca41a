"""Tests the scores, pictures and checks of denoising_ae_mnist."""

import dataclasses

import jax
import numpy as np
import pytest

from experiments import denoising_ae_mnist
from lecture_models.data import digits
from lecture_models.data.dataset import Dataset, Provenance, Split
from lecture_models.data.lookup import Library

SMOKE = denoising_ae_mnist.Config(**denoising_ae_mnist.SMOKE)
SHORT = dataclasses.replace(SMOKE, batch_size=64, num_steps=400, hidden=100, learning_rate=0.02)
KINDS = ({"masking": 0.5}, {"gaussian": 0.5}, {"salt_and_pepper": 0.4})


class Shelf:
    """Returns one data set, whatever its name."""

    def __init__(self, dataset):
        self._dataset = dataset

    def load(self, names):
        return self._dataset


def trained(config, library):
    """Returns the experiment, and its state after all its steps."""
    experiment = denoising_ae_mnist.build(config, library)
    state = jax.jit(experiment.init)(jax.random.key(0))
    step, key = jax.jit(experiment.step), jax.random.key(1)
    for index, batch in zip(range(config.num_steps), experiment.batches(0), strict=False):
        state, _ = step(state, batch, jax.random.fold_in(key, index))
    return experiment, state


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: next(iter(kind)))
def evaluation(request):
    """Evaluates on digits of 8x8; enlarged ones are so smooth that every net removes noise."""
    config = dataclasses.replace(SHORT, **({"salt_and_pepper": 0.0} | request.param))
    experiment, state = trained(config, Shelf(digits.read(size=8)))
    return experiment.evaluate(state, jax.random.key(2))


@pytest.mark.slow
def test_denoised_images_have_a_higher_psnr_than_noisy_ones(evaluation):
    assert evaluation["psnr_denoised"] > evaluation["psnr_noisy"] + 3.0


def test_the_plain_autoencoder_removes_less_noise(evaluation):
    assert evaluation["psnr_denoised"] > evaluation["psnr_plain_autoencoder"] + 1.0
    assert evaluation["alarm_denoising"] == ""


def test_rows_are_clean_noisy_denoised_and_plain(evaluation):
    clean, noisy, denoised, plain = np.split(evaluation["denoised"].pixels, 4)
    errors = [float(((row - clean) ** 2).mean()) for row in (noisy, denoised, plain)]
    assert errors[1] == min(errors)
    assert np.abs(denoised).max() <= 1.0


def test_every_test_corruption_has_a_line_and_an_image(evaluation):
    lines = evaluation["psnr_by_corruption"].splitlines()
    assert len(lines) == 1 + len(denoising_ae_mnist.TEST_CORRUPTIONS)
    assert lines[0].split() == ["dB", *denoising_ae_mnist.NAMES]
    assert lines[1].split()[:2] == ["masking", "0.25"]
    noisy = [float(line.split()[2]) for line in lines[1:]]
    assert noisy[0] > noisy[1] > noisy[2]
    shown = evaluation["corruptions"]
    assert shown.pixels.shape == (4 * len(denoising_ae_mnist.TEST_CORRUPTIONS), 8, 8, 1)


def test_both_nets_have_the_same_initial_parameters(tmp_path):
    experiment = denoising_ae_mnist.build(SMOKE, Library(tmp_path, print))
    state = experiment.init(jax.random.key(0))
    for one, other in zip(*map(jax.tree.leaves, state), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_the_same_key_gives_the_same_scores(tmp_path):
    experiment, state = trained(SMOKE, Library(tmp_path, print))
    first, second = (experiment.evaluate(state, jax.random.key(7)) for _ in range(2))
    assert first["psnr_noisy"] == second["psnr_noisy"]
    assert first["psnr_by_corruption"] == second["psnr_by_corruption"]


def test_denoising_that_does_not_help_raises_an_alarm():
    text = denoising_ae_mnist.alarm({"noisy": 20.0, "denoised": 19.0, "plain_autoencoder": 18.0})
    assert text == "denoised (19.00 dB) is no better than noisy (20.00 dB)"


def test_images_without_noise_have_a_finite_mean_psnr():
    images = np.zeros((3, 4, 4, 1), np.float32)
    assert denoising_ae_mnist.mean_psnr(images, images) == denoising_ae_mnist.MAX_PSNR


def test_the_papers_optimizer_has_a_constant_rate_and_no_state(tmp_path):
    paper = dataclasses.replace(SMOKE, constant_rate_sgd=True, init_gain=4.0, learning_rate=0.1)
    experiment = denoising_ae_mnist.build(paper, Library(tmp_path, print))
    state = experiment.init(jax.random.key(0))
    assert not jax.tree.leaves(state.denoising.optimizer_state)
    spread = float(np.abs(state.plain.params["kernel"]).max())
    assert spread == pytest.approx(4.0 * np.sqrt(6.0 / (784 + 16)), rel=0.1)


@pytest.mark.slow
def test_few_color_pictures_of_one_class_are_accepted():
    images = np.tanh(np.random.default_rng(0).normal(size=(12, 8, 4, 3))).astype(np.float32)
    split = Split.labeled_images(images, np.zeros(12, np.int32))
    provenance = Provenance("pictures", "made up", ())
    dataset = Dataset(
        split, split, Split.labeled_images(images[:4], split.labels[:4]), ("only",), provenance
    )
    config = dataclasses.replace(SMOKE, batch_size=6, num_steps=2)
    experiment, state = trained(config, Shelf(dataset))
    evaluation = experiment.evaluate(state, jax.random.key(2))
    assert evaluation["denoised"].pixels.shape[1:] == (8, 4, 3)
    assert evaluation["filters_plain"].pixels.shape == (16, 8, 4, 3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"salt_and_pepper": 0.0}, "--masking, --gaussian and --salt_and_pepper are all 0"),
        ({"masking": 1.2}, "--masking is 1.2; it must be from 0.0 to 1.0"),
        ({"gaussian": -0.1}, "--gaussian is -0.1; it must be at least 0"),
        ({"hidden": 0}, "--hidden is 0; it must be at least 1"),
    ],
)
def test_missing_noise_and_missing_units_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        denoising_ae_mnist.Config(**fields)
