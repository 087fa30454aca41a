import numpy as np
import pytest

from lecture_models.evaluators.param_cache import cached_params
from lecture_models.files import cache_folder

PARAMS = {"C1": {"kernel": np.arange(6.0).reshape(2, 3), "bias": np.ones(3, np.float32)}}


def never():
    raise AssertionError("computed although it is cached")


def assert_same(found):
    np.testing.assert_array_equal(found["C1"]["kernel"], PARAMS["C1"]["kernel"])
    assert found["C1"]["bias"].dtype == np.float32


def test_the_second_time_it_is_read(tmp_path):
    path = tmp_path / "new" / "params.npz"
    assert_same(cached_params(path, lambda: PARAMS))
    assert_same(cached_params(path, never))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_a_damaged_file_is_computed_again(tmp_path, content):
    path = tmp_path / "params.npz"
    path.write_bytes(content)
    assert_same(cached_params(path, lambda: PARAMS))
    assert_same(cached_params(path, never))


def test_a_pickled_file_is_not_opened(tmp_path):
    path = tmp_path / "params.npz"
    np.savez(path, kernel=np.array([object()]))
    assert_same(cached_params(path, lambda: PARAMS))


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "file").write_text("")
    assert_same(cached_params(tmp_path / "file" / "params.npz", lambda: PARAMS))


def test_the_cache_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "lecture_models"
