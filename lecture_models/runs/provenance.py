"""What a run was: command, commit, versions, device, data."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
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
# Set outside the program, these change the digits of a result.
VARIABLES = (
    "XLA_FLAGS",
    "JAX_ENABLE_X64",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_DISABLE_JIT",
    "NVIDIA_TF32_OVERRIDE",
)


def describe_process(root: Path, command: str) -> dict[str, Any]:
    """One session of a run, as it is recorded; `root` is the checkout the code came from."""
    return {
        "command": command,
        "git": git_commit(root),
        "versions": versions(),
        "device": device(),
        "environment": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def git_commit(root: Path) -> dict[str, Any] | None:
    """The commit, and whether files differ from it or are new; None outside a checkout."""
    commit = _git(root, "rev-parse", "HEAD")
    status = _git(root, "status", "--porcelain")
    if commit is None or status is None:
        return None
    return {"commit": commit, "dirty": bool(status)}


def shown_commit(git: dict[str, Any] | None) -> str:
    """What `git_commit` gave, as a line for people."""
    found = git or {}
    changed = " (with files changed since)" if found.get("dirty") else ""
    return f"{found.get('commit', 'not a checkout')}{changed}"


def _git(root: Path, *arguments: str) -> str | None:
    try:
        finished = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return finished.stdout.strip()


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def device() -> dict[str, Any]:
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
