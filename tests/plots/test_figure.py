import pytest

from lecture_models.plots.figure import shorten


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tench, Tinca tinca", "tench"),
        ("crane", "crane"),
        ("a\nb", "a b"),
        ("cat, dog", "cat, dog"),
        ("hippopotamuses, hippos", "hippopotam…"),
    ],
)
def test_a_long_name_becomes_its_first_word_or_is_cut(name, expected):
    assert shorten(name, 11) == expected
