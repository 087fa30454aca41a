"""Checks the table of old names against today's experiments and fields."""

import ast

import pytest

from lecture_models.runs import renames
from tests.conftest import ROOT


def fields_of(path):
    """Returns the fields of the dataclasses in a module: the Configs and their bases."""
    classes = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and node.decorator_list
    ]
    return {
        node.target.id
        for class_node in classes
        for node in class_node.body
        if isinstance(node, ast.AnnAssign)
    }


EXPERIMENT_FIELDS = {path.stem: fields_of(path) for path in (ROOT / "experiments").glob("*.py")}
TASK_FIELDS = {
    name for path in (ROOT / "lecture_models" / "tasks").glob("*.py") for name in fields_of(path)
}


def test_new_names_of_experiments_exist_and_old_ones_do_not():
    assert set(renames.EXPERIMENTS.values()) <= EXPERIMENT_FIELDS.keys()
    assert not renames.EXPERIMENTS.keys() & EXPERIMENT_FIELDS.keys()


def test_new_names_of_fields_exist_and_old_ones_do_not():
    everywhere = TASK_FIELDS.union(*EXPERIMENT_FIELDS.values())
    for experiment, fields in renames.FIELDS.items():
        present = EXPERIMENT_FIELDS[experiment] | TASK_FIELDS if experiment else everywhere
        assert set(fields.values()) <= present, experiment
        assert not fields.keys() & present, experiment


def test_a_new_name_is_never_renamed_again():
    for names in (renames.EXPERIMENTS, renames.METRICS, renames.WORDS, *renames.FIELDS.values()):
        assert not set(names.values()) & names.keys()


def test_a_single_picture_of_an_old_run_is_a_list_now():
    recorded = {"image": "sample:china", "guide": "", "seed": 0}
    current = {"images": ["sample:china"], "guide": "", "seed": 0}
    assert renames.current_config("deep_dream", recorded) == current
    assert renames.current_config("deep_dream", current) == current
    assert renames.current_config("attribution", {"target": "tench"}) == {"targets": ["tench"]}
    assert renames.current_config("attribution", {"target": ""}) == {"targets": []}
    for experiment, names in renames.BECAME_TUPLES.items():
        assert set(names) <= renames.FIELDS[experiment].keys()


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("falls_at", ["decay_at", "seed"], "; it is now 'decay_at'."),
        ("sgd", ["plain_sgd", "seed"], "; it is now 'plain_sgd'."),
        ("nosgd", ["momentum_sgd"], "; it is now 'momentum_sgd'."),
        ("feature_neighbours", ["feature_neighbors"], "; it is now 'feature_neighbors'."),
        ("eval/memorisation_ratio", ["eval/memorization_ratio"], "; it is now 'eval/memoriz"),
        ("falls_at", ["falls_after"], "; did you mean 'falls_after'?"),
        ("sed", ["seed"], "; did you mean 'seed'?"),
        ("x", ["seed"], "."),
    ],
)
def test_an_old_name_is_answered_with_the_new_one_if_it_exists(name, known, hint):
    assert renames.name_hint(name, known).startswith(hint)
