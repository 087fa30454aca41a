import pytest

from lecture_models.runs.results import Measurement
from lecture_models.tables.table import TableRow, difference, published, verdict


def measured(mean, std, count=5):
    return Measurement(mean, std, count, ("a", "b"), "paper", "mnist (files)", "", "CPU")


def row(printed, ours, **fields):
    return TableRow("x", published(printed, "a paper"), ours, "counted", **fields)


@pytest.mark.parametrize(
    ("printed", "value", "half_width"),
    [
        ("1,728", 1728, 0.5),
        ("1000", 1000, 0.5),
        ("0.95 %", 0.95, 0.005),
        ("3.6 G", 3.6e9, 0.05e9),
        ("3.2M", 3.2e6, 0.05e6),
        ("24M", 24e6, 0.5e6),
        ("800K", 800e3, 50e3),
        ("150K", 150e3, 5e3),
        ("-25.5 %", -25.5, 0.05),
    ],
)
def test_a_printed_number_stands_for_what_rounds_to_it(printed, value, half_width):
    found = published(printed, "a paper")
    assert found.value == pytest.approx(value)
    assert found.half_width == pytest.approx(half_width)


@pytest.mark.parametrize("printed", ["55x55x96", "20h 42m", "none", "1, 1, 2", ""])
def test_anything_else_is_a_text(printed):
    assert published(printed, "a paper").value is None


@pytest.mark.parametrize(
    ("printed", "ours", "expected"),
    [
        ("1,728", 1728, "equal"),
        ("1,728", 1729, "short"),
        ("138M", 138_344_128, "equal"),
        ("138M", 138_600_000, "short"),
        ("2.33", 2.33, "equal"),
        ("55x55x96", "55x55x96", "equal"),
        ("55x55x96", "54x54x96", "short"),
        ("55x55x96", None, "not run"),
    ],
)
def test_verdicts_of_exact_values(printed, ours, expected):
    assert verdict(row(printed, ours)) == expected


@pytest.mark.parametrize(
    ("ours", "better", "expected"),
    [
        (measured(0.95, 0.05), "less", "within spread"),
        (measured(0.99, 0.05), "less", "within spread"),
        (measured(1.10, 0.05), "less", "short"),
        (measured(0.80, 0.05), "less", "better"),
        (measured(1.10, 0.05), "more", "better"),
        (measured(0.80, 0.05), "more", "short"),
    ],
)
def test_verdicts_of_trained_values(ours, better, expected):
    assert verdict(row("0.95 %", ours, better=better)) == expected


@pytest.mark.parametrize(("better", "beyond"), [("less", "short"), ("more", "better")])
def test_a_difference_of_exactly_the_spread_is_within_it(better, beyond):
    paper = published("4", "a paper", spread=0.5)  # Binary fractions, so that nothing is rounded.
    for std, edge in ((0.25, 0.5), (0.75, 0.75)):
        for mean, expected in ((4.0 + edge, "within spread"), (4.03125 + edge, beyond)):
            ours = measured(mean, std)
            assert verdict(TableRow("x", paper, ours, "runs", better=better)) == expected
    assert verdict(TableRow("x", paper, measured(3.5, 0.25), "runs", better=better)) == (
        "within spread"
    )


def test_the_larger_of_both_spreads_counts():
    paper = published("225", "a paper", spread=2.0)
    ours = measured(226.5, 0.1)
    assert verdict(TableRow("x", paper, ours, "runs", better="more")) == "within spread"


def test_a_source_without_a_value_is_ours_only():
    assert verdict(TableRow("x", None, 7, "counted")) == "ours only"
    assert verdict(TableRow("x", None, None, "counted")) == "not run"


def test_another_protocol_is_a_gap_however_good_it_is():
    ours = measured(0.5, None, count=1)
    assert verdict(row("0.95 %", ours, better="less", gap=True)) == "gap"


def test_a_single_run_cannot_fill_a_papers_cell():
    with pytest.raises(ValueError, match="a single run cannot fill"):
        verdict(row("0.95 %", measured(0.5, None, count=1), better="less"))


def test_a_trained_row_says_what_is_better():
    with pytest.raises(ValueError, match="better is ''; allowed: 'less' or 'more'"):
        verdict(row("0.95 %", measured(0.5, 0.1)))


def test_an_erratum_must_be_one():
    assert verdict(row("24M", 15_237_608, erratum="E1")) == "erratum"
    with pytest.raises(ValueError, match="24M is not an erratum: ours is equal"):
        verdict(row("24M", 24_100_000, erratum="E1"))


def test_differences_are_ours_less_the_published_value():
    assert difference(row("1,728", 1730)) == 2
    assert isinstance(difference(row("1,728", 1730)), int)
    assert difference(row("0.95 %", measured(0.90, 0.1))) == pytest.approx(-0.05)
    assert difference(row("55x55x96", "55x55x96")) is None
    assert difference(TableRow("x", None, 7, "counted")) is None
