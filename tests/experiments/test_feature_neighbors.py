import numpy as np
import pytest
from PIL import Image

from experiments import feature_neighbors as experiment
from lecture_models.data.lookup import Library
from lecture_models.tasks.codes import LabeledPictures
from lecture_models.weights.pretrained import Weights


def silent(line):
    """Nothing is announced."""


def evaluated(config):
    return experiment.build(config, Library(None, silent), Weights(None, silent)).evaluate({}, None)


def test_queries_come_from_each_class_in_turn():
    labels = np.array([2, 0, 0, 0, 2, 1])
    queries = experiment.choose_queries(labels, 5, seed=0)
    assert labels[queries].tolist() == [0, 1, 2, 0, 2]
    assert len(set(queries)) == 5
    assert queries == experiment.choose_queries(labels, 5, seed=0)
    assert sorted(experiment.choose_queries(labels, 99, seed=1)) == [0, 1, 2, 3, 4, 5]


def test_frames_tell_the_same_class_from_another():
    pixels = np.full((3, 24, 24, 3), 128, np.uint8)
    collection = LabeledPictures(pixels, np.array([0, 0, 1]), ("a", "b"))
    near = np.array([[1, 2], [0, 2], [0, 1]])
    cells = experiment.neighbor_rows(collection, [0], [near, near[:, :1]], 24)
    assert cells.shape == (5, 24, 24, 3)
    corners = [tuple(cell[0, 0].tolist()) for cell in cells]
    expected = [experiment.QUERY, experiment.SAME, experiment.OTHER]
    expected += [experiment.QUERY, experiment.SAME]
    np.testing.assert_allclose(corners, expected, atol=1e-6)
    inner = cells[:, experiment.FRAME : -experiment.FRAME, experiment.FRAME : -experiment.FRAME]
    np.testing.assert_allclose(inner, 1 / 255, atol=1e-6)


def test_by_angle_lengths_do_not_count():
    vectors = np.array([[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]], np.float32)
    assert experiment.unit_length(vectors).tolist() == pytest.approx(
        np.array([[0.6, 0.8], [0.0, 0.0], [0.6, 0.8]]), abs=1e-6
    )


def test_scores_come_with_their_standard_error():
    near = np.array([[1, 2], [0, 2], [3, 0], [0, 3]])
    scalars, line = experiment.agreement_scores("features", near, np.array([0, 0, 1, 1]), (1, 2))
    assert scalars == {"features_agreement_at_1": 0.75, "features_agreement_at_2": 0.5}
    assert line == "features at 1 0.750 +- 0.250, at 2 0.500 +- 0.000"


def test_digits_agree_in_pixels_beyond_chance():
    found = evaluated(experiment.Config(**experiment.SMOKE | {"num_pictures": 60}))
    assert found["pixels_agreement_at_1"] > 0.8 > found["chance_agreement"]
    assert found["neighbors"].columns == 8
    assert found["neighbors"].pixels.shape == (24, 84, 84, 3)
    assert found["label_agreement"].splitlines()[1].startswith("features are untrained at 56x56")


def test_pictures_of_one_class_are_shown_without_agreement(tmp_path):
    for index in range(4):
        Image.new("RGB", (20, 20), (60 * index, 0, 0)).save(tmp_path / f"{index}.png")
    found = evaluated(experiment.Config(**experiment.SMOKE | {"images": (str(tmp_path),)}))
    assert not [name for name in found if "agreement" in name]
    assert found["neighbors"].pixels.shape == (3 * 8, 84, 84, 3)
    assert found["alarm_network"]


def test_values_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="--at is empty"):
        experiment.Config(at=())
    with pytest.raises(ValueError, match="--at is 0; it must be at least 1"):
        experiment.Config(at=(1, 0))
    with pytest.raises(ValueError, match="--num_steps is 1; it must be 0"):
        experiment.Config(num_steps=1)
