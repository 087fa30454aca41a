"""Guards the templates: what a linter of one file cannot see, and when Jinja2 is imported."""

import re
import subprocess
import sys

import pytest

from lecture_models.reports.page import FOLDER, render

SCRIPTS = sorted(FOLDER.glob("*.js"))


def test_scripts_of_one_page_define_different_names():
    names = [
        name
        for path in SCRIPTS
        for name in re.findall(r"^(?:function|const|let) (\w+)", path.read_text(), re.MULTILINE)
    ]
    assert len(names) > 30
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_ends_its_element_or_reads_markup(path):
    script = path.read_text()
    assert not re.search(r"</script|<!--|innerHTML|insertAdjacentHTML|\beval\(", script)


def test_a_missing_value_is_an_error_not_an_empty_page():
    import jinja2

    with pytest.raises(jinja2.UndefinedError, match="'footer' is undefined"):
        render("table.html", title="", name="", source="", columns=(), rows=[], remarks=[])


def test_jinja2_is_imported_only_when_a_page_is_written(root):
    program = (
        "import sys, launch, lecture_models.training.session, lecture_models.sweeps.page\n"
        "import lecture_models.tables.formats, lecture_models.reports.index\n"
        "assert 'jinja2' not in sys.modules, 'jinja2 is imported'"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 0, finished.stderr
