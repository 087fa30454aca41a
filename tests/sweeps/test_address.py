"""Keeps the secrets of a database's address out of what is shown."""

import pytest
import sqlalchemy.exc

from lecture_models.config import UsageError
from lecture_models.sweeps.address import StorageError, read_address, without_password


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("postgresql://me:SECRET@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:SECRET%40X@host:5432/db", "postgresql://me:***@host:5432/db"),
        ("postgresql://me:SECRET/X?Y@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me@host/db?password=SECRET", "postgresql://me@host/db?password=***"),
        (
            "postgresql://me:SECRET@host/db?sslmode=require&sslpassword=SECRET&PWD=SECRET",
            "postgresql://me:***@host/db?PWD=***&sslmode=require&sslpassword=***",
        ),
        ("sqlite:////a/b c.db?timeout=3", "sqlite:////a/b c.db?timeout=3"),
    ],
)
def test_an_address_is_shown_without_its_secrets(typed, shown):
    address = read_address(typed)
    assert address.shown == without_password(typed) == without_password(shown) == shown
    assert "SECRET" not in repr(address)
    assert address.reveal().count("SECRET") == typed.count("SECRET")
    assert address.clean(f"no {typed}, {address.reveal()}") == f"no {shown}, {shown}"


def test_a_secret_is_cleaned_from_a_message_in_each_spelling():
    address = read_address("postgresql://me:SE%40C%20RET@host/db?token=t")
    assert (
        address.clean("SE@C RET, SE%40C%20RET, SE%40C+RET; to t=t") == "***, ***, ***; to ***=***"
    )
    assert without_password(None) is None


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("postgresql://me:SE@CRET@host/db", "write @ as %40"),
        ("mysql://me:SECRET@host/db", "--storage=mysql://me:***@host/db is not a supported"),
        ("postgresql://me:SECRET@host:port/db", "not the address of a database; allowed: postgres"),
        ("me:SECRET@host/db", "not the address of a database; allowed: postgresql://USER"),
        ("postgresql://me:***@host/db", "write the password, or leave it out and set PGPASSWORD"),
        ("sqlite://", "--storage=sqlite:// names no file"),
    ],
)
def test_a_wrong_address_is_refused_without_its_secrets(typed, message):
    with pytest.raises(UsageError) as refused:
        read_address(typed)
    assert message in str(refused.value)
    assert "CRET" not in str(refused.value)
    assert "CRET" not in without_password(typed)


@pytest.mark.parametrize(
    "error",
    [
        sqlalchemy.exc.OperationalError("INSERT", {}, Exception("lost me:SECRET@host")),
        ValueError("invalid dsn: password=SECRET"),
    ],
)
def test_an_error_of_the_database_is_one_line_without_secrets(error):
    address = read_address("postgresql://me:SECRET@host/db")
    failed_line = "the database postgresql://me:\\*\\*\\*@host/db failed: "
    with pytest.raises(StorageError, match=failed_line) as failed, address.one_line_errors():
        raise error
    assert "SECRET" not in str(failed.value)
    assert failed.value.__suppress_context__


def test_other_errors_pass():
    with pytest.raises(KeyError), read_address("sqlite:///x").one_line_errors():
        raise KeyError("x")
