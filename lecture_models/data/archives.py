"""Reads whole files and archives into memory.

A file that is damaged or cannot be read is refused with a DataError that names it.
"""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from lecture_models.data.dataset import DataError, DataFile


def read_file(path: Path) -> tuple[bytes, DataFile]:
    """Returns the bytes of a file, and its path and SHA-256 for the provenance.

    Raises:
        DataError: the file is empty or cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if not content:
        raise DataError(f"{path} is empty: delete it and fetch it again")
    return content, DataFile(path, hashlib.sha256(content).hexdigest())


def read_unpacked(path: Path) -> tuple[bytes, DataFile]:
    """Reads a file as `read_file` does, and unpacks its content if its name ends in .gz.

    The SHA-256 is that of the file, not of its unpacked content.
    """
    content, record = read_file(path)
    return (gunzip(content, path) if path.suffix == ".gz" else content), record


def gunzip(packed: bytes, path: Path) -> bytes:
    """Returns the content of a gzip archive, and checks its length and CRC-32.

    Args:
        packed: the bytes of the archive.
        path: the file that error messages name.

    Raises:
        DataError: the archive is cut off or altered, or is not a gzip archive.
    """
    try:
        return gzip.decompress(packed)
    except EOFError as error:
        raise DataError(
            f"{path} is cut off: the gzip archive ends early, after {len(packed):,} bytes; "
            "delete it and fetch it again"
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{path} is damaged or not a gzip archive ({error}); delete it and fetch it again"
        ) from error


def tar_files(content: bytes, path: Path) -> Iterator[tuple[str, bytes]]:
    """Yields the name and the bytes of each file of a tar archive; writes nothing to the disk.

    Args:
        content: the bytes of the archive, which is not compressed.
        path: the file that error messages name.

    Raises:
        DataError: the archive is damaged, or a name is absolute or contains `..`.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for member in archive:
                name = member.name
                if name.startswith("/") or "\\" in name or ".." in name.split("/"):
                    raise DataError(
                        f"{path} holds the unsafe name {name!r}: do not use this archive"
                    )
                if member.isfile():
                    yield name, archive.extractfile(member).read()
    except tarfile.TarError as error:
        raise DataError(
            f"{path} is a damaged tar archive ({error}); delete it and fetch it again"
        ) from error
