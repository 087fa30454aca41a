"""Describes a process for the record of its run: commit, versions, device and environment."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax

PACKAGES = (
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "orbax-checkpoint",
    "numpy",
    "pillow",
    "wandb",
    "tensorflow-datasets",
    "scikit-learn",
    "scikit-image",
)
# Environment variables that change the types of arrays or the random numbers.
DECISIVE_VARIABLES = ("JAX_ENABLE_X64", "JAX_DEFAULT_PRNG_IMPL", "JAX_THREEFRY_PARTITIONABLE")
# Environment variables that change the last digits of a result.
DIGITS_VARIABLES = (
    "XLA_FLAGS",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_DISABLE_JIT",
    "NVIDIA_TF32_OVERRIDE",
)
VARIABLES = (*DECISIVE_VARIABLES, *DIGITS_VARIABLES)
SOFTWARE = "lecture-models"  # Stands in every file of a picture that a run writes.
FAST_CONVOLUTIONS = "fast_convolutions"  # The launcher's flag, recorded with the variables.


def describe_process(root: Path, command: str, fast_convolutions: bool) -> dict[str, Any]:
    """Returns the record of one session of a run.

    Args:
        root: the checkout that the code came from.
        command: the command line.
        fast_convolutions: whether a CPU computes convolutions by this project's algorithms.

    Returns:
        The record, in values that JSON can hold.
    """
    variables = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    git = git_commit(root)
    return {
        "command": command,
        "git": git,
        # Where there is no commit, as in an installed wheel, the version names the code.
        "versions": versions(PACKAGES if git else (SOFTWARE, *PACKAGES)),
        "device": device(),
        "environment": {**variables, FAST_CONVOLUTIONS: fast_convolutions},
        "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def git_commit(root: Path) -> dict[str, Any] | None:
    """Returns the commit, and whether the checkout has changed or new files.

    Returns None outside of a checkout, also where other code's checkout holds the environment in
    which this project is installed.
    """
    commit = _git(root, "rev-parse", "HEAD")
    status = _git(root, "status", "--porcelain")
    if commit is None or status is None or not _git(root, "ls-files"):
        return None
    return {"commit": commit, "dirty": bool(status)}


def shown_commit(git: dict[str, Any] | None) -> str:
    """Returns the result of `git_commit` as a text for people."""
    commit = (git or {}).get("commit", "not a checkout")
    return f"{commit} (with uncommitted changes)" if (git or {}).get("dirty") else str(commit)


def picture_texts(
    command: str, git: dict[str, Any] | None, seed: int, experiment: str
) -> dict[str, str]:
    """Returns the texts in the files of a run's pictures, which say what made them.

    Args:
        command: the command line.
        git: the result of `git_commit`.
        seed: the random seed.
        experiment: the name of the experiment.
    """
    return {
        "Command": command,
        "Commit": shown_commit(git),
        "Seed": str(seed),
        "Experiment": experiment,
        "Software": SOFTWARE,
    }


def _git(root: Path, *arguments: str) -> str | None:
    try:
        finished = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return finished.stdout.strip()


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Returns the versions of Python and of those of the packages that are installed."""
    installed = {"python": platform.python_version()}
    for package in packages:
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed


def device() -> dict[str, Any]:
    """Returns what computes: platform and kind of the device, their number, the host's cores."""
    first = jax.devices()[0]
    kind = _processor() if first.platform == "cpu" else first.device_kind
    return {
        "platform": first.platform,
        "kind": kind,
        "count": jax.device_count(),
        "host": platform.platform(),
        "cores": len(_usable_cores()),
    }


def _usable_cores() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
