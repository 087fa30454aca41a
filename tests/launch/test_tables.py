"""Tests what --table prints or writes, and its exit codes."""

import csv
import json
import os
import subprocess
import sys

import pytest

import launch


def run(*arguments):
    return launch.main(["launch.py", *arguments])


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Leaves the checkout, whose folder of runs must not affect a test."""
    monkeypatch.chdir(tmp_path)


def test_a_table_is_printed_as_markdown(capsys):
    assert run("--table=vgg16_memory") == 0
    text = capsys.readouterr().out
    assert text.startswith("## VGG-16, layer by layer")
    assert "| total: values " in text
    assert "E1" in text


@pytest.mark.parametrize("suffix", ["md", "html", "csv", "json", "JSON"])
def test_a_table_is_written_in_the_format_of_the_suffix(suffix, tmp_path, capsys):
    path = tmp_path / f"table.{suffix}"
    assert run("--table=vgg16_memory", f"--output={path}") == 0
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err == f"written: {path}\n"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    content = path.read_text("utf-8")
    if suffix.lower() == "json":
        assert json.loads(content)["name"] == "vgg16_memory"
    if suffix == "csv":
        assert len(list(csv.DictReader(content.splitlines()))) == 69
    if suffix == "html":
        assert content.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table=vgg16_memry"], "there is no table 'vgg16_memry'; did you mean 'vgg16_memory'?"),
        (["--table=vgg16_memory", "--output=table.txt"], "must end in .md, .html, .csv, .json"),
        (["--table=vgg16_memory", "--output=table"], "must end in .md, .html, .csv, .json"),
        (
            ["--table=vgg16_memory", "--output=none/a.md"],
            "--output is none/a.md; the folder none does not exist",
        ),
        (["--table=vgg16_memory", "--output=folder.md"], "which is a folder; name a file"),
        (["--table=trained"], "--output is not given; with --table=trained it must be a folder"),
        (["--table=trained", "--output=none"], "--output is none, which is not a folder"),
        (["--table=trained", "--output=.", "--run"], "--run needs the name of one table"),
        (["--table=vgg16_memory", "--experiment=gan_mnist"], "are two commands; give one"),
        (["--table=vgg16_memory", "--ouput=a.md"], "no flag --ouput; did you mean 'output'?"),
        (["--table=vgg16_memory", "--preset=paper"], "there is no flag --preset"),
        (["--table=vgg16_memory", "stray"], "unexpected argument 'stray'"),
        (["--experiment=gan_mnist", "--output=a.md"], "must end in one of .png"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(arguments, message, tmp_path, capsys):
    (tmp_path / "folder.md").mkdir()
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder.md"]


def test_runs_fill_a_table(tmp_path, capsys, monkeypatch):
    from experiments import lenet_mnist
    from tests.tables.test_trained_rows import write_paper_run

    monkeypatch.setattr(lenet_mnist, "PAPER_DEPARTURES", ())
    for seed in range(3):
        write_paper_run(tmp_path / "mine" / str(seed), seed, 0.95)
    assert run("--table=lenet5", "--runs_dir=mine", "--output=a.json") == 0
    rows = {row["what"]: row for row in json.loads((tmp_path / "a.json").read_text())["rows"]}
    assert rows["test error, MNIST, %"]["verdict"] == "within spread"
    assert rows["test error, MNIST, %"]["seeds"] == 3


def test_the_list_has_the_tables(capsys):
    assert run("--list") == 0
    text = capsys.readouterr().out
    assert "tables, with --table=NAME:" in text
    assert "vgg16_memory: VGG-16, layer by layer" in text


def test_help_of_a_table_is_its_docstring(capsys):
    assert run("--table=vgg16_memory", "--help") == 0
    assert "Source: Gong" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--list"], ["--experiment=gan_mnist", "--help"]])
def test_a_reader_who_leaves_early_is_no_error(arguments, root):
    read, write = os.pipe()
    os.close(read)
    finished = subprocess.run(
        [sys.executable, str(root / "launch.py"), *arguments],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(write)
    assert finished.stderr == ""
    assert finished.returncode == 0


def test_an_experiment_that_asks_for_weights_gets_them(monkeypatch, capsys):
    from lecture_models.commands import discovery
    from lecture_models.data.dataset import DataError

    module = discovery.load(launch.CHECKOUT.experiments, "gan_mnist")
    given = []

    def build(config, library, weights):
        given.append(weights)
        raise DataError("far enough")

    monkeypatch.setattr(module, "build", build)
    assert run("--experiment=gan_mnist", "--preset=smoke", "--weights_dir=here") == 1
    assert "far enough" in capsys.readouterr().err
    assert type(given[0]).__name__ == "Weights"


def test_the_kept_records_make_the_published_tables_again(tmp_path, root):
    """Whoever clones the repository can trace each published number to its run's record."""
    kept, made = root / "results" / "tables", tmp_path / "made"
    made.mkdir()
    assert run("--table=trained", f"--runs_dir={root / 'results/runs'}", f"--output={made}") == 0
    assert {path.name for path in made.iterdir()} <= {path.name for path in kept.iterdir()}
    for name in ("gan_parzen.md", "vae_likelihood.md"):  # All of their runs are kept.
        assert (made / name).read_text("utf-8") == (kept / name).read_text("utf-8"), name
