"""One run on many devices: every batch divided among them, the state a copy on each.

A mesh with one axis and named shardings say where arrays lie; XLA inserts the sums over devices.
A step computes what it computes on one device, to float tolerance: means over the batch, batch
normalization and random draws are those of the whole batch (jax's default generator draws the same
numbers however they are divided; the `rbg` ones do not).
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
    """How the loop's arrays reach the devices.

    - `jit(function)` compiles a function that gives states; its first argument is donated.
    - `begin(tree)` puts the leader's first state everywhere, `spread(tree)` what all have alike.
    - `own(tree)` is a view of a spread tree on one device, for what one process does by itself.
    - `batches(source)` is `source` with its batches placed; `indices(chosen)` places examples'
      numbers, (step, batch); `constrain(batch)` divides inside a compiled function.
    - `agree(number, due)` is the largest over all processes, where all call it as `due`.
    """

    process_group: ProcessGroup
    count: int  # Over all processes.

    def jit(self, function: Callable) -> Callable: ...
    def begin(self, tree: Any) -> Any: ...
    def replicate(self, tree: Any) -> Any: ...
    def to_host(self, tree: Any) -> Any: ...
    def batches(self, source: Any) -> Callable[[int], Iterator[Any]]: ...
    def indices(self, chosen: np.ndarray) -> Any: ...
    def constrain(self, batch: Any) -> Any: ...
    def all_reduce_max(self, number: int, due: bool) -> int: ...


class OneDevice:
    """jax's default device, and nothing is placed."""

    process_group, count = ProcessGroup(), 1

    def jit(self, function: Callable) -> Callable:
        return jax.jit(function, donate_argnums=0)

    def begin(self, tree: Any) -> Any:
        return tree

    replicate = to_host = batches = indices = constrain = begin

    def all_reduce_max(self, number: int, due: bool) -> int:
        return number


ONE_DEVICE = OneDevice()


class ManyDevices:
    """`per_process` devices of every process of a process_group, in a mesh with the one axis `data`."""

    def __init__(self, process_group: ProcessGroup, per_process: int):
        self.process_group, self.count = process_group, process_group.count * per_process
        chosen = [
            device
            for process in range(process_group.count)
            for device in _devices_of(process)[:per_process]
        ]
        self._mesh = Mesh(np.array(chosen), (AXIS,), axis_types=(AxisType.Auto,))
        self._everywhere = NamedSharding(self._mesh, PartitionSpec())
        self._divided = NamedSharding(self._mesh, PartitionSpec(AXIS))

    def jit(self, function: Callable) -> Callable:
        return jax.jit(function, donate_argnums=0, out_shardings=self._everywhere)

    def begin(self, tree: Any) -> Any:
        return self.replicate(self.process_group.broadcast(tree))

    def replicate(self, tree: Any) -> Any:
        return jax.tree.map(self._spread, tree)

    def _spread(self, array: Any) -> jax.Array:
        if jax.dtypes.issubdtype(getattr(array, "dtype", np.float32), jax.dtypes.prng_key):
            data = self._spread(jax.random.key_data(array))
            return jax.random.wrap_key_data(data, impl=jax.random.key_impl(array))
        return jax.make_array_from_process_local_data(self._everywhere, np.asarray(array))

    def to_host(self, tree: Any) -> Any:
        return jax.tree.map(lambda array: array.addressable_data(0), tree)

    def batches(self, source: Any) -> Callable[[int], Iterator[Any]]:
        def placed(first_step: int) -> Iterator[Any]:
            for step in itertools.count(first_step):
                chosen = source.indices(step)
                size, mine = len(chosen), chosen[self._rows(len(chosen))]
                rows = jax.tree.map(lambda array, mine=mine: array[mine], source.arrays)
                yield jax.tree.map(lambda each, size=size: self._divide(each, size), rows)

        return placed

    def _rows(self, batch_size: int) -> slice:
        """Those of a batch that this process's devices hold."""
        share = batch_size // self.process_group.count
        return slice(self.process_group.index * share, (self.process_group.index + 1) * share)

    def _divide(self, rows: np.ndarray, batch_size: int) -> jax.Array:
        shape = (batch_size, *rows.shape[1:])
        return jax.make_array_from_process_local_data(self._divided, rows, shape)

    def indices(self, chosen: np.ndarray) -> jax.Array:
        mine = chosen[:, self._rows(chosen.shape[1])]
        sharding = NamedSharding(self._mesh, PartitionSpec(None, AXIS))
        return jax.make_array_from_process_local_data(sharding, mine, chosen.shape)

    def constrain(self, batch: Any) -> Any:
        return jax.lax.with_sharding_constraint(batch, self._divided)

    def all_reduce_max(self, number: int, due: bool) -> int:
        """A process_group asks at the loop's stops alone, which come at the same steps in every process."""
        if self.process_group.count == 1:
            return number
        return self.process_group.all_reduce_max(number) if due else 0


def choose(
    experiment: Experiment,
    process_group: ProcessGroup,
    requested: int,
    announce: Callable[[str], None],
) -> Devices:
    """The devices of a run; `requested` is the number in each process, 0 for all that can be used.

    A batch is divided where it holds examples side by side (`batches` has `arrays` and `indices`);
    else one device computes, since more would compute the same. With 0 the largest number that
    divides the batch is taken, announced. Raises UsageError where what was asked for cannot be.
    """
    per_process = min(len(_devices_of(process)) for process in range(process_group.count))
    if not 0 <= requested <= per_process:
        raise UsageError(
            f"--devices is {requested}; it must be from 1 to {per_process}, the devices of this "
            "process, or 0 for all"
        )
    if not experiment.phases or not hasattr(experiment.batches, "indices"):
        if process_group.count > 1:
            raise UsageError("its batches hold no examples to divide; run it in one process")
        if requested > 1:
            announce("its batches hold no examples to divide: it runs on one device")
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
        f"a batch of {batch_size} cannot be divided among {devices} devices: let it be {sizes}"
        f"{fewer}"
    )


def _devices_of(process: int) -> list[jax.Device]:
    found = collections.defaultdict(list)
    for device in jax.devices():
        found[device.process_index].append(device)
    return found[process]
