import jax
import numpy as np
import pytest
from PIL import Image

from experiments import high_dimensional_vectors as experiment
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.weights.pretrained import Weights

SMALL = experiment.Config(**experiment.SMOKE)


def test_deviations_stand_beside_those_of_the_slide():
    config = experiment.Config(dims=(2, 100), pairs=3_000)
    table, scalars, _ = experiment.cosine_table(config, jax.random.key(0))
    assert [row[1] for row in table.rows] == ["0.713", "0.0975"]
    assert scalars["cosine_deviation_sphere_100"] == pytest.approx(0.1, rel=0.05)
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_norms_concentrate_and_distances_become_alike():
    config = experiment.Config(dims=(2, 1_000), points=50)
    plane, space = experiment.concentration_table(config, jax.random.key(0)).rows
    assert space[1] == pytest.approx(1.0, abs=0.01)
    assert plane[3] > 10.0 * space[3]
    assert plane[4] < 2.0 < space[4]


def test_random_codes_are_orthogonal_and_clusters_are_not():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    noise = random.normal(size=(60, 400))
    clusters = 3.0 * random.normal(size=(3, 400))[labels] + noise
    _, _, none = experiment.code_rows("pixels", noise, labels)
    _, _, some = experiment.code_rows("pixels", clusters, labels)
    assert none["pixels_as_same"] == pytest.approx(0.0, abs=0.02)
    assert none["pixels_as_auc"] == pytest.approx(0.5, abs=0.06)
    assert some["pixels_as_auc"] == 1.0
    assert some["pixels_as_same"] == pytest.approx(0.9, abs=0.03)


def test_pictures_of_one_class_are_refused(tmp_path):
    for index in range(3):
        Image.new("RGB", (16, 16), (index, 0, 0)).save(tmp_path / f"{index}.png")
    config = experiment.Config(**experiment.SMOKE | {"images": (str(tmp_path),)})
    with pytest.raises(DataError, match="3 pictures of 1 classes; pairs of one class"):
        experiment.build(config, Library(None, print), Weights(None, print))


def test_values_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="--dims is 1; it must be at least 2"):
        experiment.Config(dims=(1,))
    with pytest.raises(ValueError, match="--distortion is 2.0; it must be from 0.05 to 0.95"):
        experiment.Config(distortion=2.0)
