"""Decides how a run is tracked in W&B: by flags, the run's record and W&B's environment."""

import secrets
import string
from collections.abc import Mapping
from typing import Any, NamedTuple

from lecture_models.runs.json_values import as_list

MODES = ("auto", "online", "offline", "disabled")
DEFAULT_PROJECT = "lecture-models"
# The values of WANDB_MODE, with the older names that W&B still takes.
_MODE_VALUES = {name: name for name in MODES[1:]} | {"dryrun": "offline", "run": "online"}
_VARIABLES = {
    "run_id": "WANDB_RUN_ID",
    "project": "WANDB_PROJECT",
    "entity": "WANDB_ENTITY",
    "name": "WANDB_NAME",
    "group": "WANDB_RUN_GROUP",
    "job_type": "WANDB_JOB_TYPE",
    "tags": "WANDB_TAGS",
    "notes": "WANDB_NOTES",
}
OF_ONE_RUN = ("run_id", "name")  # Several runs with the same one would overwrite each other.
_RESUME = "WANDB_RESUME"


class TrackingError(RuntimeError):
    """Says, in one line for the user, that the requested W&B mode is not possible."""


class TrackingOptions(NamedTuple):
    """Holds what the command line says about W&B.

    Attributes:
        mode: `online`, `offline`, `disabled`, or `auto` for the environment's or the best possible.
        project: W&B's project; None, as for the next five, for the environment's or the default.
        entity: the user or team that owns the project.
        name: the run's name.
        group: W&B shows the runs of one group together.
        tags: the run's tags.
        notes: a text about the run.
        artifacts: whether the last checkpoint and the report of the finished run are stored in W&B.
        series: name of the runs that one command trains, such as those of a sweep; "" for a run of
            its own.
    """

    mode: str = "auto"
    project: str | None = None
    entity: str | None = None
    name: str | None = None
    group: str | None = None
    tags: tuple[str, ...] | None = None
    notes: str | None = None
    artifacts: bool = False
    series: str = ""


class TrackedAs(NamedTuple):
    """Holds the names under which W&B knows a run.

    Attributes:
        run_id: W&B's identifier, with which a resumed run continues the same W&B run.
        project: W&B's project.
        entity: the user or team that owns it; None for the user's default.
        name: the run's name.
        group: the group of runs.
        job_type: a word for what the run does; None for none.
        tags: the run's tags; None for none.
        notes: a text about the run; None for none.
        resume: whether a W&B run of this identifier must, may or must not exist.
    """

    run_id: str
    project: str
    entity: str | None
    name: str
    group: str
    job_type: str | None = None
    tags: tuple[str, ...] | None = None
    notes: str | None = None
    resume: str = "allow"

    @property
    def record(self) -> dict[str, Any]:
        """Returns what the run's record says, from which a later session continues."""
        fields = self._asdict()
        del fields["resume"]
        return fields | {"tags": None if self.tags is None else list(self.tags)}


def chosen_mode(options: TrackingOptions, environment: Mapping[str, str]) -> tuple[str, list[str]]:
    """Returns the mode, and a line for the user if the environment asks for another one.

    Raises TrackingError if the mode is unknown.
    """
    if options.mode not in MODES:
        raise TrackingError(f"W&B mode is {options.mode!r}; allowed: {', '.join(MODES)}")
    variable = environment.get("WANDB_MODE")
    if not variable:
        return options.mode, []
    if options.mode == "auto" and variable not in _MODE_VALUES:
        allowed = ", ".join(MODES[1:])
        raise TrackingError(f"WANDB_MODE is {variable!r}; allowed: {allowed}")
    if options.mode in ("auto", _MODE_VALUES.get(variable)):
        return _MODE_VALUES[variable], []
    return options.mode, [f"--wandb={options.mode} is used, not WANDB_MODE={variable}"]


def tracked_as(
    options: TrackingOptions,
    folder_name: str,
    experiment: str,
    recorded: Mapping[str, Any],
    environment: Mapping[str, str],
) -> tuple[TrackedAs, list[str]]:
    """Returns the names under which W&B knows a run, and a line for each value that is overruled.

    A flag counts most, then the record of the run's earlier sessions, then the environment. What
    the environment says about a single run is not applied to one of several.

    Args:
        options: what the command line says.
        folder_name: name of the run's folder.
        experiment: name of the experiment.
        recorded: what the record of earlier sessions says; {} for a new run.
        environment: the environment variables.
    """
    series = options.series
    values: dict[str, Any] = {
        "run_id": _new_id(),
        "project": DEFAULT_PROJECT,
        "name": f"{series}/{folder_name}" if series else folder_name,
        "group": series or experiment,
    }
    lines = []
    for field, variable in _VARIABLES.items():
        by_source = {
            f"--wandb_{field}": getattr(options, field, None),
            "the run's record": _plain(field, recorded.get(field)),
            variable: (
                None if series and field in OF_ONE_RUN else _plain(field, environment.get(variable))
            ),
        }
        (winner, value), *others = [
            *((source, value) for source, value in by_source.items() if value is not None),
            ("", values.get(field)),
        ]
        values[field] = value
        lines += [
            f"{_shown(field, value)} of {winner} is used, not {_shown(field, other)} of {source}"
            for source, other in others
            if source and other != value
        ]
    if not (series or recorded.get("run_id")):
        values["resume"] = environment.get(_RESUME) or "allow"
    return TrackedAs(**values), lines


def unused_variables(options: TrackingOptions, environment: Mapping[str, str]) -> list[str]:
    """Returns the variables of W&B that are set but not applied, because there are several runs."""
    if not options.series or chosen_mode(options, environment)[0] == "disabled":
        return []
    return [_VARIABLES[field] for field in OF_ONE_RUN if environment.get(_VARIABLES[field])]


def _plain(field: str, value: Any) -> Any:
    """Returns a value of the environment or the record as `TrackedAs` holds it; None for none."""
    if field == "tags":
        words = value.split(",") if isinstance(value, str) else map(str, as_list(value))
        return tuple(stripped for word in words if (stripped := word.strip())) or None
    return value if isinstance(value, str) and value else None


def _shown(field: str, value: Any) -> str:
    text = ",".join(value) if isinstance(value, tuple) else value
    return f"{field.replace('_', ' ')} {text!r}"


def _new_id() -> str:
    """Returns an identifier as W&B makes them."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))
