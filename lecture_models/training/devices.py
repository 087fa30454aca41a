"""Divides every batch of a run among its devices, each of which holds a copy of the state.

The mesh has one axis, named shardings say where arrays lie, and XLA inserts the reductions over
devices. A step computes what it computes on one device, to float tolerance: means over the batch,
batch normalization and random draws are those of the whole batch. (jax's default generator draws
the same numbers however they are divided; the `rbg` generators do not.)
"""

import collections
import itertools
from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from lecture_models.config import UsageError
from lecture_models.experiment import Experiment
from lecture_models.training.processes import ProcessGroup

AXIS = "data"


@runtime_checkable
class Devices(Protocol):
    """Moves the loop's arrays to the devices and back.

    Attributes:
        process_group: the processes of the run.
        count: number of devices over all processes.
    """

    process_group: ProcessGroup
    count: int

    def jit(self, function: Callable) -> Callable:
        """Compiles a function that returns states; its first argument is donated."""

    def broadcast(self, tree: Any) -> Any:
        """Copies the arrays of process 0 to every device of every process."""

    def replicate(self, tree: Any) -> Any:
        """Copies arrays, which are equal in all processes, to every device."""

    def to_host(self, tree: Any) -> Any:
        """Returns this process's copy of replicated arrays, each on a single device."""

    def batches(self, source: Any) -> Callable[[int], Iterator[Any]]:
        """Returns `source` with its batches divided among the devices."""

    def indices(self, indices: np.ndarray) -> Any:
        """Divides the numbers of examples, (step, batch), among the devices."""

    def constrain(self, batch: Any) -> Any:
        """Divides a batch among the devices, inside a compiled function."""

    def all_reduce_max(self, number: int, due: bool) -> int:
        """Returns the maximum over all processes where `due`, which is equal in all of them."""


class OneDevice:
    """Implements `Devices` for jax's default device, where nothing has to be moved."""

    process_group, count = ProcessGroup(), 1

    def jit(self, function: Callable) -> Callable:
        """Compiles a function that returns states; its first argument is donated."""
        return jax.jit(function, donate_argnums=0)

    def broadcast(self, tree: Any) -> Any:
        """Returns its argument."""
        return tree

    replicate = to_host = batches = indices = constrain = broadcast

    def all_reduce_max(self, number: int, due: bool) -> int:
        """Returns `number`."""
        return number


ONE_DEVICE = OneDevice()


class ManyDevices:
    """Implements `Devices` for several devices or processes, in a mesh with the one axis `data`."""

    def __init__(self, process_group: ProcessGroup, per_process: int):
        """Makes a mesh of the first `per_process` devices of every process."""
        self.process_group, self.count = process_group, process_group.count * per_process
        used = [
            device
            for process in range(process_group.count)
            for device in _devices_of(process)[:per_process]
        ]
        self._mesh = Mesh(np.array(used), (AXIS,), axis_types=(AxisType.Auto,))
        self._replicated = NamedSharding(self._mesh, PartitionSpec())
        self._divided = NamedSharding(self._mesh, PartitionSpec(AXIS))

    def jit(self, function: Callable) -> Callable:
        """Compiles a function that returns replicated states; its first argument is donated."""
        return jax.jit(function, donate_argnums=0, out_shardings=self._replicated)

    def broadcast(self, tree: Any) -> Any:
        """Copies the arrays of process 0 to every device of every process."""
        return self.replicate(self.process_group.broadcast(tree))

    def replicate(self, tree: Any) -> Any:
        """Copies arrays, which are equal in all processes, to every device."""
        return jax.tree.map(self._replicate_array, tree)

    def _replicate_array(self, array: Any) -> jax.Array:
        if jax.dtypes.issubdtype(getattr(array, "dtype", np.float32), jax.dtypes.prng_key):
            data = self._replicate_array(jax.random.key_data(array))
            return jax.random.wrap_key_data(data, impl=jax.random.key_impl(array))
        return jax.make_array_from_process_local_data(self._replicated, np.asarray(array))

    def to_host(self, tree: Any) -> Any:
        """Returns this process's copy of replicated arrays, each on a single device."""
        return jax.tree.map(lambda array: array.addressable_data(0), tree)

    def batches(self, source: Any) -> Callable[[int], Iterator[Any]]:
        """Returns `source` with its batches divided; a process gathers only its own examples."""

        def divided_batches(first_step: int) -> Iterator[Any]:
            for step in itertools.count(first_step):
                indices = source.indices(step)
                size, local = len(indices), indices[self._local(len(indices))]
                rows = jax.tree.map(lambda array, local=local: array[local], source.arrays)
                yield jax.tree.map(lambda array, size=size: self._divide(array, size), rows)

        return divided_batches

    def _local(self, batch_size: int) -> slice:
        """Returns the part of a batch that this process's devices hold."""
        share = batch_size // self.process_group.count
        return slice(self.process_group.index * share, (self.process_group.index + 1) * share)

    def _divide(self, local_rows: np.ndarray, batch_size: int) -> jax.Array:
        shape = (batch_size, *local_rows.shape[1:])
        return jax.make_array_from_process_local_data(self._divided, local_rows, shape)

    def indices(self, indices: np.ndarray) -> jax.Array:
        """Divides the numbers of examples, (step, batch), along their second axis."""
        local = indices[:, self._local(indices.shape[1])]
        sharding = NamedSharding(self._mesh, PartitionSpec(None, AXIS))
        return jax.make_array_from_process_local_data(sharding, local, indices.shape)

    def constrain(self, batch: Any) -> Any:
        """Divides a batch among the devices, inside a compiled function."""
        return jax.lax.with_sharding_constraint(batch, self._divided)

    def all_reduce_max(self, number: int, due: bool) -> int:
        """Returns the maximum over all processes, and 0 where it is not `due`.

        Several processes communicate only at the loop's stops, which are at the same steps in all.
        """
        if self.process_group.count == 1:
            return number
        return self.process_group.all_reduce_max(number) if due else 0


def choose_devices(
    experiment: Experiment,
    process_group: ProcessGroup,
    requested: int,
    announce: Callable[[str], None],
) -> Devices:
    """Chooses the devices of a run.

    A batch can be divided if its `batches` has `arrays` and `indices`. Otherwise one device is
    used, because several would compute the same.

    Args:
        experiment: what is trained.
        process_group: the processes of the run.
        requested: number of devices of each process; 0 for as many as divide the batch evenly.
        announce: takes one line for the user, if fewer devices are used than there are.

    Raises:
        UsageError: there are not so many devices, or they do not divide the batch evenly.
    """
    per_process = min(len(_devices_of(process)) for process in range(process_group.count))
    if not 0 <= requested <= per_process:
        raise UsageError(
            f"--devices is {requested}; it must be from 1 to {per_process}, the devices of this "
            "process, or 0 for all"
        )
    if not experiment.phases or not hasattr(experiment.batches, "indices"):
        if process_group.count > 1:
            raise UsageError("this experiment's batches cannot be divided; run it in one process")
        if requested > 1:
            announce("this experiment's batches cannot be divided: it runs on one device")
        return ONE_DEVICE
    batch_size = len(experiment.batches.indices(0))
    per_process = requested or per_process
    fitting = [n for n in range(1, per_process + 1) if batch_size % (n * process_group.count) == 0]
    if not fitting or (requested and requested not in fitting):
        raise UsageError(_indivisible(batch_size, (requested or 1) * process_group.count, fitting))
    used = fitting[-1]
    if used < per_process:
        announce(
            f"a batch of {batch_size} is divided among {used} of {per_process} devices; a multiple "
            f"of {per_process * process_group.count} would use all"
        )
    return ONE_DEVICE if used * process_group.count == 1 else ManyDevices(process_group, used)


def _indivisible(batch_size: int, devices: int, fitting: list[int]) -> str:
    below = batch_size - batch_size % devices
    sizes = " or ".join(str(size) for size in (below, below + devices) if size)
    fewer = f", or give --devices={fitting[-1]}" if fitting else ""
    return (
        f"a batch of {batch_size} cannot be divided among {devices} devices: use a batch of "
        f"{sizes}{fewer}"
    )


def _devices_of(process: int) -> list[jax.Device]:
    by_process = collections.defaultdict(list)
    for device in jax.devices():
        by_process[device.process_index].append(device)
    return by_process[process]
