import json
import re

import pytest

from lecture_models.reports.seeds_page import terminal, write_report
from lecture_models.runs.seeds import Spread
from tests.reports.markup import ATTACKS, Elements, assert_harmless


def summary(text, values=(1.0, None)):
    return {
        "experiment": text,
        "title": text,
        "preset": text,
        "command": text,
        "config": {text: text},
        "data": [{"dataset": text, "source": text, "note": text}],
        "devices": [text],
        "metrics": {text: {"mean": 1.0, "std": None, "n": 1}},
        "seeds": [
            {
                "seed": index if value else text,
                "folder": text.replace("/", ""),
                "status": text,
                "error": None if value else text,
                "metrics": {f"eval/{text}": value},
            }
            for index, value in enumerate(values)
        ],
    }


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_of_the_seeds_becomes_markup(tmp_path, attack):
    page = write_report(tmp_path, summary(attack)).read_text()
    assert_harmless(page, attack)


def test_the_page_links_each_seed_and_marks_failures(tmp_path):
    page = write_report(tmp_path, summary("a b")).read_text()
    links = [attrs["href"] for tag, attrs in Elements(page).found if tag == "a"]
    assert links == ["a%20b/report.html"] * 2
    assert 'class="badge failed">0 of 2 seeds finished' in page
    assert "seed a b: a b" in page


def test_a_mean_is_shown_with_the_digits_of_its_spread(tmp_path):
    content = summary("loss", (32.2611, 32.2612))
    content["metrics"] = {"loss": {"mean": 32.26115, "std": 7.07e-5, "n": 2}}
    for run in content["seeds"]:
        run["status"] = "finished"
    page = write_report(tmp_path, content).read_text()
    cells = re.findall(r'<td class="number">([^<]*)</td>', page)
    assert cells == ["32.261150", "0.000071", "32.2611", "32.2612", "2", "32.2611", "32.2612"]
    spreads = {"loss": Spread(32.26115, 7.07e-5, 2)}
    assert "| loss   | 32.261150 | 0.000071 |   2 |" in terminal(spreads)


def test_the_curves_of_the_seeds_become_a_mean_in_a_band(tmp_path):
    content = summary("loss", (1.0, 2.0))
    for index, run in enumerate(content["seeds"]):
        run["folder"] = f"seed_{index:04d}"
        (tmp_path / run["folder"]).mkdir()
        lines = [{"step": step, "eval": {"loss": step + index}} for step in (10, 20, 30)]
        lines[2]["eval"]["loss"] = "NaN" if index else 5.0
        path = tmp_path / run["folder"] / "metrics.jsonl"
        path.write_text("\n".join(map(json.dumps, lines)))
    (chart,) = Elements(write_report(tmp_path, content).read_text()).data
    (series,) = chart["series"]
    assert series["points"] == [10, 10.5, 20, 20.5, 30, 5]
    assert series["band"] == [10, 10, 11, 20, 20, 21, 30, 5, 5]
