import numpy as np
import pytest

from experiments import perceptron as experiment
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.linear.perceptron import largest_margin, train_perceptron

SMALL = experiment.Config(**experiment.SMOKE)


def silent(line):
    """Nothing is announced."""


@pytest.fixture(scope="module")
def evaluation():
    return experiment.build(SMALL, Library(None, silent)).evaluate({}, None)


def test_the_table_has_the_mistakes_beside_their_bound(evaluation):
    names, rows, _ = evaluation["mistakes_table"]
    by_name = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    assert by_name["XOR"]["bound"] == "none: not separable"
    assert by_name["XOR"]["end"].startswith("never: repeats with a period of")
    assert by_name["AND"]["end"] == "no mistake left"
    assert by_name["AND"]["mistakes"] <= 51 == int(by_name["AND"]["bound"])
    assert by_name["digits: 4 and 9"]["inputs"] == 784
    assert evaluation["alarm_bound"] == evaluation["alarm_margin"] == ""


def test_every_made_data_set_stays_below_the_line(evaluation):
    assert evaluation["mistakes_over_bound_median"] > 0.0
    assert evaluation["mistakes_over_bound_largest"] <= 1.0


def test_a_linear_hidden_layer_cannot_learn_xor(evaluation):
    assert evaluation["xor_linear_hidden_squared_error"] == pytest.approx(0.25, abs=1e-3)
    assert evaluation["xor_logistic_squared_error"] == pytest.approx(0.25, abs=1e-2)


def test_films_show_xor_and_the_made_points(evaluation):
    films = {name for name, result in evaluation.items() if hasattr(result, "frames")}
    assert films == {"film_4", "film_5", "xor_two_layer"}
    assert evaluation["film_5"].frames.shape[1:] == (60, 60, 3)
    assert np.ptp(evaluation["film_5"].frames[0] - evaluation["film_5"].frames[-1]) > 0.1


def test_two_layers_with_tanh_learn_xor():
    config = experiment.Config(xor_steps=2_000)
    activation = experiment.ACTIVATIONS["tanh"]
    _, losses = experiment.train_two_layers(experiment.truth_table("XOR"), activation, config)
    assert losses[0] > 0.2
    assert losses[-1] < 0.01


def test_made_points_keep_their_margin():
    problem = experiment.made_points(40, 0.2, (0, 1))
    assert problem.points.shape == (40, 2)
    # The bias makes the extended normal longer, so the margin there is a little smaller.
    assert largest_margin(problem.points, problem.targets).margin > 0.15
    assert train_perceptron(problem.points, problem.targets, 500).converged


def test_own_points_are_of_two_classes(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("1,2,a\n3,4,b\n5,6,b\n")
    config = experiment.Config(points=str(path))
    problem = experiment.own_points(config, Library(None, silent))
    assert problem.name == "own.csv"
    assert problem.targets.tolist() == [0.0, 1.0, 1.0]
    path.write_text("1,2,a\n3,4,b\n5,6,c\n")
    with pytest.raises(DataError, match="has 3 classes; a perceptron tells 2 apart"):
        experiment.own_points(config, Library(None, silent))


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="it must be two different classes"):
        experiment.Config(pair=(3, 3))
    with pytest.raises(ValueError, match="a margin is 0; it must be above 0"):
        experiment.Config(margins=(0.1, 0))
    config = experiment.Config(dataset="digits", pair=(3, 12))
    with pytest.raises(DataError, match="--pair has 12; digits has the classes 0 to 9"):
        experiment.build(config, Library(None, silent))
