import jax
import numpy as np
import pytest

from experiments import cyclegan as experiment
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.tasks.picture_domains import Domain, Domains
from lecture_models.weights.pretrained import Weights


def test_training_pictures_are_cut_within_their_border_and_half_are_mirrored():
    picture = np.arange(10 * 10, dtype=np.uint8).reshape(1, 10, 10, 1).repeat(3, -1)
    pictures = np.repeat(picture, 400, 0)
    cuts = np.asarray(experiment.make_prepare(8, True)(jax.random.key(0), pictures))
    levels = np.rint((cuts[..., 0] + 1.0) * 127.5).astype(int)
    mirrored = levels[:, 0, 0] > levels[:, 0, -1]
    assert abs(mirrored.mean() - 0.5) < 0.1
    corners = levels[:, 0].min(1)
    assert sorted(set(corners.tolist())) == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    plain = np.asarray(experiment.make_prepare(10, False)(jax.random.key(0), pictures[:2]))
    np.testing.assert_allclose(plain, pictures[:2] / 127.5 - 1.0, atol=1e-6)


def test_the_rate_is_constant_for_half_of_the_steps_and_then_falls_to_zero():
    config = experiment.Config(num_steps=100, learning_rate=0.5, adam_b1=0.0)
    optimizer = experiment.make_optimizer(config)
    gradient = np.float32(1.0)
    state, moves = optimizer.init(gradient), []
    for _ in range(101):
        update, state = optimizer.update(gradient, state)
        moves.append(-float(update))
    assert moves[49] == pytest.approx(0.5, rel=1e-3)
    assert moves[75] == pytest.approx(0.25, rel=1e-2)
    assert moves[100] == 0.0


def test_test_pictures_are_cut_to_their_middle():
    pixels = np.zeros((5, 12, 12, 3), np.uint8)
    pixels[:, 2:10, 2:10] = 9
    domain = Domain("a", pixels, pixels)
    found = experiment.evaluated(Domains(domain, domain, False), 8, 3)
    assert found.a.test.shape == (3, 8, 8, 3)
    assert (found.b.test == 9).all()
    assert found.a.train.shape == (5, 12, 12, 3)


@pytest.mark.parametrize("side", [20, 65])
def test_sides_that_networks_cannot_halve_are_refused(side):
    with pytest.raises(ValueError, match=f"--side is {side}; it must be a multiple of 8"):
        experiment.Config(side=side)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"judge_strided": 3}, "pictures are 28x28; with --judge_strided=3 .* multiple of 8"),
        ({"judge_strided": 2, "batch_size": 9_999}, "--batch_size is 9999; the smaller domain has"),
    ],
)
def test_pictures_that_are_too_small_or_too_few_are_refused(fields, message):
    config = experiment.Config(**experiment.SMOKE | fields)
    quiet = Library(None, lambda line: None)
    with pytest.raises(DataError, match=message):
        experiment.build(config, quiet, Weights(None, lambda line: None))
