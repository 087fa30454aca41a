"""Finds the experiment of a past run, and the Config with which it ran."""

import dataclasses
import typing
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from lecture_models.commands import discovery
from lecture_models.config import did_you_mean
from lecture_models.runs import provenance
from lecture_models.runs.arguments import flag_value, split_flags, words_of
from lecture_models.runs.json_values import as_object
from lecture_models.runs.past_run import PastRun
from lecture_models.runs.reader import RunFolderError


def past_module(experiments: Path, past: PastRun) -> ModuleType:
    """Returns the module of a run's experiment.

    Args:
        experiments: the folder of the experiments.
        past: the run.

    Raises:
        RunFolderError: the experiment does not exist here.
    """
    known = discovery.names(experiments)
    if past.experiment not in known:
        raise RunFolderError(
            f"{past.folder} is a run of {past.experiment!r}, which is not an experiment here"
            f"{did_you_mean(past.experiment, known)} It was run at commit "
            f"{provenance.shown_commit(as_object(past.record.get('git')))}"
        )
    return discovery.load(experiments, past.experiment)


def past_config(module: ModuleType, past: PastRun, announce: Callable[[str], None]) -> Any:
    """Returns the Config with all recorded values, because a preset may have changed since.

    Args:
        module: the module of the experiment.
        past: the run.
        announce: is called with one line for each field that is gone or newer than the run.

    Raises:
        RunFolderError: the Config does not accept the values any more.
    """
    fields = {field.name: field for field in dataclasses.fields(module.Config)}
    hints = typing.get_type_hints(module.Config)
    for name in past.config.keys() - fields.keys():
        announce(f"warning: field {name}: {past.config[name]} recorded, but the field is gone")
    for name in fields.keys() - past.config.keys():
        announce(
            f"warning: field {name}: not recorded, because it is newer; its default is "
            f"{fields[name].default}"
        )
    kept = {name: value for name, value in past.config.items() if name in fields}
    for name, value in kept.items():
        if typing.get_origin(hints[name]) is tuple and isinstance(value, list):
            kept[name] = tuple(value)
    try:
        return module.Config(**kept)
    except (TypeError, ValueError) as error:
        raise RunFolderError(f"{past.folder}: its config is not valid any more: {error}") from error


def past_flags(past: PastRun) -> list[str]:
    """Returns the flags of a run that are not fields of its config, such as its data folder.

    Args:
        past: the run.

    Returns:
        The words of a command line.
    """
    environment = as_object(past.record.get("environment"))
    is_plain = environment.get(provenance.FAST_CONVOLUTIONS) is False
    recorded = [f"--no{provenance.FAST_CONVOLUTIONS}"] if is_plain else []
    words = words_of(past.record["command"])
    reading, _ = split_flags(words, {"image_size"}, {"skip_bad_images"})
    return [*recorded, *reading, *_past_folders(past, words)]


def _past_folders(past: PastRun, words: list[str]) -> list[str]:
    """Returns the flags of the folders that a run read.

    A folder of the user's own pictures is recorded with its whole path. Other folders stand in the
    command alone; those that do not exist any more are left to the defaults, because the data are
    compared with the recorded ones by their SHA-256.
    """
    folders = {name: flag_value(words, name) for name in ("data_dir", "weights_dir")}
    folders = {name: value for name, value in folders.items() if value and Path(value).is_dir()}
    for source in map(as_object, past.record["data"]):
        if source.get("dataset") == "folder" and source["files"]:
            folders["data_dir"] = as_object(source["files"][0]).get("path")
    return [f"--{name}={value}" for name, value in folders.items()]
