"""Files and archives read whole into memory; every damage is a DataError that names the file."""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from lecture_models.data.dataset import DataError, DataFile


def read_file(path: Path) -> tuple[bytes, DataFile]:
    """The bytes of a file, and its record for the provenance.

    Raises DataError where the file is empty or cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if not content:
        raise DataError(f"{path} is empty: delete it and fetch it again")
    return content, DataFile(path, hashlib.sha256(content).hexdigest())


def read_unpacked(path: Path) -> tuple[bytes, DataFile]:
    """As `read_file`, with the content of a .gz file unpacked; the record is of the file itself."""
    content, record = read_file(path)
    return (gunzip(content, path) if path.suffix == ".gz" else content), record


def gunzip(packed: bytes, path: Path) -> bytes:
    """The content of a gzip archive, whose length and CRC-32 must be right.

    Raises DataError where the archive is cut off, altered, or no gzip archive.
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
            f"{path} is damaged or no gzip archive ({error}); delete it and fetch it again"
        ) from error


def tar_files(content: bytes, path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file of an unpacked tar archive; nothing is written to the disk.

    Raises DataError where the archive is damaged, or a name is absolute or climbs with `..`.
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
