import itertools

import pytest

from lecture_models.data.abc_notation import AbcError, read_tune, split_tunes
from lecture_models.data.abc_tunes import make_tunes, plain_tunes, read_irish
from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.lookup import Library


def texts(dataset):
    vocabulary = dataset.vocabularies["tokens"]
    return ["".join(vocabulary[token] for token in split["tokens"].values) for split in dataset[:3]]


def own(path):
    return Library(None, print).tunes("--tunes", str(path))


def write(path, count, end="\n"):
    tunes = [f"X:{n}\nT:Tune {n}\nZ: id:{n}\nM:4/4\nK:C\nCDEF GABc|" for n in range(count)]
    path.write_bytes((f"{end}{end}".join(tune.replace("\n", end) for tune in tunes)).encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tunes_are_split_as_wholes(tmp_path, end):
    parts = [split_tunes(text) for text in texts(own(write(tmp_path / "a.abc", 20, end)))]
    assert [len(part) for part in parts] == [18, 1, 1]
    titles = [read_tune(tune).title for part in parts for tune in part]
    assert sorted(titles) == sorted(f"Tune {number}" for number in range(20))
    assert titles != [f"Tune {number}" for number in range(20)]


def test_numbers_and_sources_are_left_out_and_so_is_what_is_no_tune():
    text = "A collection.\n\nX:17\nT:One\nZ: who\nK:C\nC|\n\nK:D\nD|"
    assert plain_tunes(text) == ["X:1\nT:One\nK:C\nC|"]


def test_files_without_tunes_are_refused(tmp_path):
    with pytest.raises(DataError, match="has 9 tunes, .* at least 10"):
        own(write(tmp_path / "a.abc", 9))
    with pytest.raises(DataError, match="--tunes=.* is not a file; it must hold tunes in ABC"):
        own(tmp_path)
    (tmp_path / "b.abc").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="is not UTF-8"):
        own(tmp_path / "b.abc")


def test_another_file_in_the_place_of_the_published_one_is_refused(tmp_path):
    with pytest.raises(DataAbsentError, match="irish.abc does not exist in"):
        read_irish(tmp_path)
    folder = tmp_path / "text" / "irish-abc"
    folder.mkdir(parents=True)
    write(folder / "irish.abc", 12)
    with pytest.raises(DataError, match="it must be df3782.*; delete it and fetch it again, or"):
        read_irish(tmp_path)


def test_made_tunes_have_full_bars():
    train, validation, test = (split_tunes(text) for text in texts(make_tunes()))
    assert (len(train), len(validation), len(test)) == (270, 15, 15)
    for tune in validation:
        bars = read_tune(tune).bars
        assert len(bars) == 8
        assert all(bar.is_full for bar in bars)


@pytest.mark.real_data
def test_nearly_all_irish_tunes_are_read_and_their_inner_bars_are_full(real_data):
    if not (real_data / "text" / "irish-abc" / "irish.abc").is_file():
        pytest.skip("irish.abc is absent")
    parts = [split_tunes(text) for text in texts(read_irish(real_data))]
    assert [len(part) for part in parts] == [723, 40, 41]
    read, bars = 0, []
    for tune in itertools.chain(*parts):
        try:
            bars += [bar for bar in read_tune(tune).bars if bar.inner]
        except AbcError:
            continue
        read += 1
    assert read >= 798
    assert sum(bar.is_full for bar in bars) > 0.997 * len(bars)
