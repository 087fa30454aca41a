"""What a process sets before the first computation."""

import ctypes
import importlib.metadata
import os
import platform

from lecture_models.files import cache_folder

_YNN = "--xla_cpu_experimental_ynn_fusion_type"
# mallopt's options, of glibc's malloc.h, and what they are set to: never trim, never map, one heap.
_KEEP = {-1: -1, -4: 0, -8: 1}


def use_compilation_cache() -> None:
    """Compiled programs are kept between processes, so that a second start takes seconds.

    A cache that cannot be written costs only time: jax warns and compiles anew.
    """
    import jax

    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "xla"))
    # The defaults skip whatever compiles in under a second, which is most of an experiment.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def tune_for_cpu() -> None:
    """What makes the CPU faster; to be called before jax is asked for its devices."""
    prefer_faster_convolutions()
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Has freed memory kept for the next step, where glibc is the C library.

    Buffers of 32 MB and more otherwise come from the system at every step, which clears them page
    by page. The process holds on to the most that it ever needed. Where the environment tells
    malloc anything (MALLOC_..., GLIBC_TUNABLES) that stays.
    """
    told = any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ)
    if platform.libc_ver()[0] == "glibc" and not told:
        library = ctypes.CDLL(None)
        for option, value in _KEEP.items():
            library.mallopt(option, value)


def prefer_faster_convolutions() -> None:
    """Keeps XLA's newer convolution kernels (YNN) off the CPU; matrix products stay with them.

    On one core a training step of ResNet-20 takes 0.6 to 0.9 of the time without them, most of it
    gained at the gradients of the filters; inference and gradients to the image take as long or
    less (jax 0.10.2 and 0.12.0). Later lines of jax, untried here and whose XLA may not know the
    flag, are left alone, and so is what XLA_FLAGS says of it already.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    major, minor = importlib.metadata.version("jax").split(".")[:2]
    if _YNN not in flags and (int(major), int(minor)) < (0, 13):
        os.environ["XLA_FLAGS"] = f"{flags} {_YNN}=LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT".strip()
