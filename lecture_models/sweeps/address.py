"""Reads the address of a sweep's database, and keeps its secrets out of all that is shown."""

import contextlib
import re
import urllib.parse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optuna.exceptions import StorageInternalError

from lecture_models.config import UsageError

if TYPE_CHECKING:
    from sqlalchemy import URL

SCHEMES = ("postgresql", "postgresql+psycopg", "sqlite")
ALLOWED = "allowed: postgresql://USER:PASSWORD@HOST/DATABASE, sqlite:///FILE"
HIDDEN = "***"
_SECRET_NAME = re.compile(r"(password|passwd|passphrase|pwd|secret|token|api_?key)$", re.IGNORECASE)


class StorageError(Exception):
    """Tells the user, in one line without secrets, why the database failed."""


class StorageAddress:
    """Holds the address of a database.

    Attributes:
        shown: the address with *** for its password and for each secret of its query; the only
            form that is printed or written.
    """

    def __init__(self, url: "URL", typed: str):
        self._url = url
        self.shown = _shown(url, typed)
        secrets = {text for value in _secrets(url) for text in _spellings(value)}
        whole = (typed, url.render_as_string(hide_password=False))
        self._replacements = [
            *((re.compile(re.escape(text)), self.shown) for text in whole),
            *((_as_word(text), HIDDEN) for text in sorted(secrets, key=len, reverse=True)),
        ]

    def __repr__(self) -> str:
        return f"StorageAddress({self.shown})"

    @property
    def is_file(self) -> bool:
        """Tells whether the database is a file of this machine."""
        return self._url.drivername == "sqlite"

    def reveal(self, driver: str | None = None) -> str:
        """Returns the whole address, to connect to the database, or to hand it to a worker.

        Args:
            driver: the name before `://`; None for the given one.
        """
        url = self._url.set(drivername=driver) if driver else self._url
        return url.render_as_string(hide_password=False)

    def clean(self, text: str) -> str:
        """Returns a text in which the shown address replaces the whole one, and *** each secret."""
        for pattern, replacement in self._replacements:
            text = pattern.sub(lambda match, shown=replacement: shown, text)
        return text

    @contextlib.contextmanager
    def one_line_errors(self) -> Iterator[None]:
        """Turns errors of the database, and errors that hold a secret, into StorageErrors."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except Exception as error:
            text = " ".join(_messages(error))
            is_known = isinstance(error, SQLAlchemyError | StorageInternalError)
            if not is_known and self.clean(text) == text:
                raise
            raise StorageError(
                f"the database {self.shown} failed: {self.reason(error)}"
            ) from None  # The traceback may show the whole address.

    def reason(self, error: BaseException) -> str:
        """Returns what the driver says, on one line without secrets."""
        if isinstance(error, StorageInternalError) and error.__cause__:
            error = error.__cause__  # Optuna's own words say nothing.
        text = str(error).split("(Background", 1)[0].split("[SQL:", 1)[0]
        return self.clean(" ".join(text.split()))[:300] or type(error).__name__


def read_address(text: str) -> StorageAddress:
    """Reads the value of --storage. Raises UsageError, which does not show a secret."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is not a number.
        raise UsageError(f"--storage is not the address of a database; {ALLOWED}") from error
    if "@" in (url.host or ""):
        raise UsageError(
            "--storage has more than one @ before its host; in a user or password, write @ as %40"
        )
    address = StorageAddress(url, text)
    if url.drivername not in SCHEMES:
        raise UsageError(f"--storage={address.shown} is not a supported address; {ALLOWED}")
    if address.is_file and url.database in (None, "", ":memory:"):
        raise UsageError(f"--storage={address.shown} names no file, so the sweep would be lost")
    if HIDDEN in _secrets(url):
        raise UsageError(
            f"--storage={address.shown} has *** for its password; write the password, or leave it "
            "out and set PGPASSWORD"
        )
    return address


def without_password(text: str | None) -> str | None:
    """Returns a recorded address in the form of `StorageAddress.shown`.

    Of a text that is not an address, all before its last @ is hidden.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    if text is None:
        return None
    try:
        url = make_url(text)
        if "@" not in (url.host or ""):
            return _shown(url, text)
    except (ArgumentError, ValueError):
        pass
    _, at, end = text.rpartition("@")
    return f"{HIDDEN}@{end}" if at else text


def _messages(error: BaseException | None) -> Iterator[str]:
    """Yields what a traceback would show of an error and of the errors behind it."""
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__


def _shown(url: "URL", typed: str) -> str:
    if not _secrets(url):
        return typed
    names = [name for name in url.query if _SECRET_NAME.search(name)]
    hidden = url.update_query_dict(dict.fromkeys(names, HIDDEN))
    text = hidden.render_as_string(hide_password=True)
    return text.replace(urllib.parse.quote_plus(HIDDEN), HIDDEN)


def _secrets(url: "URL") -> list[str]:
    """Returns the password and the secrets of the query."""
    named = [
        value
        for name, values in url.normalized_query.items()
        for value in values
        if _SECRET_NAME.search(name)
    ]
    return [str(value) for value in (url.password, *named) if value]


def _spellings(secret: str) -> set[str]:
    """Returns a secret as it is, and as an address may spell it."""
    return {secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret)}


def _as_word(secret: str) -> re.Pattern:
    """Returns a pattern for a secret that is not a part of a longer word."""
    return re.compile(rf"(?<!\w){re.escape(secret)}(?!\w)")
