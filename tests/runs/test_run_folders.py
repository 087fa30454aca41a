"""Tests where runs are searched."""

from lecture_models.runs.run_folders import run_folders
from tests.past import write_past_run


def test_runs_may_have_any_name_but_what_a_run_makes_is_not_searched(tmp_path):
    names = ("images/a", "wandb", "checkpoints", "runs/own notes/b")
    for name in names:
        write_past_run(tmp_path / name)
    for inside in ("images", "wandb/c", "checkpoints/d", ".hidden"):
        write_past_run(tmp_path / "wandb" / inside)
    assert run_folders(tmp_path) == sorted(tmp_path / name for name in names)


def test_links_in_a_circle_and_records_that_are_folders_are_no_trouble(tmp_path):
    folder = write_past_run(tmp_path / "run")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "other" / "config.json").mkdir(parents=True)
    assert run_folders(tmp_path) == [folder]
