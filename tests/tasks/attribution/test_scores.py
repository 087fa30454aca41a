import jax
import numpy as np
import pytest

from lecture_models.tasks.attribution import scores
from tests.tasks.attribution.brightness import SETTINGS, inputs_of


def test_deletion_of_the_right_pixels_is_fast(functions, found):
    maps = scores.with_baselines({"occlusion": found.maps["occlusion"]}, np.random.default_rng(0))
    deletion, insertion = scores.replacement_areas(functions, inputs_of(0, 2), maps, 8, 4)
    assert max(deletion["occlusion"]) < min(deletion["random"])
    assert np.mean(insertion["occlusion"]) > np.mean(insertion["random"])


def test_the_pointing_game_is_won_by_methods_and_by_chance_in_a_quarter(functions):
    random, key = np.random.default_rng(0), jax.random.key(0)
    methods = ("occlusion", "grad_cam")
    hits = scores.pointing_hits(methods, functions, inputs_of(0, 2), SETTINGS, random, key)
    assert hits["occlusion"] == hits["grad_cam"] == [1.0, 1.0]
    assert hits["random"] == [0.25, 0.25]
    assert hits["center"] == [0.0, 0.0]


def test_pictures_of_one_class_make_no_composites(functions):
    random, key = np.random.default_rng(0), jax.random.key(0)
    inputs = inputs_of(1, 1)
    assert not scores.pointing_hits(("grad_cam",), functions, inputs, SETTINGS, random, key)


def test_an_unchanged_network_has_unchanged_maps(functions, found):
    correlations = scores.rank_correlations(
        functions, inputs_of(0, 2), found.maps, (0.0,), SETTINGS, np.random.default_rng(0)
    )
    assert correlations[0.0]["guided_backprop"] == pytest.approx([1.0, 1.0])
    assert "occlusion" not in correlations[0.0]


def test_a_table_has_means_and_spreads():
    columns = {"deletion": {"saliency": [0.1, 0.3], "random": [0.5]}}
    lines = scores.scores_table(columns).split("\n")
    assert lines[1].split() == ["saliency", "0.200", "±", "0.141"]
    assert lines[2].split() == ["random", "0.500"]
    assert len(lines) == 3
    assert scores.mean_scores(columns) == {"deletion_saliency": 0.2, "deletion_random": 0.5}
