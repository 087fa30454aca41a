"""Sets strict options for every test, finds real data, and lists the skipped tests."""

import ctypes
import gc
import importlib.metadata
import math
import os
import platform
import signal
from pathlib import Path

import jax
import pytest
import threadpoolctl
from flax import linen as nn
from xdist.scheduler import LoadFileScheduling

from tests.whole_programs import compile_whole

ROOT = Path(__file__).resolve().parent.parent

# Tests of signals, and the processes that they start, must not depend on a nohup around pytest.
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Workers share the cores. Threads of two BLAS that wait for each other take 17 times as long for an
# eigendecomposition of MNIST's covariance as one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # For processes that tests start.
threadpoolctl.threadpool_limits(1, user_api="blas")

# Tests compile many small programs and compute little, so a fast compiler saves most of their time.
FAST_COMPILATION = ["--xla_backend_optimization_level=0"]
if int(importlib.metadata.version("jax").split(".")[1]) < 12:
    # Halves the compilation time of jax 0.10; jax 0.12 does not know the flag.
    FAST_COMPILATION.append("--xla_cpu_use_fusion_emitters=false")
# LECTURE_MODELS_TESTS_OPTIMIZED=1 compiles as for users; `.ci/run` sets it for the tests of the
# rooms that compute.
if os.environ.get("LECTURE_MODELS_TESTS_OPTIMIZED") != "1":
    os.environ["XLA_FLAGS"] = " ".join([*FAST_COMPILATION, os.environ.get("XLA_FLAGS", "")])
# Commands keep freed memory for the next step, unless the environment sets an option of malloc;
# a worker that runs many tests would grow without end.
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", "131072")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)
if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
    # Kept between runs and shared by the workers and the processes that tests start.
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(ROOT / ".pytest_cache" / "xla")
jax.config.update("jax_compilation_cache_dir", os.environ["JAX_COMPILATION_CACHE_DIR"])
# Writing a program to the disk costs more than compiling a small one.
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
nn.Module.init = compile_whole(nn.Module.init)
nn.Module.apply = compile_whole(nn.Module.apply)

# With all tests collected a full collection of garbage takes half a second, and tracing makes so
# many objects that there is one every few seconds.
gc.set_threshold(20_000, 20, 20)

MOST_BYTES = 1.1e9  # A worker may take 1.5 GB, and one test some hundred MB.


def real_data_folder() -> Path | None:
    candidates = [os.environ.get("LECTURE_MODELS_DATA"), ROOT.parent / "shared" / "data"]
    found = [Path(path) for path in candidates if path and (Path(path) / "mnist").is_dir()]
    return found[0] if found else None


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = real_data_folder()
    if folder is None:
        pytest.skip("real data absent: set LECTURE_MODELS_DATA to a folder that holds mnist/")
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keeps tests away from the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def pytest_collection_finish(session):
    """Leaves what is there for the whole session out of the collections of garbage."""
    forget_programs()
    gc.freeze()


def resident_bytes() -> float:
    """Returns the memory of this process; infinity where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return math.inf
    return pages * os.sysconf("SC_PAGE_SIZE")


def forget_programs() -> None:
    """Frees the memory of all compiled programs."""
    jax.clear_caches()
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


@pytest.fixture(autouse=True)
def forgotten_programs():
    """Forgets the compiled programs when they have become many.

    Not after every module: to forget takes half a second, and many modules share small programs.
    """
    yield
    if resident_bytes() > MOST_BYTES:
        forget_programs()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Deals out files to the workers whole, but what is tested of every experiment one by one.

    Its smoke runs take a quarter of all time, so that one worker would still be at them when the
    others have ended.
    """
    if config.getvalue("dist") != "loadfile":
        return None
    scheduler = LoadFileScheduling(config, log)
    scheduler._split_scope = work_unit
    return scheduler


def work_unit(test: str) -> str:
    """Returns the file of a test, with its parameters where the file tests every experiment."""
    file, _, name = test.partition("::")
    return file + name.partition("[")[2] if file.endswith("test_every_experiment.py") else file


@pytest.fixture
def root() -> Path:
    return ROOT


def pytest_terminal_summary(terminalreporter):
    """Lists the skipped tests with their reasons at the end of every run."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("skipped")
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.line(f"{report.nodeid}: {reason}")
