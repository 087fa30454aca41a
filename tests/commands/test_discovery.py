import pytest

from lecture_models.commands import discovery, help_page
from lecture_models.config import UsageError
from lecture_models.runs import renames


def write(folder, text):
    (folder / "one.py").write_text(f'"""{text}"""\nraise ImportError("listing must not import")\n')


def test_an_entry_is_read_without_importing_the_file(tmp_path):
    write(tmp_path, "Title.\n\nPaper: A\nData: B\nCost: C,\n  and more\nExpected: D\n")
    assert discovery.names(tmp_path) == ["one"]
    assert discovery.entry(tmp_path, "one") == ("one", "Title.", "A", "B", "C, and more", "D")


def test_a_missing_line_of_the_docstring_is_named(tmp_path):
    write(tmp_path, "Title.\n\nPaper: A\nData: B\nCost: C\n")
    with pytest.raises(ValueError, match=r"one\.py: the docstring has no line Expected"):
        discovery.entry(tmp_path, "one")


def test_a_docstring_is_read_from_the_file_because_python_may_keep_none(root, monkeypatch, capsys):
    module = discovery.load(root / "experiments", "gan_mnist")
    monkeypatch.setattr(module, "__doc__", None)  # As under `python -OO`.
    assert discovery.docstring(module).startswith("GAN of multilayer perceptrons on MNIST.\n\n")
    help_page.show_help("gan_mnist", module)
    assert capsys.readouterr().out.startswith("GAN of multilayer perceptrons on MNIST.\n\n")
    sources = [root / "launch.py", *(root / "lecture_models").rglob("*.py")]
    assert not [path for path in sources if "__doc__" in path.read_text("utf-8")]


def test_an_unknown_experiment_is_answered_with_the_nearest(root):
    with pytest.raises(UsageError, match="did you mean 'gan_mnist'"):
        discovery.load(root / "experiments", "gan_minst")


def test_the_old_name_of_an_experiment_is_answered_with_the_new_one(root, monkeypatch):
    monkeypatch.setitem(renames.EXPERIMENTS, "gan", "gan_mnist")
    with pytest.raises(UsageError, match="no experiment 'gan'; it is now 'gan_mnist'. --list"):
        discovery.load(root / "experiments", "gan")


def test_a_private_module_is_no_experiment(tmp_path):
    (tmp_path / "_shared.py").write_text("")
    assert discovery.names(tmp_path) == []


def test_a_table_is_listed_by_title_and_source(tmp_path):
    write(tmp_path, "Title.\n\nSource: A,\n  and more\n")
    assert discovery.table_entry(tmp_path, "one") == ("one", "Title.", "A, and more")


def test_a_tables_docstring_without_a_source_is_named(tmp_path):
    write(tmp_path, "Title.\n")
    with pytest.raises(ValueError, match=r"one\.py: the docstring has no line Source"):
        discovery.table_entry(tmp_path, "one")


def test_an_unknown_table_is_answered_with_the_nearest(root):
    with pytest.raises(UsageError, match="there is no table 'lenet'; did you mean 'lenet5'"):
        discovery.load(root / "experiments" / "tables", "lenet", "table")


def test_a_module_of_a_folder_in_a_package_is_loaded_by_its_whole_name(root):
    module = discovery.load(root / "experiments" / "tables", "lenet5", "table")
    assert module.__name__ == "experiments.tables.lenet5"
