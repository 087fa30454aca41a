import pytest

from lecture_models.runtime import catalogue
from lecture_models.runtime.config import UsageError


def write(folder, text):
    (folder / "one.py").write_text(f'"""{text}"""\nraise ImportError("listing must not import")\n')


def test_an_entry_is_read_without_importing_the_file(tmp_path):
    write(tmp_path, "Title.\n\nPaper: A\nData: B\nCost: C,\n  and more\nExpected: D\n")
    assert catalogue.names(tmp_path) == ["one"]
    assert catalogue.entry(tmp_path, "one") == ("one", "Title.", "A", "B", "C, and more", "D")


def test_a_missing_line_of_the_docstring_is_named(tmp_path):
    write(tmp_path, "Title.\n\nPaper: A\nData: B\nCost: C\n")
    with pytest.raises(ValueError, match=r"one\.py: the docstring has no line Expected"):
        catalogue.entry(tmp_path, "one")


def test_an_unknown_experiment_is_answered_with_the_nearest(root):
    with pytest.raises(UsageError, match="did you mean 'gan_mnist'"):
        catalogue.load(root / "experiments", "gan_minst")


def test_a_private_module_is_no_experiment(tmp_path):
    (tmp_path / "_shared.py").write_text("")
    assert catalogue.names(tmp_path) == []
