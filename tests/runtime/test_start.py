import os
import subprocess
import sys

import pytest

from lecture_models.runtime import start

FLAG = "--xla_cpu_experimental_ynn_fusion_type"


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
    start.prefer_faster_convolutions()
    start.prefer_faster_convolutions()
    assert os.environ["XLA_FLAGS"] == after


def test_later_lines_of_jax_are_left_alone(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "")
    monkeypatch.setattr(start.jax, "__version_info__", (0, 13, 0))
    start.prefer_faster_convolutions()
    assert os.environ["XLA_FLAGS"] == ""


def test_this_line_of_jax_knows_the_flag_and_obeys(root):
    """XLA ends a process at a flag that it does not know."""
    program = """
import jax, jax.numpy as jnp
from lecture_models.runtime import start
start.prefer_faster_convolutions()
images, kernel = jnp.ones((8, 32, 32, 16)), jnp.ones((3, 3, 16, 16))
same = jax.jit(lambda x, k: jax.lax.conv_general_dilated(
    x, k, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")))
print("ynn" in same.lower(images, kernel).compile().as_text())
"""
    environment = os.environ | {"XLA_FLAGS": "", "PYTHONPATH": str(root)}
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )
    assert found.stdout == "False\n", found.stderr
