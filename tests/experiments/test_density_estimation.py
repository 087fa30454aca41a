import numpy as np
import pytest
from scipy import integrate

from experiments import density_estimation as experiment
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library

SMALL = experiment.Config(**experiment.SMOKE)


def read(tmp_path, text, **fields):
    path = tmp_path / "own.csv"
    path.write_text(text)
    return experiment.read_data(experiment.Config(csv=str(path), **fields), Library(None, print))


def lines(count):
    return "a,b,c\n" + "".join(f"{i % 7},{i % 5},{i % 3}\n" for i in range(count))


def test_the_known_density_adds_up_to_one_and_made_the_points():
    plane = experiment.made_plane(experiment.Config(num_points=4_000, noise=0.5))
    places = np.linspace(-6.0, 6.0, 161)
    values = np.exp(plane.truth(np.stack(np.meshgrid(places, 4.0 * places), -1).reshape(-1, 2)))
    total = integrate.simpson(
        integrate.simpson(values.reshape(161, 161), x=places, axis=1), x=4.0 * places
    )
    assert total == pytest.approx(1.0, abs=0.02)
    # Two Gaussians, of u and of the noise, and the chance of the sign where both curves are apart.
    entropy = 1.0 + np.log(2.0 * np.pi * 0.5) + np.log(2.0)
    assert -entropy < plane.truth(plane.parts.train).mean() < -entropy + 0.5


def test_no_estimate_beats_the_true_density_and_the_mixture_comes_near():
    config = experiment.Config(
        num_points=1_500, bins=(15,), bandwidths=(0.15, 0.3), components=(1, 16)
    )
    plane = experiment.made_plane(config)
    fits = experiment.fits_of(config, plane.parts)
    test = experiment.judge("made", plane.parts, fits, plane.truth).test
    best = test.pop("true density")
    assert max(test.values()) < best
    assert test["mixture"] > best - 0.3
    assert test["Gaussian"] < test["histogram"] < test["kernels"]


def test_parts_do_not_overlap_and_have_the_unit_variance():
    rows = np.random.default_rng(0).normal(size=(100, 2)) * [5.0, 1.0]
    parts = experiment.divide(rows, 0)
    assert [len(part) for part in parts] == [60, 20, 20]
    assert parts.train.var(axis=0).mean() == pytest.approx(1.0, rel=1e-5)
    assert len(np.unique(np.concatenate(parts), axis=0)) == 100


def test_two_columns_of_a_table_are_the_plane(tmp_path):
    (plane,), vectors = read(tmp_path, lines(40), columns=("a", "c"))
    assert plane.name == "a and c"
    assert plane.parts.train.shape == (24, 2)
    assert vectors.shape == (40, 3)


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        (lines(10), (), "10 lines of 3 numbers; it must have at least 20 lines of 2"),
        ("a\n" + "1\n2\n" * 20, (), "40 lines of 1 numbers"),
        ("a,b\n" + "1,5\n2,5\n" * 20, (), "the column b is constant"),
        (lines(40), ("a", "z"), "--columns is z"),
        (lines(40), ("a", "a"), "--columns names a twice"),
    ],
)
def test_tables_without_a_plane_are_refused(tmp_path, text, columns, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, text, columns=columns)


def test_values_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="--columns has 1 values"):
        experiment.Config(columns=("a",), csv="t.csv")
    with pytest.raises(ValueError, match="--bandwidths is 0.0; it must be at least"):
        experiment.Config(bandwidths=(0.0,))
    few = experiment.Parts(*(np.zeros((4, 2), np.float32),) * 3)
    with pytest.raises(DataError, match="4 points to fit"):
        experiment.fits_of(SMALL, few)
