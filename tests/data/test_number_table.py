import numpy as np
import pytest

from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.data.number_table import read_number_table


def written(tmp_path, text):
    path = tmp_path / "points.csv"
    path.write_text(text, "utf-8")
    return path


def read(path):
    return read_number_table("--table", str(path))


def test_a_header_names_the_columns_and_words_become_classes(tmp_path):
    table = read(written(tmp_path, "x,y,kind\n1,2.5,b\n-3,1e2,a\n"))
    assert table.columns == ("x", "y")
    np.testing.assert_array_equal(table.values, [[1.0, 2.5], [-3.0, 100.0]])
    assert table.classes == ("a", "b")
    assert table.labels.tolist() == [1, 0]


@pytest.mark.parametrize("text", ["1,2\n3,4\n", "1;2\r\n3;4\r\n", "\ufeff1\t2\n\n3\t4"])
def test_without_a_header_columns_are_numbered_whatever_divides_them(tmp_path, text):
    table = read(written(tmp_path, text))
    assert table.columns == ("column 1", "column 2")
    np.testing.assert_array_equal(table.values, [[1.0, 2.0], [3.0, 4.0]])
    assert table.labels is None


def test_a_quoted_cell_may_hold_the_delimiter(tmp_path):
    table = read(written(tmp_path, '"length, cm",width\n1,2\n'))
    assert table.columns == ("length, cm", "width")


def test_a_column_is_found_by_its_name(tmp_path):
    table = read(written(tmp_path, "x,y\n1,2\n"))
    assert table.column("x", "--target") == 0
    assert table.column("", "--target") == 1
    with pytest.raises(DataError, match="--target is z; the table has the columns"):
        table.column("z", "--target")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,2\n3\n", "line 3 has 1 cells; it must have 2"),
        ("x,y\n1,2\n3,\n", "line 3 has ''; it must be a finite number"),
        ("x,y\n1,2\n3,nan\n", "line 3 has 'nan'; it must be a finite number"),
        ("x,y\n1,2\n3,four\n", "line 3 has 'four'; it must be a finite number"),
        ("x,a,b\n1,u,v\n", "several columns of words"),
        ("a\nu\nv\n", "no column of numbers"),
        ("x,y\n", "has no line of numbers"),
        ("\n", "no line of numbers"),
        ("", "is empty"),
    ],
)
def test_damaged_tables_are_refused_with_the_line(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(written(tmp_path, text))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "picture.csv"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(DataError, match="not a text file in UTF-8"):
        read(path)


def test_the_library_records_the_table(tmp_path):
    path = written(tmp_path, "x,y\n1,2\n3,4\n")
    library = Library(None, print)
    table = library.numbers("--table", str(path))
    assert library.numbers("--table", str(path)) is table
    assert library.provenance == (table.provenance,)
    assert table.provenance.source == "points.csv: 2 lines of 2 numbers"
    assert table.provenance.files[0].path == path
    with pytest.raises(DataError, match="absent.csv cannot be read"):
        library.numbers("--table", str(tmp_path / "absent.csv"))
