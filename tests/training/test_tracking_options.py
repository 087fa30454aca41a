"""Tests which of flags, record and environment decides what W&B is told."""

import re

import pytest

from lecture_models.training.tracking_options import (
    TrackedAs,
    TrackingError,
    TrackingOptions,
    chosen_mode,
    tracked_as,
    unused_variables,
)

ENVIRONMENT = {
    "WANDB_RUN_ID": "mine1234",
    "WANDB_PROJECT": "thesis",
    "WANDB_ENTITY": "lab",
    "WANDB_NAME": "night run",
    "WANDB_RUN_GROUP": "ablation",
    "WANDB_JOB_TYPE": "train",
    "WANDB_TAGS": "mnist, gan,",
    "WANDB_NOTES": "first try",
}
OF_ENVIRONMENT = {
    "run_id": "mine1234",
    "project": "thesis",
    "entity": "lab",
    "name": "night run",
    "group": "ablation",
    "job_type": "train",
    "tags": ("mnist", "gan"),
    "notes": "first try",
}


def named(options=None, recorded=None, environment=None):
    """Returns how a run of gan_mnist in the folder `first` is tracked, and the lines."""
    return tracked_as(
        options or TrackingOptions(), "first", "gan_mnist", recorded or {}, environment or {}
    )


def test_what_the_environment_says_is_obeyed_for_one_run():
    found, lines = named(environment=ENVIRONMENT)
    assert found == TrackedAs(**OF_ENVIRONMENT)
    assert lines == []


def test_without_an_environment_folder_and_experiment_name_the_run():
    found, lines = named()
    assert re.fullmatch("[a-z0-9]{8}", found.run_id)
    assert found == TrackedAs(found.run_id, "lecture-models", None, "first", "gan_mnist")
    assert lines == []


def test_an_empty_variable_counts_as_none():
    assert named(environment=dict.fromkeys(ENVIRONMENT, ""))[0][1:] == named()[0][1:]


def test_several_runs_share_what_is_not_of_one_run():
    options = TrackingOptions(series="heights")
    first, lines = tracked_as(options, "0000", "gan_mnist", {}, ENVIRONMENT)
    second, _ = tracked_as(options, "0001", "gan_mnist", {}, ENVIRONMENT)
    assert len({first.run_id, second.run_id, "mine1234"}) == 3
    assert (first.name, second.name) == ("heights/0000", "heights/0001")
    for run in (first, second):
        assert run._replace(run_id="mine1234", name="night run") == TrackedAs(**OF_ENVIRONMENT)
    assert lines == []
    assert unused_variables(options, ENVIRONMENT) == ["WANDB_RUN_ID", "WANDB_NAME"]
    assert unused_variables(TrackingOptions(), ENVIRONMENT) == []
    assert unused_variables(options._replace(mode="disabled"), ENVIRONMENT) == []


def test_the_group_of_several_runs_is_their_series():
    assert named(TrackingOptions(series="heights"))[0].group == "heights"


def test_whether_the_run_must_exist_is_obeyed_for_one_new_run():
    environment = ENVIRONMENT | {"WANDB_RESUME": "never"}
    assert named(environment=environment)[0].resume == "never"
    assert named(TrackingOptions(series="s"), environment=environment)[0].resume == "allow"
    assert named(recorded={"run_id": "old12345"}, environment=environment)[0].resume == "allow"


def test_a_flag_wins_and_the_contradiction_is_said():
    options = TrackingOptions(project="demo", tags=("a", "b"), notes="first try")
    found, lines = named(options, environment=ENVIRONMENT)
    assert (found.project, found.tags, found.notes) == ("demo", ("a", "b"), "first try")
    assert lines == [
        "project 'demo' of --wandb_project is used, not project 'thesis' of WANDB_PROJECT",
        "tags 'a,b' of --wandb_tags is used, not tags 'mnist,gan' of WANDB_TAGS",
    ]


def test_a_resumed_run_stays_the_one_of_its_record():
    recorded = named(environment=ENVIRONMENT)[0].record
    found, lines = named(recorded=recorded)
    assert found == TrackedAs(**OF_ENVIRONMENT)
    found, lines = named(recorded=recorded, environment={"WANDB_RUN_ID": "other"})
    assert found.run_id == "mine1234"
    assert lines == [
        "run id 'mine1234' of the run's record is used, not run id 'other' of WANDB_RUN_ID"
    ]
    assert named(TrackingOptions(project="demo"), recorded)[0].project == "demo"


def test_the_record_of_an_older_version_is_completed():
    found, _ = named(recorded={"mode": "offline", "run_id": "old12345", "url": None})
    assert found == TrackedAs("old12345", "lecture-models", None, "first", "gan_mnist")
    assert re.fullmatch("[a-z0-9]{8}", named(recorded={"run_id": None})[0].run_id)


@pytest.mark.parametrize(
    ("asked", "variable", "mode"),
    [
        ("auto", "", "auto"),
        ("auto", "disabled", "disabled"),
        ("auto", "online", "online"),
        ("auto", "dryrun", "offline"),
        ("auto", "run", "online"),
        ("offline", "offline", "offline"),
    ],
)
def test_auto_obeys_the_environment(asked, variable, mode):
    assert chosen_mode(TrackingOptions(asked), {"WANDB_MODE": variable}) == (mode, [])


def test_a_mode_on_the_command_line_wins_and_says_so():
    options = TrackingOptions("offline")
    for variable in ("online", "anything"):
        said = [f"--wandb=offline is used, not WANDB_MODE={variable}"]
        assert chosen_mode(options, {"WANDB_MODE": variable}) == ("offline", said)


def test_an_unknown_mode_is_refused_with_those_allowed():
    with pytest.raises(TrackingError, match="'dryrun'; allowed: auto, online, offline, disabled"):
        chosen_mode(TrackingOptions("dryrun"), {})
    with pytest.raises(TrackingError, match="WANDB_MODE is 'ofline'; allowed: online, offline, d"):
        chosen_mode(TrackingOptions(), {"WANDB_MODE": "ofline"})
