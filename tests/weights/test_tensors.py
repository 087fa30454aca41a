import hashlib
import pickle

import numpy as np
import pytest
from safetensors.numpy import save_file

from lecture_models.weights import tensors
from lecture_models.weights.error import WeightsError


def test_half_precision_is_read_as_float32_to_the_last_bit(tmp_path):
    half = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float16)
    counts = np.array(7, np.int64)
    save_file({"half": half, "counts": counts}, tmp_path / "a.safetensors")
    found = tensors.read(tmp_path / "a.safetensors")
    assert found["half"].dtype == np.float32
    np.testing.assert_array_equal(found["half"], half.astype(np.float32))
    assert found["counts"].dtype == np.int64


def test_the_digest_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    assert tensors.sha256(tmp_path / "a") == hashlib.sha256(b"content").hexdigest()


class Trap:
    def __reduce__(self):
        return pytest.fail, ("it was unpickled",)


@pytest.mark.parametrize(
    "content",
    [b"", b"x" * 5, b"\xff" * 4000, pickle.dumps(Trap())],
    ids=["empty", "short", "absurd header", "pickle"],
)
def test_another_format_is_a_one_line_error_and_never_unpickled(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(
        WeightsError, match=f"^{path} is cut off or not a safetensors file"
    ) as caught:
        tensors.read(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_was_cut_off_is_a_one_line_error(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"a": np.zeros(1000, np.float32)}, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="is cut off or not a safetensors file"):
        tensors.read(path)


def test_an_absent_file_is_a_one_line_error(tmp_path):
    with pytest.raises(WeightsError, match="is cut off or not a safetensors file"):
        tensors.read(tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match="cannot be read: No such file"):
        tensors.sha256(tmp_path / "a.safetensors")
