import pytest

from lecture_models.reports.seeds_page import write_report
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
