"""Fills the templates of the pages: each page is one HTML file that fetches nothing."""

import base64
import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lecture_models import files

if TYPE_CHECKING:
    import jinja2

FOLDER = Path(__file__).with_name("templates")


def write_page(path: Path, template: str, **content: Any) -> None:
    """Writes a page completely or not at all.

    Args:
        path: the HTML file.
        template: the name of a file in `templates`.
        **content: the plain data that the template shows; it escapes every text.
    """
    # The name of a file may not be valid Unicode.
    files.write_bytes(path, render(template, **content).encode("utf-8", "replace"))


def render(template: str, **content: Any) -> str:
    """Returns the page of a template, with its style sheets and scripts in it."""
    return _templates().get_template(template).render(content)


@functools.cache
def _templates() -> "jinja2.Environment":
    import jinja2  # Not at the top: most processes write no page.

    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    templates.filters |= {
        "breakable": _breakable,
        "sha256": _sha256,
        "source": _source,
    }
    return templates


@functools.cache
def _source(name: str) -> Any:
    """Returns a style sheet or script of `templates` as it is, not escaped."""
    import markupsafe

    return markupsafe.Markup((FOLDER / name).read_text("utf-8"))


def _breakable(name: str) -> Any:
    """Returns a name that may be broken into lines after a slash or an underscore."""
    import markupsafe

    pause = markupsafe.Markup("<wbr>")
    return markupsafe.escape(name).replace("/", "/" + pause).replace("_", "_" + pause)


def _sha256(text: str) -> str:
    """Returns the hash by which a page's security policy admits a script."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
