import numpy as np
import pytest
from PIL import Image

from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.tasks.picture_domains import read_domains


@pytest.fixture
def library(tmp_path):
    return Library(None, lambda line: None)


def folder(path, count, level):
    path.mkdir()
    for k in range(count):
        Image.new("RGB", (40, 30), (level, k, 0)).save(path / f"{k:02}.png")
    return str(path)


def test_digits_are_pairs_and_keep_their_size(library):
    domains = read_domains(library, "digits_inverted", ("", ""), 64)
    assert domains.is_paired
    assert domains.a.test.shape == domains.b.test.shape
    assert domains.a.train.shape[1:] == (28, 28, 3)
    np.testing.assert_array_equal(255 - domains.a.test, domains.b.test)


def test_own_folders_hold_out_every_tenth_picture(library, tmp_path):
    folders = folder(tmp_path / "a", 20, 0), folder(tmp_path / "b", 4, 200)
    domains = read_domains(library, "", folders, 16)
    assert not domains.is_paired
    assert (domains.a.name, domains.b.name) == ("a", "b")
    assert (len(domains.a.train), len(domains.a.test)) == (18, 2)
    assert domains.a.test[:, 0, 0, 1].tolist() == [9, 19]
    assert (len(domains.b.train), len(domains.b.test)) == (3, 1)
    assert domains.a.train.shape[1:] == (16, 16, 3)


def test_one_folder_the_same_twice_and_few_pictures_are_refused(library, tmp_path):
    first, few = folder(tmp_path / "a", 5, 0), folder(tmp_path / "few", 3, 0)
    with pytest.raises(DataError, match="--domain_a is given and --domain_b is not"):
        read_domains(library, "", (first, ""), 16)
    with pytest.raises(DataError, match="--domain_b is given and --domain_a is not"):
        read_domains(library, "", ("", first), 16)
    with pytest.raises(DataError, match="are both .*; they must differ"):
        read_domains(library, "", (first, f"{first}/"), 16)
    with pytest.raises(DataError, match="--domain_b is .*few, which has 3 pictures; .*at least 4"):
        read_domains(library, "", (first, few), 16)


def test_a_data_set_without_domains_is_refused(library):
    with pytest.raises(DataError, match="--dataset=digits does not have two domains"):
        read_domains(library, "digits", ("", ""), 16)
