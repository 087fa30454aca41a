"""A run as it was asked for."""

import dataclasses
import shlex
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.experiment import Cadence, Experiment
from lecture_models.runs.folder import data_contents
from lecture_models.training.devices import ONE_DEVICE, Devices
from lecture_models.training.processes import Status
from lecture_models.training.pruning import NO_PRUNING, PruningCallback


class RunSpec(NamedTuple):
    """What a session carries out: `program` and `arguments` are what was typed."""

    name: str
    title: str
    preset: str
    config: Any  # The experiment's frozen dataclass.
    experiment: Experiment
    data: list[dict[str, Any]]
    program: str
    arguments: list[str]
    root: Path  # The checkout that the code came from.
    wandb_mode: str
    process_began: float  # time.perf_counter() of the first line of the program.
    watch: PruningCallback = NO_PRUNING
    devices: Devices = ONE_DEVICE

    @property
    def command(self) -> str:
        return shlex.join(["python", self.program, *self.arguments])

    def resume_command(self, folder: Path) -> str:
        if any(argument.lstrip("-").startswith("workdir") for argument in self.arguments):
            return self.command
        return shlex.join(["python", self.program, *self.arguments, f"--workdir={folder}"])

    @property
    def cadence(self) -> Cadence:
        return Cadence(**{name: getattr(self.config, name) for name in Cadence._fields})

    def barrier(self, status: Status) -> Status:
        """Waits for the other processes of the run. Raises ProcessGroupError where one cannot begin."""
        config = plain_config(self.config)
        identity = [self.name, config, data_contents(self.data), self.devices.count]
        return self.devices.process_group.barrier(status, identity)


def plain_provenance(provenance: Any) -> dict[str, Any]:
    """A `data.dataset.Provenance` as it is recorded: plain strings."""
    files = [{"path": str(file.path), "sha256": file.sha256} for file in provenance.files]
    return {**provenance._asdict(), "files": files}


def plain_config(config: Any) -> dict[str, Any]:
    """A Config as JSON gives it back: a tuple becomes a list."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(config).items()
    }
