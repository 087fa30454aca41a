"""Refuses computations that do not fit into the memory of the device, before they begin."""

import os

import jax

from lecture_models.data.dataset import DataError


def device_memory() -> int:
    """Returns the memory of the first device.

    Returns:
        Its size in bytes; for a CPU, that of the machine.
    """
    stats = jax.devices()[0].memory_stats() if jax.default_backend() != "cpu" else None
    if stats and "bytes_limit" in stats:
        return int(stats["bytes_limit"])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def require_memory(needed: int, thing: str, flag: str) -> None:
    """Checks that one dispatch fits into the memory of the device.

    Args:
        needed: the number of bytes that it needs at least.
        thing: what needs them, such as "the maps of a batch of 16 images".
        flag: the flag whose value should be smaller.

    Raises:
        DataError: there is less memory.
    """
    present = device_memory()
    if needed > present:
        raise DataError(
            f"{thing} need {needed / 2**30:,.1f} GiB of memory in one dispatch; there are "
            f"{present / 2**30:,.1f} GiB: give a smaller {flag}"
        )
