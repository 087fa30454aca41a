import importlib.util
import sys

import pytest
from PIL import Image

from lecture_models.data import sample_pictures
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.data.sample_pictures import SAMPLES, locate, sample_file


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path, print)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_at_hand_and_no_package_is_imported_for_it(name, library):
    found = library.picture(name, 64)
    assert max(found.pixels.shape) == 64
    assert min(found.size) >= 300
    assert SAMPLES[name].credit in library.provenance[0].source
    assert library.provenance[0].files[0].sha256 == found.sha256
    assert "skimage" not in sys.modules


def test_a_file_comes_before_a_sample_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert locate("china") == locate("sample:china") == sample_file("china")
    Image.new("L", (20, 20)).save("china", format="PNG")
    assert str(locate("china")) == "china"
    assert locate("sample:china") == sample_file("china")


@pytest.mark.parametrize("name", ["coffe", "sample:coffe"])
def test_another_name_is_refused_with_the_nearest(name):
    with pytest.raises(DataError) as caught:
        locate(name)
    assert str(caught.value).startswith(
        "there is no picture and no sample 'coffe'; did you mean 'coffee'? Samples: china,"
    )


def test_an_absent_file_is_refused_with_the_nearest_beside_it(tmp_path):
    Image.new("L", (20, 20)).save(tmp_path / "tubingen.jpg")
    with pytest.raises(DataError) as caught:
        locate(f"{tmp_path}/tubingn.jpg")
    assert str(caught.value) == (
        f"there is no picture {tmp_path}/tubingn.jpg; did you mean 'tubingen.jpg'?"
    )
    with pytest.raises(DataError, match="nowhere/a.jpg: the folder .*nowhere does not exist"):
        locate(f"{tmp_path}/nowhere/a.jpg")
    with pytest.raises(DataError, match=f"{tmp_path} is a folder; name one picture"):
        locate(str(tmp_path))
    with pytest.raises(DataError, match="a picture has no name; give a path or a sample: china"):
        locate("")


def test_without_its_package_a_sample_is_refused(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="skimage, which ships sample:coffee, is not installed"):
        sample_file("coffee")
    assert sample_pictures.credit_of(sample_pictures.Path("a.png")) == ""


def test_a_picture_of_ones_own_is_recorded_by_name_size_and_digest(library, tmp_path):
    Image.new("RGB", (60, 40), (9, 9, 9)).save(tmp_path / "mine.png")
    found = library.picture(str(tmp_path / "mine.png"), 30)
    assert found.pixels.shape == (20, 30, 3)
    again = library.picture(str(tmp_path / "mine.png"))
    assert again.pixels.shape == (40, 60, 3)
    first, second = library.provenance
    assert first.dataset == second.dataset == "picture"
    assert first.source == "mine.png, 60x40, read at 30x20"
    assert second.source == "mine.png, 60x40"
    assert first.files == ((tmp_path / "mine.png", found.sha256),)


def test_samples_stand_among_pictures_of_a_list(library, tmp_path):
    Image.new("RGB", (60, 40), (9, 9, 9)).save(tmp_path / "mine.png")
    found = library.pictures(("chelsea", str(tmp_path)), 32)
    assert [each.path.name for each in found] == ["chelsea.png", "mine.png"]
    with pytest.raises(DataError, match="there is no picture .*absent.png"):
        library.pictures((f"{tmp_path}/absent.png",), 32)
