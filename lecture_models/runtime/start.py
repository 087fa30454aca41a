"""What a process sets before the first computation."""

import os
from pathlib import Path

import jax


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/lecture_models, else ~/.cache/lecture_models."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "lecture_models"


def use_compilation_cache() -> None:
    """Compiled programs are kept between processes, so that a second start takes seconds.

    A cache that cannot be written costs only time: jax warns and compiles anew.
    """
    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "xla"))
    # The defaults skip whatever compiles in under a second, which is most of an experiment.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
