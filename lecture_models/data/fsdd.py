"""Reads the Free Spoken Digit Dataset: digits from 0 to 9 by six speakers, 50 takes each.

Source: https://github.com/Jakobovski/free-spoken-digit-dataset, 3,000 WAV files of 16 bits at
8 kHz, as a folder `fsdd/recordings` or packed as `fsdd/recordings.tar.gz`. There is no published
checksum.
"""

from pathlib import Path

from lecture_models.data.dataset import DataAbsentError, Dataset, Provenance
from lecture_models.data.labeled_sounds import RATE, parse_sounds, sound_dataset, sound_files

FOLDER = "fsdd"
PLACES = ("recordings.tar.gz", "recordings.tar", "recordings")


def read(data_dir: Path) -> Dataset:
    """Returns the digits as `sound_dataset` does.

    Raises:
        DataAbsentError: there is neither the archive nor the folder.
        DataError: a file is damaged, or is not named {digit}_{speaker}_{take}.wav.
    """
    places = [data_dir / FOLDER / place for place in PLACES]
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise DataAbsentError(f"{FOLDER}/{PLACES[0]} does not exist in {data_dir}")
    contents, files = sound_files("--data_dir", found)
    sounds = parse_sounds(contents, str(found))
    note = "" if len(sounds) == 3_000 else f"{len(sounds):,} of the 3,000 recordings"
    return sound_dataset(sounds, Provenance("fsdd", f"WAV files, {RATE} Hz", files, note))
