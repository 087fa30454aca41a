"""Saves and restores checkpoints with Orbax: asynchronously, atomically, and with a checksum."""

import contextlib
import errno
import hashlib
import itertools
import logging
import operator
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from lecture_models.runs.folder import ANOTHER_FOLDER, CHECKPOINT_DIGEST, saved_steps

LATEST_KEPT = 3
SPACE_TO_SPARE = 1 << 20  # Bytes for Orbax's own files, the metrics and the report.
_STATE = "state"
_ITEMS = (_STATE, CHECKPOINT_DIGEST)
_MOST_NAMED = 3  # Arrays in a message.


class CheckpointError(Exception):
    """Says, in one line for the user, that a checkpoint cannot be written or read."""


class OtherStateError(CheckpointError):
    """Says that a sound checkpoint holds arrays of other names, shapes or types."""


class Checkpoints:
    """Keeps the last three states of a run, and the one with the highest score if there are scores.

    Orbax writes a checkpoint under a temporary name and renames it when it is complete. What else
    lies in the folder belongs to the user, and is neither read nor removed.
    """

    def __init__(self, folder: Path, announce: Callable[[str], None], read_only: bool = False):
        """Opens or makes the folder; `announce` takes one line for the user.

        With `read_only` nothing is made, removed or written, so the run may go on meanwhile.
        """
        self._folder = folder = folder.absolute()  # Orbax refuses relative paths.
        self._announce = announce
        # For an error that is raised here in one line, Orbax logs a long traceback several times.
        logging.getLogger("absl").setLevel(logging.CRITICAL)
        score = operator.itemgetter("score")
        keep = [
            _LatestOfOurs(folder, LATEST_KEPT),
            checkpoint_managers.BestN(
                get_metric_fn=score, n=1, keep_checkpoints_without_metrics=False
            ),
        ]
        options = ocp.CheckpointManagerOptions(
            preservation_policy=checkpoint_managers.AnyPreservationPolicy(keep),
            best_fn=score,  # Without it scores are not stored, and a resumed run forgets the best.
            cleanup_tmp_directories=not read_only,
            read_only=read_only,
            **_process_0_only(folder),
        )
        self._manager = ocp.CheckpointManager(folder, options=options, item_names=_ITEMS)

    def save(self, step: int, state: Any, score: float | None = None) -> str:
        """Copies the state, writes the copy while training continues, and returns its SHA-256.

        Args:
            step: number of steps done.
            state: pytree of arrays.
            score: value by which the best checkpoint is chosen, higher is better; None for none.

        Raises:
            CheckpointError: this or the previous write failed; older checkpoints are kept.
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
        """Raises OSError if the state does not fit: Orbax's threads would print long tracebacks."""
        needed = sum(leaf.nbytes for leaf in jax.tree.leaves(state)) + SPACE_TO_SPARE
        free = shutil.disk_usage(self._folder).free
        if free < needed:
            raise OSError(errno.ENOSPC, f"{free:,} bytes are free, {needed:,} are needed")

    def wait(self) -> None:
        """Returns when all checkpoints are on the disk; raises CheckpointError if one is not."""
        with _one_line_errors(self._folder):
            self._manager.wait_until_finished()

    def steps(self) -> list[int]:
        """Lists the steps that have a checkpoint, in order."""
        return sorted({*self._manager.all_steps()} & {*saved_steps(self._folder)})

    def restore_latest(self, like: Any) -> tuple[int, Any] | None:
        """Restores the newest checkpoint that is not damaged.

        Args:
            like: the state's structure, a pytree of jax.ShapeDtypeStruct.

        Returns:
            The step and the state; None if there is no checkpoint yet. If a checkpoint cannot be
            read, this is announced, and the one before is used.

        Raises:
            OtherStateError: the checkpoints hold another state.
            CheckpointError: there are checkpoints, but none can be read.
        """
        reason = ""
        for step in reversed(self.steps()):
            try:
                return step, self._restore(step, like)
            except (MemoryError, OtherStateError):
                raise
            except Exception as error:  # Orbax raises many kinds for a damaged file.
                reason = str(error).strip().partition("\n")[0][:200]
                self._announce(f"checkpoint {step} is damaged ({reason}); trying the previous one")
        if reason:
            raise CheckpointError(
                f"no checkpoint in {self._folder} can be read ({reason}); {ANOTHER_FOLDER}"
            )
        return None

    @property
    def best_step(self) -> int | None:
        """Returns the step of the checkpoint with the highest score; None if none has a score."""
        return self._manager.best_step()

    def restore(self, step: int, like: Any = None) -> Any:
        """Restores the checkpoint of one step.

        Args:
            step: one of `steps()`.
            like: the state's structure, a pytree of jax.ShapeDtypeStruct; None returns nested dicts
                and lists as they were saved, whose SHA-256 cannot be checked.

        Raises:
            CheckpointError: the checkpoint is damaged or has another structure.
        """
        try:
            return self._restore(step, like)
        except (MemoryError, OtherStateError):
            raise
        except Exception as error:  # Orbax raises many kinds for a damaged file.
            reason = str(error).strip().partition("\n")[0].partition(". ")[0][:200]
            raise CheckpointError(
                f"checkpoint {step} in {self._folder} cannot be read ({reason})"
            ) from error

    def set_aside_after(self, step: int) -> None:
        """Moves later checkpoints to `damaged/` beside the folder; a resumed run replaces them."""
        for later_step in [saved_step for saved_step in self.steps() if saved_step > step]:
            aside = self._folder.parent / "damaged" / str(later_step)
            aside.parent.mkdir(exist_ok=True)
            numbers = itertools.count(2)
            while aside.exists():
                aside = aside.with_name(f"{later_step}-{next(numbers)}")
            (self._folder / str(later_step)).rename(aside)
        self._manager.reload()

    def _restore(self, step: int, like: Any) -> Any:
        if like is not None:
            self._require_structure(step, like)
        items = ocp.args.Composite(
            state=ocp.args.StandardRestore(like), digest=ocp.args.JsonRestore()
        )
        restored = self._manager.restore(step, args=items)
        sha256, recorded = digest(restored["state"]), restored["digest"]["sha256"]
        if like is not None and sha256 != recorded:
            raise CheckpointError(f"its SHA-256 is {sha256[:12]}; {recorded[:12]} was recorded")
        return restored["state"]

    def _require_structure(self, step: int, like: Any) -> None:
        """Raises OtherStateError, naming the arrays, if a checkpoint holds other ones than `like`.

        Orbax's own error for this reads like that of a damaged file.
        """
        saved = ocp.StandardCheckpointHandler().metadata(self._folder / str(step) / _STATE).tree
        there, now = _arrays(saved), _arrays(like)
        different = [
            f"{name} is {there.get(name, 'absent')} there and {now.get(name, 'absent')} now"
            for name in sorted(there.keys() | now.keys())
            if there.get(name) != now.get(name)
        ]
        if different:
            rest = len(different) - _MOST_NAMED
            more = f", and {rest} more differ" if rest > 0 else ""
            raise OtherStateError(
                f"checkpoint {step} in {self._folder} holds another state: "
                f"{', '.join(different[:_MOST_NAMED])}{more}"
            )

    def close(self) -> None:
        """Waits for the last write. Raises CheckpointError if it failed."""
        with _one_line_errors(self._folder):
            self._manager.close()


class _LatestOfOurs(NamedTuple):
    """Makes Orbax preserve the last `count` checkpoints of the run, and folders of the user."""

    folder: Path
    count: int

    def should_preserve(self, checkpoints: Sequence[Any], *, context: Any) -> list[bool]:
        """Returns for each checkpoint whether it is preserved."""
        steps, saved = [about.step for about in checkpoints], saved_steps(self.folder)
        # The newest one is not in place yet.
        ours = [step for step in steps if step in saved or not (self.folder / str(step)).exists()]
        return [step not in ours[: -self.count] for step in steps]


class NoCheckpoints:
    """Replaces `Checkpoints` in the processes other than process 0, which have no run folder."""

    def save(self, step: int, state: Any, score: float | None = None) -> str:
        """Saves nothing, and returns ""."""
        return ""

    def wait(self) -> None:
        """Returns at once."""

    def restore_latest(self, like: Any) -> None:
        """Returns None, because process 0 restores the state and broadcasts it."""


def _process_0_only(folder: Path) -> dict[str, Any]:
    """Returns Orbax's options for a run of several processes.

    Only process 0 writes; the others hold identical copies, so Orbax must not wait for them.
    """
    if jax.process_count() == 1:
        return {}
    folder.mkdir(parents=True, exist_ok=True)  # Orbax would make it only together with the others.
    index = jax.process_index()
    options = ocp.options.MultiprocessingOptions(
        primary_host=index, active_processes={index}, barrier_sync_key_prefix=f"process_{index}"
    )
    return {"multiprocessing_options": options, "create": False}


def _arrays(state: Any) -> dict[str, str]:
    """Returns type and shape of each array of a pytree, by its path in Orbax's notation."""
    leaves = jax.tree_util.tree_flatten_with_path(state)[0]
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): (
            f"{leaf.dtype}[{','.join(map(str, leaf.shape))}]"
        )
        for path, leaf in leaves
        if hasattr(leaf, "shape")
    }


def digest(state: Any) -> str:
    """Returns the SHA-256 of the paths, types, shapes and bytes of all arrays of a pytree."""
    total = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_flatten_with_path(state)[0]:
        array = np.asarray(leaf)
        total.update(f"{jax.tree_util.keystr(path)} {array.dtype} {array.shape}".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


@contextlib.contextmanager
def _one_line_errors(folder: Path) -> Iterator[None]:
    """Turns the errors of a full disk or a lost folder into a CheckpointError of one line."""
    try:
        yield
    except Exception as error:  # Orbax and TensorStore wrap the system's error in their own.
        reason = str(error).strip().partition("\n")[0][:300]
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            reason = f"the disk is full, {error.strerror}"
        raise CheckpointError(
            f"cannot write a checkpoint to {folder}: {reason}; older ones are kept"
        ) from error
