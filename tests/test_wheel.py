"""Installs the wheel outside of the checkout, as a user does, and checks what a release states."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from lecture_models.commands import console
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SOURCES = ("launch.py", "pyproject.toml", "setup.py", "README.md", "LICENSE")


def run(*command, **options):
    """Runs a command; fails with what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Builds the wheel by way of the source distribution, so that both are complete."""
    missing = [name for name in ("build", "setuptools") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} absent: they are in the extra release")
    folder = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        shutil.copy(ROOT / name, folder / name)
    for name in ("lecture_models", "experiments"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    run(sys.executable, "-m", "build", "--no-isolation", cwd=folder)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_all_files_and_no_package_with_a_name_of_others(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    package = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "lecture_models").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    beside = {
        f"lecture_models/checkout/{path.relative_to(ROOT)}"
        for path in [ROOT / "launch.py", *(ROOT / "experiments").rglob("*")]
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert not (package | beside) - held
    assert {name.partition("/")[0].partition("-")[0] for name in held} == {"lecture_models"}


@pytest.fixture(scope="module")
def script(wheel, tmp_path_factory):
    """Installs the wheel into an environment that borrows the packages of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    packages = next(folder.glob("lib/python*/site-packages"))
    # A path in a .pth file is searched, but .pth files in it are not read: the checkout, which the
    # tests' environment names in one, stays unknown.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", f"--python={python}", "install", "-q", "--no-deps"]
    run(*pip, "--no-index", str(wheel))
    return folder / "bin" / "lecture-models"


@pytest.fixture
def environment():
    """Returns the variables of a process that does not find the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.mark.slow
def test_an_installed_wheel_shows_its_experiments_tables_and_lectures(
    script, environment, tmp_path
):
    listed = run(str(script), "--list", cwd=tmp_path, env=environment)
    assert "gan_mnist" in listed
    assert "vgg16_memory" in listed
    # This table imports another one, and an experiment.
    table = run(str(script), "--table=stochastic_depth_table2", cwd=tmp_path, env=environment)
    assert "published" in table
    assert "004" in run(str(script), "--lecture=list", cwd=tmp_path, env=environment)


@pytest.mark.slow
def test_an_installed_wheel_trains_in_an_empty_folder(script, environment, tmp_path):
    run(
        *(str(script), "--experiment=gan_mnist", "--preset=smoke", "--wandb=disabled"),
        *("--workdir=run", "--extractor_steps=1"),
        cwd=tmp_path,
        env=environment,
    )
    record = json.loads((tmp_path / "run" / "config.json").read_text())
    (session,) = record["sessions"]
    assert session["git"] is None
    assert session["versions"]["lecture-models"] == PROJECT["version"]
    assert (tmp_path / "run" / "report.html").stat().st_size > 1000


def test_the_console_script_finds_the_launcher_of_a_checkout_and_of_a_wheel(tmp_path):
    assert console.launcher(ROOT / "lecture_models") == ROOT / "launch.py"
    installed = tmp_path / "checkout" / "launch.py"
    installed.parent.mkdir()
    installed.write_text("")
    assert console.launcher(tmp_path) == installed


def test_the_version_is_the_same_wherever_it_stands():
    version = PROJECT["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == version
    assert citation["license"] == PROJECT["license"]
    (newest, *_) = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert newest == version


def test_the_dockerfile_copies_files_that_exist_and_takes_a_supported_python():
    text = (ROOT / "Dockerfile").read_text("utf-8")
    copied = [name for line in re.findall(r"^COPY (.*) \S+$", text, re.M) for name in line.split()]
    assert copied
    assert not [name for name in copied if not Path(ROOT, name).exists()]
    (python,) = re.findall(r"^FROM python:(\d\.\d+)", text, re.M)
    assert python in SpecifierSet(PROJECT["requires-python"])
