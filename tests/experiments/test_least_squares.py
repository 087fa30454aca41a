import jax
import numpy as np
import pytest

from experiments import least_squares as experiment
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.evaluators.least_squares import (
    deficient,
    solvers,
    table_of_ill_conditioned,
    table_of_methods,
    table_of_statements,
)

SMALL = experiment.Config(**experiment.SMOKE)


def problem_of_table(tmp_path, text, target=""):
    path = tmp_path / "own.csv"
    path.write_text(text)
    config = experiment.Config(csv=str(path), target=target)
    return experiment.problem_of(config, Library(None, print))


def test_a_table_becomes_a_matrix_with_a_constant_column(tmp_path):
    problem = problem_of_table(tmp_path, "a,price,b\n1,10,2\n3,20,4\n5,30,7\n", "price")
    assert problem.names == ("a", "b", "constant")
    np.testing.assert_array_equal(problem.matrix, [[1, 2, 1], [3, 4, 1], [5, 7, 1]])
    np.testing.assert_array_equal(problem.target, [10.0, 20.0, 30.0])


def test_tables_without_an_answer_are_refused(tmp_path):
    with pytest.raises(DataError, match="--target is c; the table has the columns"):
        problem_of_table(tmp_path, "a,b\n1,2\n", "c")
    with pytest.raises(DataError, match="--csv has 1 column of numbers"):
        problem_of_table(tmp_path, "a\n1\n2\n")


def test_all_statements_hold_but_the_misprint():
    with jax.enable_x64(True):
        problem = deficient(experiment.problem_of(SMALL, Library(None, print)))
        _, scalars = table_of_statements(problem)
    assert scalars["largest_deviation_float64"] < 1e-11
    assert scalars["largest_deviation_float32"] < 1e-3
    assert scalars["printed_inverse_deviation"] > 1e-3


def test_methods_agree_and_the_misprint_leaves_a_larger_residual():
    problem = experiment.problem_of(SMALL, Library(None, print))
    with jax.enable_x64(True):
        table = table_of_methods(problem, solvers(1e-9, True), "")
    double = {row[0]: row[2:] for row in table.rows if row[1] == "float64"}
    for name in ("normal equations", "QR", "SVD"):
        assert double[name][3] < 1e-8
    assert double["the printed V S U^T"][0] > 1.2 * double["SVD"][0]
    assert "QR" not in solvers(1e-9, False)


def test_ill_conditioned_matrices_defeat_the_normal_equations_but_not_the_cut_off():
    with jax.enable_x64(True):
        table, scalars = table_of_ill_conditioned(solvers(1e-6, True))
    errors = {(row[0].split(",")[0], row[2]): row[3:] for row in table.rows}
    assert errors["Hilbert", "normal equations"] == ("no result", "no result")
    assert errors["powers 0 to 12 of 24 places", "normal equations"][1] == "no result"
    assert errors["powers 0 to 6 of 24 places", "normal equations"][1] < 1e-6
    for (_, name), (single, double) in errors.items():
        if name in ("SVD", "ridge 1e-06"):
            assert max(single, double) < 0.05
    single, double = errors["powers 0 to 12 of 24 places", "QR"]
    assert double < 1e-6 < single
    assert scalars["hilbert_svd_error"] < 0.1 * scalars["hilbert_qr_error"]
    conditions = {row[0].split(",")[0]: row[1] for row in table.rows}
    assert conditions["Hilbert"] > 1e15


def test_values_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="--num_rows is 4; it must be at least 8"):
        experiment.Config(num_rows=4)
    with pytest.raises(ValueError, match="--target is y; it names a column of --csv"):
        experiment.Config(target="y")
    with pytest.raises(ValueError, match="--degrees has 1 values"):
        experiment.Config(degrees=(3,))
    with pytest.raises(ValueError, match="--ridge is 0.0; it must be from 1e-12 to 1.0"):
        experiment.Config(ridge=0.0)
