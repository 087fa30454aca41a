"""Writes small data sets in the original formats for tests."""

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from lecture_models.data import idx, mnist
from lecture_models.data.cifar10 import CIFAR10


def mnist_arrays(num_train: int = 12, num_test: int = 4) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [
        array
        for count in (num_train, num_test)
        for array in (
            generator.integers(0, 256, (count, 28, 28), np.uint8),
            generator.integers(0, 10, count, np.uint8),
        )
    ]


def mnist_layout(arrays: list[np.ndarray]) -> mnist.MnistLayout:
    digests = tuple(hashlib.sha256(idx.serialize(array)).hexdigest() for array in arrays)
    return mnist.MNIST._replace(digests=digests, num_validation=2)


def write_mnist(folder: Path, arrays: list[np.ndarray], packed: bool = True) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(mnist.FILES, arrays, strict=True):
        content = idx.serialize(array)
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(content) if packed else content)


def cifar_batches(records: int = 4) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns five training batches and the test batch: NHWC images and labels."""
    generator = np.random.default_rng(1)
    return [
        (
            generator.integers(0, 256, (records, 32, 32, 3), np.uint8),
            generator.integers(0, 10, records, np.uint8),
        )
        for _ in range(6)
    ]


def cifar_records(images: np.ndarray, labels: np.ndarray) -> bytes:
    return b"".join(
        bytes([label]) + image.transpose(2, 0, 1).tobytes()
        for image, label in zip(images, labels, strict=True)
    )


def write_cifar(folder: Path, batches: list[tuple[np.ndarray, np.ndarray]], packed: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    for name, (images, labels) in zip(names, batches, strict=True):
        content = cifar_records(images, labels)
        path = folder / (f"{name}.bin.gz" if packed else f"{name}.bin")
        path.write_bytes(gzip.compress(content) if packed else content)


def jpeg(color: tuple[int, int, int], size: tuple[int, int] = (32, 32)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def tar_gz(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def jpeg_files(split: str, labels: list[int]) -> dict[str, bytes]:
    """Returns images; image k has the gray level 20 k, which tells its place in the order."""
    files, used = {}, dict.fromkeys(range(10), 0)
    for position, label in enumerate(labels):
        name = f"{split}/{CIFAR10.classes[label]}/{used[label]:04d}.jpg"
        files[name] = jpeg((20 * position,) * 3)
        used[label] += 1
    return files


def write_cifar_jpeg(folder: Path, train: list[int], test: list[int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for split, labels in (("train", train), ("test", test)):
        (folder / f"{split}.tar.gz").write_bytes(tar_gz(jpeg_files(split, labels)))
        content = idx.serialize(np.array(labels, np.uint8))
        (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(content))
