import numpy as np
import pytest
from PIL import Image

from experiments import tsne_codes as experiment
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.tasks.codes import LabeledPictures
from lecture_models.tasks.plane import embed_pca, embed_tsne
from lecture_models.weights.pretrained import Weights

SMALL = experiment.Config(**experiment.SMOKE)
TSNE = (SMALL.perplexity, SMALL.iterations, SMALL.principal_components, SMALL.seed)


def silent(line):
    """Nothing is announced."""


def blobs():
    """Three far clusters of twenty points in 60 dimensions."""
    random = np.random.default_rng(0)
    centers = 20.0 * random.normal(size=(3, 60))
    codes = np.repeat(centers, 20, axis=0) + random.normal(size=(60, 60))
    return codes.astype(np.float32), np.repeat([0, 1, 2], 20)


def test_clusters_stay_apart_in_the_plane():
    codes, labels = blobs()
    embedding = embed_tsne(codes, *TSNE)
    assert embedding.points.shape == (60, 2)
    assert 0.0 < embedding.divergence < 5.0
    assert experiment.one_nn_error(codes, labels) == 0.0
    assert experiment.one_nn_error(embedding.points, labels) == 0.0
    assert experiment.trustworthiness(codes, embedding.points, 5) > 0.9


def test_the_same_seed_gives_the_same_points():
    codes, _ = blobs()
    first, second = (embed_tsne(codes, *TSNE).points for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_plane_in_space_is_trusted_wholly_by_pca():
    random = np.random.default_rng(1)
    plane = random.normal(size=(40, 2)) * [3.0, 1.0]
    basis = np.linalg.qr(random.normal(size=(7, 2))).Q
    codes = (plane @ basis.T).astype(np.float32)
    points = embed_pca(codes).points
    assert experiment.trustworthiness(codes, points, 6) == pytest.approx(1.0)
    assert experiment.trustworthiness(codes, random.normal(size=(40, 2)), 6) < 0.8


def test_one_nn_error_counts_neighbors_of_another_class():
    line = np.array([[0.0], [1.0], [3.0], [3.5]], np.float32)
    assert experiment.one_nn_error(line, np.array([0, 0, 0, 1])) == 0.5


def test_a_grid_is_kept_and_others_take_places_of_their_own():
    steps = np.arange(3.0)
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    np.testing.assert_allclose(experiment.on_a_grid(7.0 * grid - 2.0), grid / 2.0)
    places = experiment.on_a_grid(np.random.default_rng(0).normal(size=(7, 2)))
    assert len({tuple(place) for place in places.tolist()}) == 7
    assert places.min() >= 0.0
    assert places.max() <= 1.0


def test_scores_say_what_the_codes_and_the_plane_keep():
    codes, labels = blobs()
    collection = LabeledPictures(np.zeros((60, 1, 1, 3), np.uint8), labels, ("a", "b", "c"))
    embeddings = {"pca": embed_pca(codes)}
    scalars, lines = experiment.score_space("pixels", codes, embeddings, collection, 5)
    assert set(scalars) == {
        "pixels_codes_one_nn_error",
        "pixels_pca_one_nn_error",
        "pixels_pca_trustworthiness",
    }
    assert lines[0] == "pixels   codes    60 numbers, 1-NN error   0.0%"
    assert "trustworthiness at 5" in lines[1]


@pytest.mark.slow
def test_pictures_without_classes_are_embedded_without_errors(tmp_path):
    random = np.random.default_rng(0)
    for index in range(17):
        noise = random.integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{index}.png")
    config = experiment.Config(**experiment.SMOKE | {"images": (str(tmp_path),)})
    built = experiment.build(config, Library(None, silent), Weights(None, silent))
    found = built.evaluate({}, None)
    assert not [name for name in found if "one_nn_error" in name]
    assert 0.0 < found["features_tsne_trustworthiness"] <= 1.0
    assert found["features_thumbnails"].pixels.shape[0] == 1
    assert max(found["features_thumbnails"].pixels.shape) == 160
    assert found["features_grid"].pixels.shape == (1, 60, 60, 3)
    assert found["scatter"].pixels.shape == (4, 640, 640, 3)


def test_too_few_pictures_are_refused_before_any_work():
    with pytest.raises(DataError, match="--perplexity is 5; with 10 pictures it must be at most 3"):
        experiment.require_enough(SMALL, 10)
    few = experiment.Config(perplexity=1.0, neighbors=12)
    with pytest.raises(DataError, match="--neighbors is 12; with 24 pictures it must be below 12"):
        experiment.require_enough(few, 24)


def test_values_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="--iterations is 100; it must be at least 300"):
        experiment.Config(iterations=100)
    with pytest.raises(ValueError, match="--side is 70; it must be at least 160"):
        experiment.Config(side=70)
    with pytest.raises(ValueError, match="--num_steps is 1; it must be 0"):
        experiment.Config(num_steps=1)
