"""Writes the artifacts that `evaluate` returns: images, animations, sounds, tables, arrays."""

import contextlib
import csv
import io
import math
import operator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from lecture_models import files
from lecture_models.experiment import (
    Animation,
    AnnotatedImages,
    ArrayFile,
    Artifact,
    DataTable,
    Images,
    Midi,
    Sound,
)
from lecture_models.plots import png
from lecture_models.plots.gif import encode_gif, with_palette
from lecture_models.plots.overlay import draw_overlay
from lecture_models.runs import artifacts
from lecture_models.runs.artifacts import ArtifactKind, artifact_path

KINDS: dict[type, ArtifactKind] = {
    Images: artifacts.IMAGES,
    AnnotatedImages: artifacts.IMAGES,
    Animation: artifacts.ANIMATIONS,
    Sound: artifacts.SOUNDS,
    Midi: artifacts.SCORES,
    DataTable: artifacts.DATA_TABLES,
    ArrayFile: artifacts.ARRAYS,
}
# Browsers slow a shorter frame down to 0.1 s, and a GIF counts to 65,535 hundredths.
SHORTEST_FRAME_S, LONGEST_FRAME_S = 0.02, 600.0
HIGHEST_RATE = 1_000_000  # Hz.
HIGHEST_SAMPLE = 32_767  # Of 16 bits; the scale is the same for positive and negative samples.


class EncodedArtifact(NamedTuple):
    """Holds the file of an artifact before it is written.

    Attributes:
        path: the place of the file in the run's folder.
        content: the content of the file.
        caption: the caption of the artifact.
    """

    path: Path
    content: bytes
    caption: str

    @property
    def record(self) -> dict[str, str]:
        """Returns what metrics.jsonl says of the artifact."""
        return {"file": f"{self.path.parent.name}/{self.path.name}", "caption": self.caption}

    def write(self) -> Path:
        """Writes the file; a kill at any moment leaves the whole file or none.

        Returns the path. Raises OSError if the disk refuses it.
        """
        self.path.parent.mkdir(exist_ok=True)
        files.write_bytes(self.path, self.content)
        return self.path


def encode_artifact(
    run_folder: Path, name: str, step: int, artifact: Artifact, metadata: dict[str, str]
) -> EncodedArtifact:
    """Returns the file of an artifact before it is written. Equal artifacts give equal bytes.

    Args:
        run_folder: folder of the run.
        name: name of the result in what `evaluate` returned.
        step: number of steps done.
        artifact: what is written.
        metadata: texts for the PNG file, which also gets `Step` and `Caption`.

    Raises:
        ValueError: the artifact cannot be written as it is; one line that names it.
    """
    kind = KINDS[type(artifact)]
    try:
        file_name = artifact.file_name if isinstance(artifact, Images) else ""
        path = artifact_path(run_folder, kind, name, step, file_name)
        if kind == artifacts.IMAGES:
            texts = metadata | {"Step": str(step), "Caption": artifact.caption}
            content = png.encode_png(_grid(artifact), texts)
        else:
            content = _ENCODERS[type(artifact)](artifact)
    except ValueError as error:
        raise ValueError(
            f"evaluate returned {type(artifact).__name__} {name!r}: {error}"
        ) from error
    return EncodedArtifact(path, content, artifact.caption)


def plain_table(table: DataTable) -> DataTable:
    """Returns the table with numbers and texts of Python in place of 0-d arrays.

    Raises ValueError if a row does not have one number or text for each column.
    """
    if not table.columns or not all(isinstance(column, str) for column in table.columns):
        raise ValueError(f"its columns are {table.columns!r}; they must be one or more texts")
    rows = []
    for index, row in enumerate(table.rows):
        if len(row) != len(table.columns):
            raise ValueError(
                f"row {index} has {len(row)} entries; it must have {len(table.columns)}, one for "
                "each column"
            )
        rows.append(tuple(_plain_entry(entry, index) for entry in row))
    return table._replace(columns=tuple(table.columns), rows=tuple(rows))


def read_table(path: Path, caption: str) -> DataTable:
    """Reads the table that was written to a CSV file; what reads as a number becomes one.

    Raises ValueError or OSError if the file is damaged.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            columns, *rows = csv.reader(file)
    except csv.Error as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    read = tuple(tuple(map(_read_entry, row)) for row in rows)
    return DataTable(tuple(columns), read, caption)


def _read_entry(text: str) -> int | float | str:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _plain_entry(entry: Any, row: int) -> int | float | str:
    if isinstance(entry, str):
        return entry
    array = np.asarray(jax.device_get(entry))
    # jax knows that extension types such as bfloat16 are numbers; NumPy does not.
    kinds = (jnp.floating, jnp.integer, jnp.bool_)
    if array.ndim != 0 or not any(jnp.issubdtype(array.dtype, kind) for kind in kinds):
        raise ValueError(f"row {row} has the entry {entry!r}; it must be a number or a text")
    return array.item()


def _grid(images: Images | AnnotatedImages) -> np.ndarray:
    pixels = images.pixels
    if isinstance(images, AnnotatedImages):
        pixels = draw_overlay(pixels, images.boxes, images.masks)
    return png.tile(pixels, images.columns)


def _gif(animation: Animation) -> bytes:
    seconds = float(animation.seconds_per_frame)
    if not SHORTEST_FRAME_S <= seconds <= LONGEST_FRAME_S:
        raise ValueError(
            f"its seconds_per_frame is {seconds:g}; it must be from {SHORTEST_FRAME_S} to "
            f"{LONGEST_FRAME_S:g}"
        )
    pixels = np.asarray(animation.frames)
    if pixels.ndim != 4 or len(pixels) == 0:
        raise ValueError(
            f"its frames have shape {pixels.shape}; it must be (frame, height, width, 1 or 3), "
            "none 0"
        )
    frames = [png.tile(frame[None], 1) for frame in pixels]
    # A frame with NaN is RGB among gray ones.
    gray = all(frame.shape[-1] == 1 for frame in frames)
    images = [
        Image.fromarray(frame.squeeze(-1) if frame.shape[-1] == 1 else frame) for frame in frames
    ]
    encoded = [with_palette(image if gray else image.convert("RGB")) for image in images]
    return encode_gif(encoded, [10 * round(100 * seconds)] * len(encoded))


def _wav(sound: Sound) -> bytes:
    from scipy.io import wavfile  # Only when used: most experiments have no sound.

    samples = np.asarray(sound.samples)
    if not jnp.issubdtype(samples.dtype, jnp.floating):
        raise ValueError(f"its samples are of type {samples.dtype}; they must be floats in [-1, 1]")
    if samples.ndim not in (1, 2) or 0 in samples.shape:
        raise ValueError(
            f"its samples have shape {samples.shape}; it must be (frame,) or (frame, channel), "
            "none 0"
        )
    if not np.isfinite(samples).all():
        raise ValueError("its samples are not all finite")
    lowest, highest = float(samples.min()), float(samples.max())
    if lowest < -1.0 or highest > 1.0:
        raise ValueError(f"its samples are from {lowest:g} to {highest:g}; they must be in [-1, 1]")
    rate = _whole(sound.rate)
    if not 1 <= rate <= HIGHEST_RATE:
        raise ValueError(
            f"its rate is {sound.rate}; it must be a whole number of Hz from 1 to {HIGHEST_RATE:,}"
        )
    content = io.BytesIO()
    levels = np.rint(samples.astype(np.float64) * HIGHEST_SAMPLE).astype(np.int16)
    wavfile.write(content, rate, levels)
    return content.getvalue()


def _whole(number: Any) -> int:
    """Returns an integer; 0 for what is not one, such as 44.1."""
    try:
        return operator.index(number)
    except TypeError:
        number = float(number)
        return int(number) if math.isfinite(number) and number == int(number) else 0


def _mid(score: Midi) -> bytes:
    content = score.content
    if not isinstance(content, bytes):
        raise ValueError(f"its content is of type {type(content).__name__}; it must be bytes")
    if not content.startswith(b"MThd"):
        raise ValueError(
            f"its content begins with {content[:4]!r}; a Standard MIDI File begins with b'MThd'"
        )
    return content


def _csv(table: DataTable) -> bytes:
    table = plain_table(table)
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    writer.writerows([table.columns, *table.rows])
    return content.getvalue().encode()


def _npy(array: ArrayFile) -> bytes:
    values = np.asarray(array.values)
    if values.dtype.kind not in "biufc":
        raise ValueError(
            f"its values are of type {values.dtype}; they must be numbers or booleans of NumPy"
        )
    content = io.BytesIO()
    np.save(content, values, allow_pickle=False)
    return content.getvalue()


_ENCODERS = {Animation: _gif, Sound: _wav, Midi: _mid, DataTable: _csv, ArrayFile: _npy}
