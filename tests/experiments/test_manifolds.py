import dataclasses

import numpy as np
import pytest

from experiments import manifolds as experiment
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.tasks.embeddings import Embedding, embed, graph_parts

SMALL = experiment.Config(**experiment.SMOKE)


def test_isomap_unrolls_what_pca_does_not():
    config = dataclasses.replace(SMALL, num_points=900, neighbors=8)
    roll = experiment.swiss_roll(config)
    scores = {
        name: experiment.unrolled(
            embed(name, roll.vectors, roll.labels, config.settings), roll.colors
        )
        for name in ("PCA", "Isomap")
    }
    assert scores["Isomap"] > 0.99
    assert scores["PCA"] < 0.5


def test_lda_is_judged_by_classes_that_it_did_not_see():
    generator = np.random.default_rng(0)
    noise, labels = generator.normal(size=(200, 60)), generator.integers(0, 4, 200)
    found = embed("LDA", noise.astype(np.float32), labels, SMALL.settings)
    space = experiment.Space("noise", noise.astype(np.float32), labels, labels.astype(float))
    assert found.unseen.sum() == 100
    # Half of the classes are seen, and noise says nothing about the others: chance is 0.75.
    assert experiment.scores_of(space, found, 5)["one_nn_error"] > 0.6
    seen = experiment.one_nn_error(found.points[~found.unseen], labels[~found.unseen])
    assert seen < 0.55


def test_the_autoencoder_learns_a_plane():
    generator = np.random.default_rng(1)
    codes = generator.uniform(size=(200, 2))
    vectors = (codes @ generator.normal(size=(2, 8))).astype(np.float32)
    settings = SMALL.settings._replace(hidden=(16,), steps=400)
    found = embed("autoencoder", vectors, np.zeros(200, int), settings)
    assert found.points.shape == (200, 2)
    assert found.unseen is None
    assert experiment.trustworthiness(codes, found.points, 8) > 0.97


def test_far_clusters_are_parts_of_the_graph():
    generator = np.random.default_rng(0)
    clusters = generator.normal(size=(30, 3)) + 50.0 * np.repeat([0, 1, 2], 10)[:, None]
    assert graph_parts(clusters, 4) == 3
    assert graph_parts(clusters, 15) == 1


def test_compression_counts_bits_per_pixel():
    generator = np.random.default_rng(0)
    smooth = np.repeat(np.repeat(generator.random((50, 2, 2)), 4, 1), 4, 2).reshape(50, 64)
    space = experiment.Space(
        "blocks", smooth.astype(np.float32), np.zeros(50, int), np.zeros(50), (8, 8)
    )
    bits, quality = experiment.quantized_pca(space, 4)
    assert bits == 0.5
    assert quality > 45.0
    other_bits, reached = experiment.shrunken(space, 30.0)
    assert reached >= 30.0
    assert other_bits > 0.5


def test_large_pictures_are_reduced_by_means():
    dataset = Library(None, print).load("digits")
    space = experiment.dataset_space(dataset, 30, 14)
    assert space.shape == (14, 14)
    block = (dataset.test.images[0, :2, :2, 0].mean() + 1.0) / 2.0
    assert space.vectors[0, 0] == pytest.approx(block, abs=1e-6)


@pytest.mark.slow
def test_a_run_shows_one_sheet_for_each_space_and_the_four_uses():
    config = dataclasses.replace(SMALL, num_points=50, short_circuits=(5,))
    found = experiment.build(config, Library(None, print)).evaluate({}, None)
    assert found["sheet"].pixels.shape == (3, 640, 640, 3)
    assert len(found["scores"].rows) == 3 * 7
    assert found["four_uses"].count("\n") == 4
    assert 0.0 < found["use_dimension_nearest_to_farthest"] < 1.0


def test_scores_are_of_the_points():
    labels = np.repeat([0, 1], 20)
    points = np.stack([np.arange(40.0), 10.0 * labels], 1)
    space = experiment.Space("line", points.astype(np.float32), labels, labels.astype(float))
    scores = experiment.scores_of(space, Embedding(points, 0.5), 5)
    assert scores["trustworthiness"] == pytest.approx(1.0, abs=0.01)
    assert scores["continuity"] == pytest.approx(1.0, abs=0.01)
    assert scores["one_nn_error"] == 0.0
    assert scores["seconds"] == 0.5


def test_own_points_are_embedded_and_one_class_is_refused(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("1,2,a\n3,4,b\n5,6,b\n")
    config = dataclasses.replace(SMALL, points=str(path))
    space = experiment.own_space(config, Library(None, print))
    assert space.vectors.tolist() == [[1, 2], [3, 4], [5, 6]]
    with pytest.raises(DataError, match="3 different ones of 3 examples are too few for 5"):
        experiment.require_enough(space, config)
    rows = np.random.default_rng(0).random((40, 2))
    path.write_text("".join(f"{x},{y},a\n" for x, y in rows))
    space = experiment.own_space(config, Library(None, print))
    with pytest.raises(DataError, match="your data: 1 of its classes have 4 or more"):
        experiment.require_enough(space, config)


def test_equal_examples_and_a_large_perplexity_are_refused():
    ones = np.ones((40, 3), np.float32)
    space = experiment.Space("ones", ones, np.zeros(40, int), np.zeros(40))
    with pytest.raises(DataError, match="1 different ones of 40 examples are too few"):
        experiment.require_enough(space, SMALL)
    space = space._replace(vectors=np.random.default_rng(0).random((40, 3)).astype(np.float32))
    with pytest.raises(DataError, match="--perplexity is 20; with 40 examples"):
        experiment.require_enough(space, dataclasses.replace(SMALL, perplexity=20.0))
    with pytest.raises(ValueError, match="only one of them is allowed"):
        experiment.Config(images=("a",), points="b")
