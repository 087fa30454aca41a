"""The processes of one run, on one host or several: who leads, and what they agree on."""

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
# What jaxlib raises where a collective fails begins with a status code, whatever carried it.
_FAILED_COLLECTIVE = re.compile(r"(UNKNOWN|INTERNAL|UNAVAILABLE|ABORTED|DEADLINE_EXCEEDED|CANCEL)")


class ProcessGroupError(Exception):
    """What the other processes of a run have done to it: the message is one line for the user."""


class Status(enum.IntEnum):
    """What a process brings to `ProcessGroup.meet`."""

    READY = 0
    FINISHED = 1  # The run's folder says that nothing is left to train.
    REFUSED = 2  # It has ended with a message of its own.


class ProcessGroupOptions(NamedTuple):
    """How the processes of a run find each other; `coordinator` is HOST:PORT of process 0.

    With `auto` jax asks the cluster (SLURM, Open MPI, TPU pods, Kubernetes); None is for a run of
    one process. All must have come within `join_timeout` seconds.
    """

    coordinator: str | None = None
    num_processes: int | None = None
    process_id: int | None = None
    join_timeout: int = 120


class ProcessGroup:
    """`count` processes that make the same calls in the same order; process 0 leads.

    The leader alone has the run's folder. A process_group of one agrees with itself at no cost.
    """

    def __init__(self, index: int = 0, count: int = 1):
        self.index, self.count = index, count
        self._met = self._together = False

    @property
    def is_main(self) -> bool:
        return self.index == 0

    def barrier(self, status: Status, identity: Any = None) -> Status:
        """Waits for all before training, and returns the leader's status.

        `identity` is what JSON can hold and must be the same in all. Raises ProcessGroupError where a
        process was refused, or was started as another run.
        """
        if self.count == 1:
            return status
        self._met = True
        said = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).digest()
        with self.one_line_errors():
            table = multihost_utils.process_allgather(
                np.frombuffer(bytes([status]) + said, np.uint8)
            )
        refused = np.flatnonzero(table[:, 0] == Status.REFUSED).tolist()
        if refused and status != Status.REFUSED:
            raise ProcessGroupError(
                f"process {refused[0]} could not begin; its own message says why"
            )
        others = np.flatnonzero((table[:, 1:] != table[0, 1:]).any(axis=1)).tolist()
        if others and not refused:
            raise ProcessGroupError(
                f"process {others[0]} was started with another experiment, config, data or number "
                "of devices than process 0; give all processes the same flags and data"
            )
        return Status(int(table[0, 0]))

    def all_reduce_max(self, number: int) -> int:
        """The largest of what the processes give."""
        if self.count == 1:
            return number
        return int(np.max(multihost_utils.process_allgather(np.int32(number))))

    def broadcast(self, tree: Any) -> Any:
        """The leader's arrays, bit for bit, in all processes; all give one structure and shapes."""
        if self.count == 1:
            return tree
        leaves, structure = jax.tree.flatten(tree)
        leaves = [np.asarray(leaf) for leaf in leaves]
        # As bytes: what is sent is a sum with zeros, which turns -0.0 into 0.0.
        sent = [np.frombuffer(leaf.tobytes(), np.uint8) for leaf in leaves]
        found = multihost_utils.broadcast_one_to_all(sent)
        shared = [
            np.frombuffer(np.asarray(each).tobytes(), leaf.dtype).reshape(leaf.shape)
            for each, leaf in zip(found, leaves, strict=True)
        ]
        return jax.tree.unflatten(structure, shared)

    @contextlib.contextmanager
    def one_line_errors(self) -> Iterator[None]:
        """Turns what a collective raises where another process is gone into a ProcessGroupError."""
        try:
            yield
        except (jax.errors.JaxRuntimeError, ValueError) as error:
            if self.count == 1 or not _FAILED_COLLECTIVE.match(str(error)):
                raise
            reason = " ".join(str(error).split())[:200]
            raise ProcessGroupError(f"another process of the run is lost ({reason})") from error

    @contextlib.contextmanager
    def reporting_refusal(self) -> Iterator[None]:
        """Tells the others, who would wait, of what ends this process before they have met."""
        try:
            yield
        except Exception:
            if not self._met:
                with contextlib.suppress(ProcessGroupError):
                    self.barrier(Status.REFUSED)
            raise

    def shut_down_together(self) -> None:
        """Notes that all end now: this process leaves when all are ready to, and not at once."""
        self._together = True

    def _leave(self) -> None:
        if self._together:
            with contextlib.suppress(jax.errors.JaxRuntimeError, ValueError, RuntimeError):
                jax.distributed.shutdown()
            return
        # jax would wait for processes that are gone, or that wait for this one, and then abort.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


SINGLE_PROCESS = ProcessGroup()


def join(invitation: ProcessGroupOptions) -> ProcessGroup:
    """Must come before the first computation. Raises UsageError for flags that name no process_group.

    Where the others do not come in time the process ends, with one line: jax cannot be interrupted.
    """
    if invitation.coordinator is None:
        _require_nothing_else(invitation)
        return SINGLE_PROCESS
    found = _arguments(invitation)
    limit = invitation.join_timeout
    late = threading.Timer(limit, _give_up, (invitation,))
    late.daemon = True
    late.start()
    try:
        # Its own limit is longer: where it passes, jax aborts with a page.
        jax.distributed.initialize(**found, initialization_timeout=limit + 60)
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        if invitation.coordinator == AUTO:
            reason = f"this is no job of a cluster that jax knows, such as SLURM ({reason})"
        raise UsageError(f"--coordinator={invitation.coordinator}: {reason}") from error
    finally:
        late.cancel()
    process_group = ProcessGroup(jax.process_index(), jax.process_count())
    atexit.register(process_group._leave)  # After jax's own, and so called before it.
    return process_group


def _give_up(invitation: ProcessGroupOptions) -> None:
    who = "this process" if invitation.process_id is None else f"process {invitation.process_id}"
    line = (
        f"error: {who} waited {invitation.join_timeout} s at --coordinator="
        f"{invitation.coordinator} for all {invitation.num_processes or ''} processes; start every "
        "one, process 0 on that host, or give a longer --join_timeout\n"
    )
    os.write(2, line.encode())
    os._exit(1)


def _require_nothing_else(invitation: ProcessGroupOptions) -> None:
    for name in ("num_processes", "process_id"):
        if getattr(invitation, name) is not None:
            raise UsageError(f"--{name} is for several processes: it needs --coordinator=HOST:PORT")


def _arguments(invitation: ProcessGroupOptions) -> dict[str, Any]:
    if invitation.join_timeout < 1:
        raise UsageError(f"--join_timeout is {invitation.join_timeout}; it must be at least 1")
    if invitation.coordinator == AUTO:
        if invitation[1:3] != (None, None):
            raise UsageError("--coordinator=auto finds --num_processes and --process_id itself")
        return {}
    address, count, index = invitation.coordinator, *invitation[1:3]
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
    found = {"coordinator_address": address, "num_processes": count, "process_id": index}
    if host.strip("[]") in LOOPBACK:  # Else jax listens to every network that the host is in.
        found["coordinator_bind_address"] = address
    return found
