"""Strict settings for every test, real data where it is at hand, and what was left out for it."""

import os
from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).resolve().parent.parent

# Tests compile much and compute little: the fast compiler takes three fifths of the time.
os.environ["XLA_FLAGS"] = f"--xla_backend_optimization_level=0 {os.environ.get('XLA_FLAGS', '')}"
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)
if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
    # Kept between runs and shared by the workers and the processes that tests start.
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(ROOT / ".pytest_cache" / "xla")
jax.config.update("jax_compilation_cache_dir", os.environ["JAX_COMPILATION_CACHE_DIR"])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def real_data_folder() -> Path | None:
    candidates = [os.environ.get("LECTURE_MODELS_DATA"), ROOT.parent / "shared" / "data"]
    found = [Path(each) for each in candidates if each and (Path(each) / "mnist").is_dir()]
    return found[0] if found else None


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = real_data_folder()
    if folder is None:
        pytest.skip("real data absent: set LECTURE_MODELS_DATA to a folder that holds mnist/")
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Nothing of a test enters the user's cache, nor comes from it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module", autouse=True)
def forgotten_programs():
    """Compiled programs leave the memory with their module: a fourth of it in the end."""
    yield
    jax.clear_caches()


@pytest.fixture
def root() -> Path:
    return ROOT


def pytest_terminal_summary(terminalreporter):
    """Lists what was skipped, and why, at the end of every run."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("left out")
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.line(f"{report.nodeid}: {reason}")
