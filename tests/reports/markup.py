"""Parses a page, and checks that no text from outside became markup or a script."""

import json
from html.parser import HTMLParser

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='x",
    "</script><script>alert(1)</script>",
    "</noscript><img src=x onerror=alert(1)><!--",
    "{{ 7 * 7 }}{% raw %}",
)


class Elements(HTMLParser):
    """Collects the elements of a page with their attributes, and the contents of its scripts.

    `open` holds the elements without an end; `data` the parsed content of data blocks; `programs`
    the scripts that run; `text` everything that a reader sees.
    """

    VOID = ("meta", "img", "wbr", "input")

    def __init__(self, page):
        super().__init__()
        self.found, self.open, self.data, self.programs, self.text = [], [], [], [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            if self.found[-1][1].get("type") == "application/json":
                self.data.append(json.loads(data, parse_constant=refuse))
            else:
                self.programs.append(data)
        elif self.open[-1:] != ["style"]:
            self.text += data


def refuse(name):
    raise AssertionError(f"{name} is not JSON")


def assert_harmless(page, attack):
    """Checks a page in which every text from outside is `attack`."""
    elements = Elements(page)
    assert elements.open == []
    assert attack in elements.text
    assert attack not in page or not set(attack) & set("<>'\"")
    assert len(elements.programs) <= 1
    assert "alert" not in "".join(elements.programs)
    assert not any(name.startswith("on") for _, attrs in elements.found for name in attrs)
    sources = [attrs["src"] for tag, attrs in elements.found if "src" in attrs]
    assert all(source.startswith(("data:", "animations/", "sounds/")) for source in sources)
