"""Describes a run as it was requested."""

import shlex
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.config import as_json_values
from lecture_models.experiment import Cadence, Experiment
from lecture_models.runs.arguments import flag_value
from lecture_models.runs.folder import data_contents
from lecture_models.training.devices import ONE_DEVICE, Devices
from lecture_models.training.processes import Status
from lecture_models.training.pruning import NO_PRUNING, PruningCallback
from lecture_models.training.tracking_options import TrackingOptions


class RunSpec(NamedTuple):
    """Describes a run that a session carries out.

    Attributes:
        name: name of the experiment.
        title: its title, for people.
        preset: name of the preset that `config` began with.
        config: the experiment's frozen Config.
        experiment: what `build(config)` returned.
        data: for each data set and file of weights that was read, its plain provenance.
        program: the program as it was typed, such as `launch.py`.
        arguments: the arguments as they were typed.
        root: folder of the checkout with the code.
        tracking: what the command line says about W&B.
        process_began: time.perf_counter() at the first line of the program.
        pruning: follows the run for a sweep.
        devices: where the arrays are placed.
        fast_convolutions: whether `experiment` computes convolutions on a CPU by this project's
            algorithms.
    """

    name: str
    title: str
    preset: str
    config: Any
    experiment: Experiment
    data: list[dict[str, Any]]
    program: str
    arguments: list[str]
    root: Path
    tracking: TrackingOptions
    process_began: float
    pruning: PruningCallback = NO_PRUNING
    devices: Devices = ONE_DEVICE
    fast_convolutions: bool = True

    @property
    def command(self) -> str:
        """Returns the command that was typed."""
        return shlex.join(["python", self.program, *self.arguments])

    def resume_command(self, folder: Path) -> str:
        """Returns the command that continues the run in `folder`."""
        if flag_value(self.arguments, "workdir") is not None:
            return self.command
        return shlex.join(["python", self.program, *self.arguments, f"--workdir={folder}"])

    @property
    def cadence(self) -> Cadence:
        """Returns the config's numbers of steps."""
        return Cadence(**{name: getattr(self.config, name) for name in Cadence._fields})

    def barrier(self, status: Status) -> Status:
        """Waits for the other processes; returns process 0's status.

        Raises ProcessGroupError if a process cannot start, or was started as another run.
        """
        config = as_json_values(self.config)
        identity = [
            self.name,
            config,
            data_contents(self.data),
            self.devices.count,
            self.fast_convolutions,
        ]
        return self.devices.process_group.barrier(status, identity)


def plain_provenance(provenance: Any) -> dict[str, Any]:
    """Returns a `data.dataset.Provenance` as JSON can hold it."""
    files = [{"path": str(file.path), "sha256": file.sha256} for file in provenance.files]
    return {**provenance._asdict(), "files": files}
