import jax
import numpy as np
import pytest

from experiments import clustering as experiment
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library

SMALL = experiment.Config(**experiment.SMOKE)


def points_of(tmp_path, text):
    path = tmp_path / "own.csv"
    path.write_text(text)
    return experiment.points_of_table(experiment.Config(csv=str(path)), Library(None, print))


def test_columns_of_a_table_get_zero_mean_and_unit_variance(tmp_path):
    points = points_of(tmp_path, "x,y,kind\n1,10,a\n2,30,b\n3,20,a\n")
    rows = points.spaces["columns"]
    np.testing.assert_allclose(rows.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(rows.std(axis=0), 1.0, rtol=1e-6)
    assert points.classes == ("a", "b")
    assert points.labels.tolist() == [0, 1, 0]


def test_tables_that_cannot_be_clustered_are_refused(tmp_path):
    with pytest.raises(DataError, match="the column y is constant; leave it out"):
        points_of(tmp_path, "x,y\n1,5\n2,5\n")
    points = points_of(tmp_path, "x,y\n1,5\n2,6\n1,5\n")
    with pytest.raises(DataError, match="--num_clusters is 0 and there are no classes"):
        experiment.require_enough_points(points, 0, (2,))
    with pytest.raises(DataError, match="--num_clusters=3: columns: .* 2 distinct vectors"):
        experiment.require_enough_points(points, 3, (2,))
    with pytest.raises(DataError, match="--tried=4: columns: .* 2 distinct vectors"):
        experiment.require_enough_points(points, 2, (2, 4))


def test_far_blobs_are_found_and_scored_perfectly():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    rows = 30.0 * np.eye(3, 4)[labels] + random.normal(size=(60, 4))
    rows = rows.astype(np.float32)
    points = experiment.Points({"columns": rows}, None, labels, ("a", "b", "c"), "blobs")
    seedings, lines, scalars, found = experiment.cluster_space(
        SMALL, jax.random.key(0), "columns", points, 3
    )
    assert experiment.scores_of(rows, labels, found)["ARI"] == 1.0
    assert scalars["columns_kmeans_purity"] == 1.0
    assert scalars["columns_mixture_nmi"] == pytest.approx(1.0)
    assert scalars["columns_kmeans_silhouette"] > 0.8
    assert [row[-1] for row in seedings] == [0, 0]  # The cost never rose.
    assert [line[1] for line in lines] == ["k-means", "mixture"]


def test_a_palette_of_as_many_colors_as_the_photo_has_changes_nothing():
    colors = np.array([[-1.0, 0.0, 1.0], [1.0, 1.0, -1.0], [0.0, 0.0, 0.0]], np.float32)
    photo = colors[np.arange(256) % 3].reshape(1, 16, 16, 3)
    config = experiment.Config(**experiment.SMOKE | {"palette": (3,)})
    drawn, table = experiment.palettes(config, jax.random.key(0), photo)
    np.testing.assert_allclose(drawn.pixels[1], drawn.pixels[0], atol=1e-6)
    assert table.rows[0][3] > 60.0


def test_values_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="--tried is 1; it must be at least 2"):
        experiment.Config(tried=(1,))
    with pytest.raises(ValueError, match="--palette has no values"):
        experiment.Config(palette=())
