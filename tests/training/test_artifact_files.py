"""Tests the files of artifacts: readable, equal after a kill and a resume, refused by name."""

import csv
import io
import json
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, ImageSequence
from scipy.io import wavfile

from lecture_models.experiment import (
    Animation,
    AnnotatedImages,
    ArrayFile,
    DataTable,
    Images,
    LabeledBox,
    Midi,
    Sound,
)
from lecture_models.plots.overlay import draw_overlay
from lecture_models.plots.png import tile
from lecture_models.training.artifact_files import encode_artifact, read_table
from tests.training.sessions import Config, run_session, signals_at
from tests.training.toy import toy_experiment

RATE = 8_000
# A track without notes.
MIDI = b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk\0\0\0\x04\0\xff\x2f\0"
FILES = {
    "melody": "sounds/melody_{:08d}.wav",
    "score": "scores/score_{:08d}.mid",
    "motion": "animations/motion_{:08d}.gif",
    "weights_table": "data_tables/weights_table_{:08d}.csv",
    "raw": "arrays/raw_{:08d}.npy",
    "detections": "images/detections_{:08d}.png",
    "picture": "images/picture_{:08d}.png",
}


def evaluate(state, key):
    """Returns one artifact of each kind, all of which depend on the state."""
    phases = jnp.arange(RATE) / RATE * 440.0 * jnp.tanh(state.weights[0])
    frames = jnp.tanh(state.weights / 5.0).reshape(5, 1, 1, 1) * jnp.linspace(-1, 1, 36).reshape(
        1, 6, 6, 1
    )
    box = LabeledBox(1.0, 2.0, 6.0, 7.0, "cat", 0.9)
    pixels = jax.random.uniform(key, (2, 8, 8, 3), minval=-1.0)
    masks = (pixels[..., 0] > 0).astype(int)
    rows = tuple((index, weight, "a,b\nc") for index, weight in enumerate(state.weights))
    return {
        "melody": Sound(0.5 * jnp.sin(2 * jnp.pi * phases), RATE, "a tone: ♪"),
        "score": Midi(MIDI + bytes(4), "no notes"),
        "motion": Animation(frames, 0.2, "five frames"),
        "weights_table": DataTable(("index", "weight", "text"), rows, "weights"),
        "raw": ArrayFile(pixels[0], "one picture"),
        "detections": AnnotatedImages(pixels, ((box,), ()), masks, 2, "a cat"),
        "picture": Images(pixels, 2, "the same"),
        "report": "one line\n" * 100,
    }


def run(path):
    experiment = toy_experiment()._replace(evaluate=evaluate)
    return run_session(path, Config(checkpoint_every=8), experiment)


def write_artifact(*arguments):
    return encode_artifact(*arguments).write()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    assert run(folder) == 0
    return folder


def evaluations(folder):
    lines = (folder / "metrics.jsonl").read_text("utf-8").splitlines()
    return {record["step"]: record for record in map(json.loads, lines) if "eval" in record}


@pytest.mark.slow
def test_every_evaluation_writes_one_file_of_each_kind(whole):
    records = evaluations(whole)
    assert sorted(records) == [2, 4, 6, 8]
    for step, record in records.items():
        assert {name: entry["file"] for name, entry in record["artifacts"].items()} == {
            name: path.format(step) for name, path in FILES.items()
        }
        assert all((whole / entry["file"]).is_file() for entry in record["artifacts"].values())
    assert records[8]["artifacts"]["melody"]["caption"] == "a tone: ♪"
    assert records[8]["texts"]["report"].count("\n") == 100


def test_a_sound_is_read_back_with_its_rate_length_and_samples(whole):
    rate, samples = wavfile.read(whole / FILES["melody"].format(8))
    assert (rate, samples.shape, samples.dtype) == (RATE, (RATE,), np.int16)
    assert samples.max() == pytest.approx(0.5 * 32_767, rel=0.01)


def test_an_array_is_read_back_by_numpy(tmp_path):
    for values in (np.float32([[0.1, -2.0]]), jnp.arange(3), np.array(True)):
        path = write_artifact(tmp_path, "raw", 5, ArrayFile(values), {})
        assert path == tmp_path / "arrays" / "raw_00000005.npy"
        found = np.load(path, allow_pickle=False)
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found, values)


def test_a_score_is_written_byte_by_byte(whole):
    assert (whole / FILES["score"].format(8)).read_bytes() == MIDI + bytes(4)


def test_an_animation_has_its_frames_and_their_time(whole):
    with Image.open(whole / FILES["motion"].format(8)) as gif:
        frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(gif)]
        assert (gif.info["duration"], gif.info["loop"]) == (200, 0)
    assert len(frames) == 5
    assert frames[0].shape == (6, 6)
    assert len({int(frame.max()) for frame in frames}) == 5


def test_the_frames_of_a_gray_animation_keep_their_levels(tmp_path):
    frames = np.linspace(-1, 1, 3 * 5 * 4, dtype=np.float32).reshape(3, 5, 4, 1)
    with Image.open(write_artifact(tmp_path, "a", 1, Animation(frames), {})) as gif:
        for expected, frame in zip(frames, ImageSequence.Iterator(gif), strict=True):
            levels = np.asarray(frame.convert("L"))
            np.testing.assert_array_equal(levels, tile(expected[None], 1)[..., 0])


def test_an_animation_in_color_with_a_frame_of_nan_is_written(tmp_path):
    frames = np.zeros((2, 5, 4, 1), np.float32)
    frames[1] = np.nan
    with Image.open(write_artifact(tmp_path, "a", 1, Animation(frames), {})) as gif:
        gif.seek(1)
        assert gif.convert("RGB").getpixel((0, 0)) == (255, 0, 255)


def test_a_table_is_read_back(whole):
    text = (whole / FILES["weights_table"].format(8)).read_text("utf-8")
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["index", "weight", "text"]
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "4"]
    assert all(np.isfinite(float(row[1])) and row[2] == "a,b\nc" for row in rows)


def test_a_table_with_line_breaks_in_its_texts_is_read_as_it_was(tmp_path):
    table = DataTable(("name", "value"), (("a,b\nc", 1), ("d\u2028", 0.5)), "two rows")
    path = write_artifact(tmp_path, "a", 1, table, {})
    assert read_table(path, "two rows") == table


def test_annotated_images_are_an_ordinary_picture(whole):
    with Image.open(whole / FILES["detections"].format(8)) as picture:
        picture.load()
        assert picture.size == (2 * 160 + 2, 160)
        assert (picture.text["Caption"], picture.text["Step"]) == ("a cat", "8")


def test_a_run_that_was_killed_and_resumed_leaves_the_same_files(whole, tmp_path):
    with signals_at(4, signal.SIGTERM):
        assert run(tmp_path) == 128 + signal.SIGTERM
    # A kill after step 6 leaves files that no checkpoint has seen.
    for path in FILES.values():
        (tmp_path / path.format(6)).write_bytes(b"of a killed run")
    (tmp_path / "sounds" / ".melody_00000004.wav.abcdefgh.partial").write_bytes(b"half")
    assert run(tmp_path) == 0
    for kind in ("images", "sounds", "scores", "animations", "data_tables"):
        expected = {path.name: path.read_bytes() for path in (whole / kind).iterdir()}
        assert {path.name: path.read_bytes() for path in (tmp_path / kind).iterdir()} == expected
    assert evaluations(tmp_path) == evaluations(whole)


def test_images_are_written_as_before(tmp_path):
    """The pixels are those of `tile`; annotations change only what is drawn."""
    pixels = np.linspace(-1, 1, 2 * 4 * 4 * 1, dtype=np.float32).reshape(2, 4, 4, 1)
    path = write_artifact(tmp_path, "a", 1, Images(pixels, 2), {})
    with Image.open(path) as picture:
        np.testing.assert_array_equal(np.asarray(picture), tile(pixels, 2)[..., 0])
    path = write_artifact(tmp_path, "b", 1, AnnotatedImages(pixels, columns=2), {})
    with Image.open(path) as picture:
        np.testing.assert_array_equal(np.asarray(picture), tile(draw_overlay(pixels), 2))


def test_a_stereo_sound_keeps_its_channels(tmp_path):
    samples = np.stack([np.ones(10), -np.ones(10)], axis=1)
    rate, read = wavfile.read(write_artifact(tmp_path, "a", 1, Sound(samples, np.int64(4)), {}))
    assert (rate, read.shape) == (4, (10, 2))
    assert read[0].tolist() == [32_767, -32_767]


TONE = np.zeros(4, np.float32)
FRAMES = np.zeros((2, 3, 3, 1), np.float32)
REFUSED = {
    "samples outside": (Sound(TONE + 1.5, 8), "its samples are from 1.5 to 1.5; they must be in"),
    "samples not finite": (Sound(TONE * np.nan, 8), "its samples are not all finite"),
    "integer samples": (Sound(np.zeros(4, np.int16), 8), "its samples are of type int16"),
    "no samples": (Sound(TONE[:0], 8), r"its samples have shape \(0,\)"),
    "samples of three axes": (Sound(FRAMES[0], 8), r"its samples have shape \(3, 3, 1\)"),
    "rate 0": (Sound(TONE, 0), "its rate is 0; it must be a whole number of Hz from 1"),
    "fractional rate": (Sound(TONE, 44.1), "its rate is 44.1; it must be a whole number"),
    "not MIDI": (Midi(b"RIFF1234"), "its content begins with b'RIFF'; a Standard MIDI File begins"),
    "a text as MIDI": (Midi("MThd"), "its content is of type str; it must be bytes"),
    "a single frame": (Animation(FRAMES[0]), r"its frames have shape \(3, 3, 1\)"),
    "no frames": (Animation(FRAMES[:0]), r"its frames have shape \(0, 3, 3, 1\)"),
    "frames too short": (Animation(FRAMES, 0.001), "its seconds_per_frame is 0.001; it must be"),
    "frames without time": (Animation(FRAMES, np.nan), "its seconds_per_frame is nan; it must be"),
    "two channels": (Animation(np.zeros((2, 3, 3, 2), np.float32)), "shape"),
    "a short row": (DataTable(("a", "b"), ((1, 2), (1,))), "row 1 has 1 entries; it must have 2"),
    "an array in a row": (DataTable(("a",), ((TONE,),)), "row 0 has the entry array"),
    "nothing in a row": (DataTable(("a",), ((None,),)), "row 0 has the entry None; it must be"),
    "texts in an array": (ArrayFile(np.array(["a"])), "its values are of type <U1; they must be"),
    "no columns": (DataTable((), ()), r"its columns are \(\); they must be one or more texts"),
    "boxes of another image": (AnnotatedImages(FRAMES, ((),)), "boxes for 1 images, but 2 images"),
    "images of no color": (Images(FRAMES[..., :0]), "shape"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_written_is_refused_in_one_line_with_its_name(tmp_path, case):
    artifact, message = REFUSED[case]
    expected = f"^evaluate returned {type(artifact).__name__} 'thing': .*{message}"
    with pytest.raises(ValueError, match=expected) as refusal:
        write_artifact(tmp_path, "thing", 1, artifact, {})
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.rglob("*_*"))


def test_a_name_with_a_slash_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Midi 'a/b': its name holds a slash"):
        write_artifact(tmp_path, "a/b", 1, Midi(MIDI), {})
