import resource
import shutil
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.training.checkpoint import (
    CheckpointError,
    Checkpoints,
    OtherStateError,
    digest,
)


def state(step):
    values = np.random.default_rng(step).normal(size=(64, 64)).astype(np.float32)
    return {"weights": values, "count": jnp.int32(step)}


LIKE = jax.eval_shape(lambda: state(0))


@pytest.fixture
def lines():
    return []


@pytest.fixture
def checkpoints(tmp_path, lines):
    opened = Checkpoints(tmp_path, lines.append)
    yield opened
    opened.close()


def save(checkpoints, *steps):
    for step in steps:
        checkpoints.save(step, state(step))
    checkpoints.wait()


def data_files(folder, step):
    """Lists the files that hold the arrays, largest first."""
    files = [path for path in (folder / str(step) / "state").rglob("*") if path.is_file()]
    return sorted(files, key=lambda path: -path.stat().st_size)


def test_what_is_restored_is_what_was_saved(checkpoints):
    save(checkpoints, 3)
    step, restored = checkpoints.restore_latest(LIKE)
    assert step == 3
    assert digest(restored) == digest(state(3))


def test_a_new_folder_has_nothing_to_restore(checkpoints):
    assert checkpoints.restore_latest(LIKE) is None


def test_the_last_three_are_kept(checkpoints):
    save(checkpoints, 1, 2, 3, 4, 5)
    assert checkpoints.steps() == [3, 4, 5]


def test_a_state_changed_after_saving_is_saved_as_it_was(checkpoints):
    """Training continues, and donates its buffers, while the checkpoint is written."""
    mutable = state(1)
    checkpoints.save(1, mutable)
    mutable["weights"][:] = 0.0
    checkpoints.wait()
    assert digest(checkpoints.restore_latest(LIKE)[1]) == digest(state(1))


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "remove"])
def test_a_damaged_newest_checkpoint_falls_back_and_says_so(tmp_path, checkpoints, lines, damage):
    save(checkpoints, 1, 2)
    path = data_files(tmp_path, 2)[0]
    content = bytearray(path.read_bytes())
    if damage == "remove":
        path.unlink()
    else:
        content[len(content) // 2] ^= 0xFF
        kept = {"truncate": content[: len(content) // 2], "flip": content, "empty": b""}[damage]
        path.write_bytes(kept)
    step, restored = checkpoints.restore_latest(LIKE)
    assert step == 1
    assert digest(restored) == digest(state(1))
    assert len(lines) == 1
    assert "checkpoint 2 is damaged" in lines[0]


def test_only_damaged_checkpoints_are_an_error(tmp_path, checkpoints):
    save(checkpoints, 1)
    for path in data_files(tmp_path, 1):
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"no checkpoint in .* can be read"):
        checkpoints.restore_latest(LIKE)


def test_a_checkpoint_set_aside_is_kept_and_can_be_written_again(tmp_path, lines):
    checkpoints = Checkpoints(tmp_path / "checkpoints", lines.append)
    save(checkpoints, 1, 2)
    checkpoints.set_aside_after(1)
    assert (tmp_path / "damaged" / "2").is_dir()
    assert checkpoints.steps() == [1]
    save(checkpoints, 2)
    assert checkpoints.steps() == [1, 2]
    checkpoints.set_aside_after(1)
    assert (tmp_path / "damaged" / "2-2").is_dir()
    checkpoints.close()


def test_what_the_user_keeps_beside_the_checkpoints_is_neither_read_nor_removed(tmp_path, lines):
    checkpoints = Checkpoints(tmp_path, lines.append)
    save(checkpoints, 4)
    checkpoints.close()
    own = [tmp_path / name / "mine.txt" for name in ("1", "9", "4 copy", "best")]
    for path in own:
        path.parent.mkdir()
        path.write_text("mine")
    (tmp_path / "8").write_text("mine")
    again = Checkpoints(tmp_path, lines.append)
    assert again.restore_latest(LIKE)[0] == 4
    save(again, 5, 6, 7, 10)
    assert again.steps() == [6, 7, 10]
    again.close()
    assert all(path.exists() for path in (*own, tmp_path / "8"))
    assert lines == []


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"weights": np.zeros((64, 64))}, r"weights is float32\[64,64\] there and float64"),
        ({"weights": np.zeros((8, 8), np.float32)}, r"weights is .* there and float32\[8,8\] now"),
        ({"bias": np.zeros(3, np.float32)}, r"bias is absent there and float32\[3\] now"),
    ],
)
def test_a_state_that_the_code_has_no_longer_is_not_a_damaged_one(
    checkpoints, lines, other, message
):
    save(checkpoints, 3)
    with pytest.raises(OtherStateError, match=message):
        checkpoints.restore_latest({**state(3), **other})
    assert lines == []


@pytest.fixture
def small_disk():
    """Limits files to 4 KiB, which has the effect of a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


# Orbax does not wait for its other writes.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_write_that_fails_is_one_line_and_leaves_the_older(tmp_path, lines, small_disk):
    checkpoints = Checkpoints(tmp_path, lines.append)
    save(checkpoints, 1)
    small_disk()
    with pytest.raises(CheckpointError, match="cannot write a checkpoint") as caught:
        save(checkpoints, 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert "\n" not in str(caught.value)
    again = Checkpoints(tmp_path, lines.append)
    assert again.restore_latest(LIKE)[0] == 1
    again.close()


def test_a_disk_too_full_is_said_before_anything_is_written(checkpoints, monkeypatch, tmp_path):
    save(checkpoints, 1)
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: full)
    with pytest.raises(CheckpointError, match="the disk is full, 1,000 bytes are free"):
        checkpoints.save(2, state(2))
    assert checkpoints.restore_latest(LIKE)[0] == 1


@pytest.mark.parametrize(
    "other",
    [
        {"weights": np.zeros((2, 3), np.float32)},
        {"weights": np.zeros((3, 2), np.float64)},
        {"weights": np.ones((3, 2), np.float32)},
        {"biases": np.zeros((3, 2), np.float32)},
    ],
)
def test_the_digest_tells_shapes_types_values_and_names_apart(other):
    assert digest(other) != digest({"weights": np.zeros((3, 2), np.float32)})
