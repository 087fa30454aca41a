import os
import subprocess
import sys

import pytest

import launch
from lecture_models.training import process_setup

FLAG = "--xla_cpu_experimental_ynn_fusion_type"
SCHEDULER = "--xla_cpu_enable_concurrency_optimized_scheduler"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, f"{FLAG}=LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT"),
        ("--xla_a=1", f"--xla_a=1 {FLAG}=LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT"),
        (f"{FLAG}=", f"{FLAG}="),
    ],
)
def test_what_the_user_says_of_convolutions_stays(monkeypatch, before, after):
    monkeypatch.setenv("XLA_FLAGS", before or "")
    process_setup.prefer_faster_convolutions()
    process_setup.prefer_faster_convolutions()
    assert os.environ["XLA_FLAGS"] == after


def test_the_schedule_that_the_user_chose_stays(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", f"{SCHEDULER}=true")
    process_setup.run_in_sequence()
    assert os.environ["XLA_FLAGS"] == f"{SCHEDULER}=true"


def test_nothing_is_changed_for_later_versions_of_jax(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "")
    monkeypatch.setattr(process_setup.importlib.metadata, "version", lambda name: "0.13.0.1")
    process_setup.prefer_faster_convolutions()
    process_setup.run_in_sequence()
    assert os.environ["XLA_FLAGS"] == ""


class Malloc:
    """Replaces the C library."""

    def __init__(self):
        self.told = {}

    def mallopt(self, option, value):
        self.told[option] = value


@pytest.mark.parametrize(
    ("library", "environment", "told"),
    [
        ("glibc", {}, {-1: -1, -4: 0, -8: 1}),
        ("", {}, {}),
        ("glibc", {"MALLOC_ARENA_MAX": "4"}, {}),
        ("glibc", {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}, {}),
    ],
)
def test_freed_memory_is_kept_unless_malloc_was_told(monkeypatch, library, environment, told):
    malloc = Malloc()
    monkeypatch.setattr(process_setup.ctypes, "CDLL", lambda name: malloc)
    monkeypatch.setattr(process_setup.platform, "libc_ver", lambda: (library, "2.36"))
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    process_setup.keep_freed_memory()
    assert malloc.told == told


def test_every_command_sets_up_its_process(monkeypatch, capsys):
    """Must happen before jax is asked for its devices, which fixes XLA's flags."""
    monkeypatch.setenv("XLA_FLAGS", "")
    assert launch.main(["launch.py", "--help"]) == 0
    assert FLAG in os.environ["XLA_FLAGS"]
    assert f"{SCHEDULER}=false" in os.environ["XLA_FLAGS"]


PROGRAM = """
import jax, jax.numpy as jnp
from lecture_models.training import process_setup
if {prefers}:
    process_setup.prefer_faster_convolutions()
images = jax.ShapeDtypeStruct((32, 32, 32, 16), jnp.float32)
kernel = jax.ShapeDtypeStruct((3, 3, 16, 16), jnp.float32)
def energy(kernel, images):
    layout = ("NHWC", "HWIO", "NHWC")
    return jnp.sum(jax.lax.conv_general_dilated(
        images, kernel, (1, 1), "SAME", dimension_numbers=layout) ** 2)
print("__ynn_fusion" in jax.jit(jax.grad(energy)).lower(kernel, images).compile().as_text())
"""


@pytest.mark.slow
@pytest.mark.parametrize("prefers", [True, False])
def test_the_newer_kernels_are_turned_off(root, prefers):
    """Uses a process of its own, because XLA ends it at a flag that it does not know."""
    environment = os.environ | {"XLA_FLAGS": "", "PYTHONPATH": str(root)}
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(prefers=prefers)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert found.stdout == f"{not prefers}\n", found.stderr
