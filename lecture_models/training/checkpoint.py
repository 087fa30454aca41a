"""Checkpoints: Orbax, asynchronous and atomic, with a digest that tells damage from a good one."""

import contextlib
import errno
import hashlib
import logging
import operator
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

LATEST_KEPT = 3
SPACE_TO_SPARE = 1 << 20  # Bytes: Orbax's own files, metrics, a report.
# Orbax writes a checkpoint beside its final name; half of one is never taken for a whole.
_ITEMS = ("state", "digest")


class CheckpointError(Exception):
    """A checkpoint that cannot be written or read: the message is one line for the user."""


class Checkpoints:
    """The last three states of a run, and the best one where scores are given.

    `announce` takes one line for the user. A higher score is better.
    """

    def __init__(self, folder: Path, announce: Callable[[str], None]):
        self._folder = folder
        self._announce = announce
        # Orbax logs a page of traceback, several times over, for what is raised here in one line.
        logging.getLogger("absl").setLevel(logging.CRITICAL)
        score = operator.itemgetter("score")
        keep = [
            checkpoint_managers.LatestN(LATEST_KEPT),
            checkpoint_managers.BestN(
                get_metric_fn=score, n=1, keep_checkpoints_without_metrics=False
            ),
        ]
        options = ocp.CheckpointManagerOptions(
            preservation_policy=checkpoint_managers.AnyPreservationPolicy(keep),
            best_fn=score,  # Without it scores are not written, and a resumed run forgets the best.
            cleanup_tmp_directories=True,
            **_of_one_process(folder),
        )
        self._manager = ocp.CheckpointManager(folder, options=options, item_names=_ITEMS)

    def save(self, step: int, state: Any, score: float | None = None) -> str:
        """Copies the state, writes it while training goes on, and returns its SHA-256.

        Raises CheckpointError where this or the previous write failed; older ones are kept.
        """
        on_host = jax.device_get(state)
        sha256 = digest(on_host)
        items = ocp.args.Composite(
            state=ocp.args.StandardSave(on_host), digest=ocp.args.JsonSave({"sha256": sha256})
        )
        metrics = None if score is None else {"score": score}
        with _one_line_errors(self._folder):
            self._manager.wait_until_finished()
            self._require_space(on_host)
            self._manager.save(step, args=items, metrics=metrics, force=True)
        return sha256

    def _require_space(self, state: Any) -> None:
        """A disk that fills up while Orbax writes makes its threads print pages of traceback."""
        needed = sum(leaf.nbytes for leaf in jax.tree.leaves(state)) + SPACE_TO_SPARE
        free = shutil.disk_usage(self._folder).free
        if free < needed:
            raise OSError(errno.ENOSPC, f"{free:,} bytes are free, {needed:,} needed")

    def wait(self) -> None:
        """Returns when all is on the disk. Raises CheckpointError where it is not."""
        with _one_line_errors(self._folder):
            self._manager.wait_until_finished()

    def steps(self) -> list[int]:
        return sorted(self._manager.all_steps())

    def restore_latest(self, like: Any) -> tuple[int, Any] | None:
        """The newest undamaged state and its step; None where there is no checkpoint yet.

        `like` is a pytree of jax.ShapeDtypeStruct. A checkpoint that cannot be read is announced,
        and the one before it is taken. Raises CheckpointError where none can be read.
        """
        reason = ""
        for step in reversed(self.steps()):
            try:
                return step, self._restore(step, like)
            except MemoryError:
                raise
            except Exception as error:  # Orbax raises many kinds for a damaged file.
                reason = str(error).strip().partition("\n")[0][:200]
                self._announce(f"checkpoint {step} is damaged ({reason}); trying the one before")
        if reason:
            raise CheckpointError(
                f"no checkpoint in {self._folder} can be read ({reason}); name a new folder"
            )
        return None

    def set_aside_after(self, step: int) -> None:
        """Moves later checkpoints to `damaged/` beside the folder: the resumed run writes anew."""
        for later in [found for found in self.steps() if found > step]:
            aside = self._folder.parent / "damaged" / str(later)
            aside.parent.mkdir(exist_ok=True)
            shutil.rmtree(aside, ignore_errors=True)
            (self._folder / str(later)).rename(aside)
        self._manager.reload()

    def _restore(self, step: int, like: Any) -> Any:
        items = ocp.args.Composite(
            state=ocp.args.StandardRestore(like), digest=ocp.args.JsonRestore()
        )
        restored = self._manager.restore(step, args=items)
        found = digest(restored["state"])
        recorded = restored["digest"]["sha256"]
        if found != recorded:
            raise CheckpointError(f"its SHA-256 is {found[:12]}, recorded was {recorded[:12]}")
        return restored["state"]

    def close(self) -> None:
        with _one_line_errors(self._folder):
            self._manager.close()


class NoCheckpoints:
    """What a process without the run's folder gives the loop in place of `Checkpoints`."""

    def save(self, step: int, state: Any, score: float | None = None) -> str:
        return ""

    def wait(self) -> None:
        pass

    def restore_latest(self, like: Any) -> None:
        return None


def _of_one_process(folder: Path) -> dict[str, Any]:
    """Of several processes one writes what all hold alike, and Orbax waits for no other."""
    if jax.process_count() == 1:
        return {}
    folder.mkdir(parents=True, exist_ok=True)  # Orbax makes it for all processes or for none.
    own = jax.process_index()
    alone = ocp.options.MultiprocessingOptions(
        primary_host=own, active_processes={own}, barrier_sync_key_prefix=f"process_{own}"
    )
    return {"multiprocessing_options": alone, "create": False}


def digest(state: Any) -> str:
    """SHA-256 over the paths, types, shapes and bytes of all arrays."""
    total = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_flatten_with_path(state)[0]:
        array = np.asarray(leaf)
        total.update(f"{jax.tree_util.keystr(path)} {array.dtype} {array.shape}".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


@contextlib.contextmanager
def _one_line_errors(folder: Path) -> Iterator[None]:
    """Turns what a full disk or a lost folder raises, in whatever thread, into one line."""
    try:
        yield
    except Exception as error:  # Orbax and TensorStore wrap the system's error in their own.
        reason = str(error).strip().partition("\n")[0][:300]
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            reason = f"the disk is full, {error.strerror}"
        raise CheckpointError(
            f"cannot write a checkpoint to {folder}: {reason}; older ones are kept"
        ) from error
