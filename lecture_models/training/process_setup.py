"""Sets up a process before its first computation."""

import ctypes
import importlib.metadata
import os
import platform

from lecture_models.files import cache_folder

_YNN = "--xla_cpu_experimental_ynn_fusion_type"
_SCHEDULER = "--xla_cpu_enable_concurrency_optimized_scheduler"
# Options of mallopt in glibc's malloc.h: M_TRIM_THRESHOLD = never, M_MMAP_MAX = no mapped blocks,
# M_ARENA_MAX = one heap.
_MALLOPT = {-1: -1, -4: 0, -8: 1}


def use_compilation_cache() -> None:
    """Keeps compiled programs between processes, so that the next start takes seconds.

    A cache that cannot be written costs only time: jax warns and compiles again. The environment
    variable JAX_COMPILATION_CACHE_DIR names another folder.
    """
    import jax

    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "xla"))
    # By default jax skips what compiles in under a second, which is most of an experiment.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def tune_for_cpu() -> None:
    """Makes the CPU faster; must be called before jax is asked for its devices."""
    prefer_faster_convolutions()
    run_in_sequence()
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Keeps freed memory for the next step, if the C library is glibc.

    Otherwise buffers of 32 MB and more come from the system at every step, which clears them page
    by page. In exchange the process never returns memory. If an environment variable configures
    malloc (MALLOC_..., GLIBC_TUNABLES), nothing is changed.
    """
    configured = any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ)
    if platform.libc_ver()[0] == "glibc" and not configured:
        library = ctypes.CDLL(None)
        for option, value in _MALLOPT.items():
            library.mallopt(option, value)


def prefer_faster_convolutions() -> None:
    """Turns off XLA's newer CPU kernels (YNN) for convolutions, but not for matrix products.

    Without them a training step of ResNet-20 on one core takes 0.6 to 0.9 of the time, mostly
    because filter gradients are faster; inference and image gradients take as long or less
    (jax 0.10.2 and 0.12.0). Nothing is changed for jax 0.13 or later, which was not measured and
    whose XLA may not know the flag, or if XLA_FLAGS has the flag already.
    """
    _add_flag(_YNN, "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT")


def run_in_sequence() -> None:
    """Turns off XLA's schedule that runs independent parts of a program at the same time.

    With it, a program with several loops, such as two recurrent networks that are trained side by
    side, can stop for ever on two cores (video_actions, jax 0.10.2). Steps of six other experiments
    took about as long without it, on busy cores. Nothing is changed for jax 0.13 or later, or if
    XLA_FLAGS has the flag.
    """
    _add_flag(_SCHEDULER, "false")


def _add_flag(name: str, value: str) -> None:
    """Adds a flag of XLA, unless the user set it or jax is newer than what was measured."""
    flags = os.environ.get("XLA_FLAGS", "")
    major, minor = importlib.metadata.version("jax").split(".")[:2]
    if name not in flags and (int(major), int(minor)) < (0, 13):
        os.environ["XLA_FLAGS"] = f"{flags} {name}={value}".strip()
