import csv
import html.parser
import io
import json

import pytest

from lecture_models.runs.results import Measurement
from lecture_models.tables.formats import FORMATS, legend, terminal
from lecture_models.tables.table import Extra, Table, TableRow, published
from tests.reports.markup import ATTACKS, assert_harmless

MEASURED = Measurement(0.931, 0.052, 3, ("a/0", "a/1"), "paper", "mnist (files)", "", "a CPU")
TABLE = Table(
    rows=(
        TableRow("weights | of <conv1>", published("1,728", "slide"), 1728, "counted"),
        TableRow("total", published("24M", "slide"), 15_237_608, "summed", erratum='E1: "<24M>"'),
        TableRow(
            "error, %", published("0.95 %", "paper", spread=0.1), MEASURED, "runs", better="less"
        ),
        TableRow("loss", None, 1.2345, "traced", decimals=3),
        TableRow("shape", published("5x5", "slide"), None, "no run"),
    ),
    notes=("A note.",),
    name="tiny",
    title="A tiny table.",
    source="a slide & a paper",
)
GOLDEN = r"""## A tiny table.

Source: a slide & a paper

| what                  | published    | ours                | difference          | verdict       | how ours was obtained | remarks |
| --------------------- | ------------ | ------------------- | ------------------- | ------------- | --------------------- | ------- |
| weights \| of <conv1> | 1,728        | 1,728               | 0                   | equal         | counted               | [1]     |
| total                 | 24M          | 15,237,608          | -8,762,392 (-36.5%) | erratum       | summed                | [1] [2] |
| error, %              | 0.95 % ± 0.1 | 0.93 ± 0.05 (n = 3) | -0.02 (-2.0%)       | within spread | runs                  | [3]     |
| loss                  | -            | 1.234               | -                   | ours only     | traced                |         |
| shape                 | 5x5          | -                   | -                   | not run       | no run                | [1]     |

- [1] published in: slide
- [2] E1: "<24M>"
- [3] published in: paper
- equal: ours equals the published value when rounded to its digits
- within spread: trained; the means differ by at most the larger standard deviation
- erratum: the published value is wrong or misleading; see the remark
- not run: no finished run here fills this row
- ours only: the source prints no value
- A note.
"""  # noqa: E501


def test_a_spread_below_the_last_decimal_is_not_shown_as_zero():
    measured = MEASURED._replace(mean=9.9123, std=0.0004)
    row = TableRow("error, %", published("9.9 %", "paper"), measured, "runs", better="less")
    assert "| 9.91 ± 0.0004000 (n = 3) |" in FORMATS[".md"](TABLE._replace(rows=(row,)))


class Reader(html.parser.HTMLParser):
    """The cells of every row of every table."""

    def __init__(self):
        super().__init__()
        self.rows, self.inside = [], False

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


def test_markdown_is_lined_up_and_cannot_be_broken_by_a_cell():
    assert FORMATS[".md"](TABLE) == GOLDEN


def test_a_long_cell_does_not_push_the_others_apart():
    long = TableRow("x" * 200, None, 1, "counted")
    lines = FORMATS[".md"](TABLE._replace(rows=(*TABLE.rows, long))).splitlines()
    assert lines[4:11] == GOLDEN.splitlines()[4:11]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_terminal_shows_every_word_of_a_table_within_its_width(width):
    long = TableRow("a very long name, " * 9, published("5x5 [b]x[/b]", "slide"), 3.0, "runs")
    extras = tuple(Extra(f"property-{number}", f"value-{number}") for number in range(9))
    table = TABLE._replace(rows=(*TABLE.rows, long._replace(extras=extras)))
    text = terminal(table, width)
    assert max(map(len, text.splitlines())) <= width
    words = {word for row in table.rows for word in row.label.split()}
    words |= {"15,237,608", "-8,762,392", "[b]x[/b]", "E1:", '"<24M>"', "counted", "[6]"}
    words |= {word for extra in extras for word in (extra.name, extra.value)}
    assert words <= {*text.split()}


def test_html_parses_back_with_everything_escaped():
    text = FORMATS[".html"](TABLE)
    reader = Reader()
    reader.feed(text)
    assert len(reader.rows) == 1 + len(TABLE.rows)
    assert reader.rows[1][0] == "weights | of <conv1>"
    assert reader.rows[3][2] == "0.93 ± 0.05 (n = 3)"
    assert "<conv1>" not in text
    assert "&lt;24M&gt;" in text
    assert "http" not in text.replace("http-equiv", "")


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_of_a_table_becomes_markup(attack):
    row = TableRow(attack, published(attack, attack), attack, attack, erratum=attack)
    other = TableRow(attack, published("1", attack), 1, attack)
    table = Table((row._replace(ours="x"), other), (attack,), attack, attack, attack)
    assert_harmless(FORMATS[".html"](table), attack)


def test_csv_parses_back_in_full_precision():
    rows = list(csv.DictReader(io.StringIO(FORMATS[".csv"](TABLE))))
    assert [row["what"] for row in rows] == [row.label for row in TABLE.rows]
    assert rows[1]["difference"] == "-8762392"
    assert rows[1]["erratum"] == 'E1: "<24M>"'
    assert float(rows[2]["ours"]) == 0.931
    assert rows[2]["seeds"] == "3"
    assert rows[2]["runs"] == "a/0 a/1"
    assert rows[4]["ours"] == ""
    assert rows[4]["verdict"] == "not run"


def test_json_parses_back_with_numbers_as_numbers():
    found = json.loads(FORMATS[".json"](TABLE))
    assert found["title"] == "A tiny table."
    assert [row["verdict"] for row in found["rows"]] == [
        "equal",
        "erratum",
        "within spread",
        "ours only",
        "not run",
    ]
    assert found["rows"][0] | {"published_value": 1728.0, "ours": 1728} == found["rows"][0]
    assert found["rows"][2]["spread"] == 0.052
    assert found["rows"][2]["runs"] == ["a/0", "a/1"]
    assert found["rows"][3]["ours"] == 1.2345
    assert found["notes"] == ["A note."]


def test_the_legend_defines_the_verdicts_that_occur():
    assert [name for name, _ in legend(TABLE)] == [
        "equal",
        "within spread",
        "erratum",
        "not run",
        "ours only",
    ]
    assert legend(Table(())) == []


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_table_without_rows_is_no_error(suffix):
    assert FORMATS[suffix](Table((), title="Empty.", source="none"))


def test_further_properties_have_columns_of_their_own():
    model = TableRow("a model", None, MEASURED, "runs", extras=(Extra("seconds", MEASURED, 1),))
    other = TableRow("another", None, "none", "runs", extras=(Extra("parameters", 1_234),))
    table = TABLE._replace(rows=(model, other))
    lines = FORMATS[".md"](table).splitlines()
    assert [cell.strip() for cell in lines[4].split("|")[6:9]] == [
        "seconds",
        "parameters",
        "how ours was obtained",
    ]
    assert [cell.strip() for cell in lines[6].split("|")[6:8]] == ["0.9 ± 0.1 (n = 3)", "-"]
    assert [cell.strip() for cell in lines[7].split("|")[6:8]] == ["-", "1,234"]
    assert "1,234" in terminal(table, 200)
    rows = json.loads(FORMATS[".json"](table))["rows"]
    assert (rows[0]["seconds"], rows[1]["parameters"]) == (0.931, 1_234)
    by_name = list(csv.DictReader(io.StringIO(FORMATS[".csv"](table))))
    assert (by_name[0]["parameters"], by_name[1]["parameters"]) == ("", "1234")
