import numpy as np
import pytest

from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library


def read(tmp_path, text):
    path = tmp_path / "points.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    library = Library(None, print)
    return library.table("--points", str(path)), library


def test_the_last_column_is_the_class(tmp_path):
    table, library = read(tmp_path, "1,2.5,b\n-3,4,a\n\n5,6,b\n")
    np.testing.assert_array_equal(table.points, [[1.0, 2.5], [-3.0, 4.0], [5.0, 6.0]])
    assert table.labels.tolist() == [1, 0, 1]
    assert table.classes == ("a", "b")
    assert table.columns == ("x1", "x2")
    assert library.provenance == (table.provenance,)
    assert table.provenance.source == "points.csv: 3 points of 2 numbers"


def test_a_first_line_of_words_names_the_columns(tmp_path):
    table, _ = read(tmp_path, "\ufeffwidth, height,kind\n1,2,0\n3,4,1\n")
    assert table.columns == ("width", "height")
    assert len(table.points) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y,kind\n", "has no points"),
        ("a\nb\n", "has 1 column"),
        ("1,2,a\n1,a\n", "line 2 has 2 cells; it must have 3"),
        ("1,2,a\n1,,a\n", "line 2 has ''; it must be a finite number"),
        ("1,2,a\n1,nan,a\n", "line 2 has 'nan'; it must be a finite number"),
        ("1,2,a\n1,2, \n", "line 2 has no class"),
        (b"\xff\xfe1,2", "is not a text file in UTF-8"),
    ],
)
def test_what_is_not_a_table_of_points_is_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(DataError, match="absent.csv cannot be read"):
        Library(None, print).table("--points", str(tmp_path / "absent.csv"))
