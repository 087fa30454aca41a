"""Connects the processes of one run, on one host or several, with jax.distributed."""

import atexit
import contextlib
import enum
import hashlib
import json
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.experimental import multihost_utils

from lecture_models.config import UsageError

AUTO = "auto"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
# The error that jaxlib raises for a failed collective begins with one of these status codes.
_FAILED_COLLECTIVE = re.compile(r"(UNKNOWN|INTERNAL|UNAVAILABLE|ABORTED|DEADLINE_EXCEEDED|CANCEL)")


class ProcessGroupError(Exception):
    """Says, in one line for the user, that another process of the run failed or does not match."""


class Status(enum.IntEnum):
    """Says what a process brings to `ProcessGroup.barrier`."""

    READY = 0
    FINISHED = 1  # The run's folder holds a finished run.
    REFUSED = 2  # The process ends with an error message of its own.


class ProcessGroupOptions(NamedTuple):
    """Says how the processes of a run find each other.

    Attributes:
        coordinator: HOST:PORT of process 0; `auto` lets jax ask the cluster (SLURM, Open MPI, TPU
            pods, Kubernetes); None for a run of one process.
        num_processes: number of processes; None with `auto`.
        process_id: number of this process, from 0; None with `auto`.
        join_timeout: seconds within which all processes must have started.
    """

    coordinator: str | None = None
    num_processes: int | None = None
    process_id: int | None = None
    join_timeout: int = 120


class ProcessGroup:
    """Synchronizes processes, which must make the same calls in the same order.

    Only process 0, the main process, has the run's folder. With a single process nothing is
    communicated.

    Attributes:
        index: number of this process, from 0.
        count: number of processes.
    """

    def __init__(self, index: int = 0, count: int = 1):
        """Describes a group that jax.distributed has connected, or a single process."""
        self.index, self.count = index, count
        self._passed_barrier = self._shuts_down_together = False

    @property
    def is_main(self) -> bool:
        """Returns True in process 0."""
        return self.index == 0

    def barrier(self, status: Status, identity: Any = None) -> Status:
        """Waits until all processes are here, before training.

        Args:
            status: what this process brings.
            identity: a JSON value that must be equal in all processes.

        Returns:
            The status of process 0.

        Raises:
            ProcessGroupError: another process is refused, or its identity differs.
        """
        if self.count == 1:
            return status
        self._passed_barrier = True
        identity_hash = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).digest()
        with self.one_line_errors():
            table = multihost_utils.process_allgather(
                np.frombuffer(bytes([status]) + identity_hash, np.uint8)
            )
        refused = np.flatnonzero(table[:, 0] == Status.REFUSED).tolist()
        if refused and status != Status.REFUSED:
            raise ProcessGroupError(
                f"process {refused[0]} could not start; see its own error message"
            )
        different = np.flatnonzero((table[:, 1:] != table[0, 1:]).any(axis=1)).tolist()
        if different and not refused:
            raise ProcessGroupError(
                f"process {different[0]} was started with another experiment, config, data or "
                "number of devices than process 0; give all processes the same flags and data"
            )
        return Status(int(table[0, 0]))

    def all_reduce_max(self, number: int) -> int:
        """Returns the maximum over the processes."""
        if self.count == 1:
            return number
        return int(np.max(multihost_utils.process_allgather(np.int32(number))))

    def broadcast(self, tree: Any) -> Any:
        """Returns process 0's arrays bit for bit; shapes and types must be equal everywhere."""
        if self.count == 1:
            return tree
        leaves, structure = jax.tree.flatten(tree)
        leaves = [np.asarray(leaf) for leaf in leaves]
        # As bytes, because jax broadcasts by adding zeros, which turns -0.0 into 0.0.
        sent = [np.frombuffer(leaf.tobytes(), np.uint8) for leaf in leaves]
        received = multihost_utils.broadcast_one_to_all(sent)
        arrays = [
            np.frombuffer(np.asarray(content).tobytes(), leaf.dtype).reshape(leaf.shape)
            for content, leaf in zip(received, leaves, strict=True)
        ]
        return jax.tree.unflatten(structure, arrays)

    @contextlib.contextmanager
    def one_line_errors(self) -> Iterator[None]:
        """Turns the error of a collective whose other process is gone into a ProcessGroupError."""
        try:
            yield
        except (jax.errors.JaxRuntimeError, ValueError) as error:
            if self.count == 1 or not _FAILED_COLLECTIVE.match(str(error)):
                raise
            reason = " ".join(str(error).split())[:200]
            raise ProcessGroupError(f"another process of the run is lost ({reason})") from error

    @contextlib.contextmanager
    def reporting_refusal(self) -> Iterator[None]:
        """Tells the processes that wait at the barrier if an error ends this one before it."""
        try:
            yield
        except Exception:
            if not self._passed_barrier:
                with contextlib.suppress(ProcessGroupError):
                    self.barrier(Status.REFUSED)
            raise

    def shut_down_together(self) -> None:
        """Declares that all processes end now, so that this one waits for the others at exit."""
        self._shuts_down_together = True

    def _leave(self) -> None:
        if self._shuts_down_together:
            with contextlib.suppress(jax.errors.JaxRuntimeError, ValueError, RuntimeError):
                jax.distributed.shutdown()
            return
        # jax.distributed.shutdown would wait for processes that are gone or wait for this one.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


SINGLE_PROCESS = ProcessGroup()


def initialize(options: ProcessGroupOptions) -> ProcessGroup:
    """Connects the processes of a run; must be called before the first computation.

    If not all processes start in time, this one exits with one line, because a waiting jax cannot
    be interrupted.

    Raises:
        UsageError: the flags contradict each other, or name no coordinator that can be reached.
    """
    if options.coordinator is None:
        _require_no_other_flags(options)
        return SINGLE_PROCESS
    arguments = _arguments(options)
    limit = options.join_timeout
    timer = threading.Timer(limit, _give_up, (options,))
    timer.daemon = True
    timer.start()
    try:
        # jax's own limit is longer, because jax aborts with a long message.
        jax.distributed.initialize(**arguments, initialization_timeout=limit + 60)
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        if options.coordinator == AUTO:
            reason = f"jax does not recognize a cluster, such as SLURM, here ({reason})"
        raise UsageError(f"--coordinator={options.coordinator}: {reason}") from error
    finally:
        timer.cancel()
    process_group = ProcessGroup(jax.process_index(), jax.process_count())
    # Registered after jax's own handler, and therefore called before it.
    atexit.register(process_group._leave)
    return process_group


def _give_up(options: ProcessGroupOptions) -> None:
    who = "this process" if options.process_id is None else f"process {options.process_id}"
    line = (
        f"error: {who} waited {options.join_timeout} s at --coordinator={options.coordinator} for "
        f"all {options.num_processes or ''} processes; start all of them, process 0 on that host, "
        "or give a longer --join_timeout\n"
    )
    os.write(2, line.encode())
    os._exit(1)


def _require_no_other_flags(options: ProcessGroupOptions) -> None:
    for name in ("num_processes", "process_id"):
        if getattr(options, name) is not None:
            raise UsageError(
                f"--{name} needs --coordinator=HOST:PORT; it is for a run of several processes"
            )


def _arguments(options: ProcessGroupOptions) -> dict[str, Any]:
    if options.join_timeout < 1:
        raise UsageError(f"--join_timeout is {options.join_timeout}; it must be at least 1")
    if options.coordinator == AUTO:
        if options[1:3] != (None, None):
            raise UsageError(
                "--coordinator=auto determines --num_processes and --process_id; do not give them"
            )
        return {}
    address, count, index = options.coordinator, *options[1:3]
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdigit() or not 1 <= int(port) <= 65_535:
        raise UsageError(f"--coordinator is {address}; it must be HOST:PORT, or {AUTO}")
    if count is None or index is None:
        raise UsageError("--coordinator=HOST:PORT needs --num_processes and --process_id")
    if count < 1:
        raise UsageError(f"--num_processes is {count}; it must be at least 1")
    if not 0 <= index < count:
        raise UsageError(f"--process_id is {index}; it must be from 0 to {count - 1}")
    try:
        socket.getaddrinfo(host.strip("[]"), int(port))
    except OSError as error:
        raise UsageError(f"--coordinator is {address}: {error.strerror}") from error
    arguments = {"coordinator_address": address, "num_processes": count, "process_id": index}
    if host.strip("[]") in LOOPBACK:  # Otherwise jax listens on every network of the host.
        arguments["coordinator_bind_address"] = address
    return arguments
