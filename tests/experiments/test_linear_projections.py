import numpy as np
import pytest

from experiments import linear_projections as experiment
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library


def examples_of(tmp_path, text, **fields):
    path = tmp_path / "own.csv"
    path.write_text(text)
    config = experiment.Config(csv=str(path), **fields)
    return config, experiment.examples_of_table(config, Library(None, print))


def table(count=60):
    random = np.random.default_rng(0)
    lines = ["a,b,c,kind"]
    for place in range(count):
        kind = "xyz"[place % 3]
        numbers = 6.0 * np.eye(3)[place % 3] + random.normal(size=3)
        lines.append(",".join(f"{number:.3f}" for number in numbers) + f",{kind}")
    return "\n".join(lines) + "\n"


def test_far_classes_of_a_table_are_told_apart_and_statements_hold(tmp_path):
    config, examples = examples_of(tmp_path, table())
    experiment.require_enough(examples)
    assert examples.train.shape == (48, 3)
    assert examples.test.shape == (12, 3)
    results = experiment.state_facts(config, examples)
    results |= experiment.compare_planes(config, examples)
    assert results["pca_deviation"] < 1e-10
    assert results["lda_deviation"] < 1e-9
    assert results["lda_plane_accuracy"] == 100.0
    assert results["lda_accuracy_numbers"] == 100.0
    assert results["components_for_95"] in (2.0, 3.0)


def test_two_classes_of_two_columns_work(tmp_path):
    text = "a,b,kind\n" + "".join(f"{i % 5}.5,{i},{'xy'[i % 2]}\n" for i in range(30))
    config, examples = examples_of(tmp_path, text, neighbors=1)
    results = experiment.compare_planes(config, examples)
    assert 0.0 <= results["lda_plane_accuracy"] <= 100.0


def test_a_constant_column_plays_no_part(tmp_path):
    with_constant = "\n".join(
        line.replace(",", ",7," if place else ",fixed,", 1)
        for place, line in enumerate(table().splitlines())
    )
    config, examples = examples_of(tmp_path, with_constant)
    assert experiment.useful_components(config, examples) == 3
    assert experiment.state_facts(config, examples)["pca_deviation"] < 1e-10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n" + "1,2\n3,5\n" * 20, "has no column of words"),
        ("a,kind\n" + "1,x\n2,y\n" * 20, "there is 1 column of numbers"),
        ("a,b,kind\n" + "1,2,x\n2,3,x\n" * 20, "all training examples have one class"),
        ("a,b,kind\n1,2,x\n2,3,y\n4,5,x\n7,5,y\n", "3 training examples of 2 classes are too few"),
        ("a,b,kind\n" + "1,2,x\n1,2,y\n" * 20, "all training examples are equal"),
    ],
)
def test_tables_without_components_or_classes_are_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        experiment.require_enough(examples_of(tmp_path, text)[1])


def test_values_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="--shares is 1.5; it must be from 0.01 to 1.0"):
        experiment.Config(shares=(0.5, 1.5))
    with pytest.raises(ValueError, match="--shares has no values"):
        experiment.Config(shares=())
    with pytest.raises(ValueError, match="--components is 1; it must be at least 2"):
        experiment.Config(components=1)
