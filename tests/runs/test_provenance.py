"""Checks what a run records of the checkout that it was made from."""

import subprocess

import pytest

from lecture_models.runs.provenance import git_commit, shown_commit


@pytest.fixture
def checkout(tmp_path):
    """Returns a checkout of one commit, and a function that runs git in it."""

    def git(*arguments):
        author = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        command = ["git", *author, *arguments]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init")
    (tmp_path / "code.py").write_text("1\n")
    git("add", ".")
    git("commit", "-m", "first")
    return tmp_path, git


def test_an_unchanged_checkout_is_its_commit(checkout):
    folder, git = checkout
    commit = git("rev-parse", "HEAD")
    assert git_commit(folder) == {"commit": commit, "dirty": False}
    assert shown_commit(git_commit(folder)) == commit


@pytest.mark.parametrize("name", ["code.py", "new.py"])
def test_changed_and_new_files_make_it_dirty(checkout, name):
    folder, git = checkout
    (folder / name).write_text("2\n")
    found = git_commit(folder)
    assert found == {"commit": git("rev-parse", "HEAD"), "dirty": True}
    assert shown_commit(found).endswith(" (with uncommitted changes)")


def test_outside_of_a_checkout_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_commit(tmp_path) is None
    assert shown_commit(None) == "not a checkout"


def test_an_installed_package_has_no_commit_within_a_checkout_of_other_code(checkout):
    folder, _ = checkout
    installed = folder / ".venv" / "lecture_models" / "checkout"
    installed.mkdir(parents=True)
    (installed / "launch.py").write_text("3\n")
    assert git_commit(installed) is None
