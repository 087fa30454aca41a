import json
import math
import os
import tempfile
from pathlib import Path

import pytest

from lecture_models import files
from lecture_models.files import PathError, cache_folder, json_text, local_path, write_json
from lecture_models.runs.json_values import as_number


@pytest.mark.parametrize(
    "text",
    [
        *("gs://bucket/run1", "s3://bucket/run1", "hdfs://host/run1", "file:///tmp/run1"),
        *("S3://bucket", "https://host/run", "gs:/bucket", "abfs+x://host/run"),
    ],
)
def test_a_url_is_not_taken_for_a_folder(text):
    with pytest.raises(PathError, match=f"--workdir is {text}, a URL".replace("+", r"\+")):
        local_path("--workdir", text)


@pytest.mark.parametrize("text", ["runs/a:b", "C:/x", "a b", "./gs:", "x:y/z", "-"])
def test_an_unusual_path_is_a_path(text):
    assert local_path("--workdir", text) == Path(text)


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_path_is_refused(text):
    with pytest.raises(PathError, match="--workdir is empty"):
        local_path("--workdir", text)


def test_a_tilde_means_the_home_if_there_is_one(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert local_path("--workdir", "~/runs") == tmp_path / "runs"
    with pytest.raises(PathError, match="~nobody-here/runs, but no home folder is known"):
        local_path("--workdir", "~nobody-here/runs")


@pytest.fixture
def nobody(monkeypatch, tmp_path):
    """Takes the home from this user, as in a container with a user id of its own."""

    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    files._own_temporary_folder.cache_clear()
    yield tmp_path / f"lecture_models-{os.getuid()}"
    files._own_temporary_folder.cache_clear()


def test_a_user_without_a_home_has_a_cache_of_its_own(nobody):
    assert cache_folder() == nobody
    assert nobody.stat().st_mode & 0o777 == 0o700
    files._own_temporary_folder.cache_clear()
    assert cache_folder() == nobody


def test_a_home_that_cannot_be_written_to_is_no_cache(nobody, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/"))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert cache_folder() == nobody


@pytest.mark.parametrize("trap", ["open to others", "a link"])
def test_a_cache_that_others_could_have_made_is_not_used(nobody, trap, tmp_path):
    if trap == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        nobody.symlink_to(tmp_path / "elsewhere")
    else:
        nobody.mkdir()
        nobody.chmod(0o777)
    assert cache_folder() not in (nobody, tmp_path / "elsewhere")
    assert cache_folder().parent == tmp_path
    assert cache_folder() == cache_folder()


def test_json_holds_no_number_that_is_not_finite(tmp_path):
    content = {"a": [math.nan, (math.inf, -math.inf)], "b": {"c": 1.5}, "d": True, "e": None}
    write_json(tmp_path / "a.json", content)

    def refuse(constant):
        raise AssertionError(constant)

    for text in ((tmp_path / "a.json").read_text(), json_text(content)):
        read = json.loads(text, parse_constant=refuse)
        assert read["a"] == ["NaN", ["Infinity", "-Infinity"]]
        assert (read["b"], read["d"], read["e"]) == ({"c": 1.5}, True, None)
    assert math.isnan(as_number(read["a"][0]))
    assert [as_number(text) for text in read["a"][1]] == [math.inf, -math.inf]


def test_json_holds_names_that_are_not_utf_8(tmp_path):
    name = os.fsdecode(b"\xff.png")
    write_json(tmp_path / "a.json", [name, "Tübingen"])
    assert json.loads((tmp_path / "a.json").read_bytes()) == [name, "Tübingen"]
