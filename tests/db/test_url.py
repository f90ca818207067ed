"""DATABASE_URL in every form that people write, and never a password in a complaint."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from app.core.errors import SetupError
from app.db.url import driver_url, shown

QUICK = settings(derandomize=True, max_examples=200, deadline=None, database=None)


def connects(text: str) -> dict[str, Any]:
    """What asyncpg is called with."""
    url = driver_url(text)
    assert url.startswith("postgresql+asyncpg://")
    assert driver_url(url) == url
    _, arguments = PGDialect_asyncpg().create_connect_args(make_url(url))  # type: ignore[no-untyped-call]
    return dict(arguments)


def complaint(text: str) -> str:
    with pytest.raises(SetupError) as refused:
        driver_url(text)
    said = str(refused.value)
    assert "hunter2" not in said
    assert said.endswith(".")
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    return said


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+asyncpg", "POSTGRES", "PostgreSQL"]
)
def test_every_spelling_of_postgresql_will_do(scheme: str) -> None:
    assert connects(f"{scheme}://ana:hunter2@db.test:6543/tocsin") == {
        "host": "db.test",
        "port": 6543,
        "user": "ana",
        "password": "hunter2",
        "database": "tocsin",
    }


def test_blanks_around_it_do_not_matter() -> None:
    assert driver_url(" postgresql://h/db\n") == "postgresql+asyncpg://h/db"


def test_what_is_left_out_is_left_to_the_driver() -> None:
    assert connects("postgresql:///tocsin") == {"database": "tocsin"}


def test_a_host_may_be_an_ipv6_address() -> None:
    assert connects("postgresql://ana@[::1]:5433/db")["host"] == "::1"


@pytest.mark.parametrize("port", [1, 10, 200, 5432, 65535])
def test_a_port_may_be_any_there_is(port: int) -> None:
    assert connects(f"postgresql://h:{port}/db")["port"] == port
    assert connects(f"postgresql://h:{port},h2:{port}/db")["port"] == [port, port]


@pytest.mark.parametrize("port", ["0", "65536", "100000", "-1", "x", "9" * 50])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    assert "cannot be read" in complaint(f"postgresql://ana:hunter2@h:{port}/db")
    assert "cannot be read" in complaint(f"postgresql://ana:hunter2@h:{port},h2/db")


def test_a_host_may_be_the_folder_of_a_socket() -> None:
    assert connects("postgresql://ana@/db?host=/run/postgresql&port=5433") == {
        "host": "/run/postgresql",
        "port": 5433,
        "user": "ana",
        "database": "db",
    }


# --- Passwords ----------------------------------------------------------------------------


@QUICK
@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_password_arrives_when_it_is_written_in_code(password: str) -> None:
    coded = "".join(f"%{byte:02X}" for byte in password.encode())
    assert connects(f"postgresql://ana:{coded}@h/db")["password"] == password


@pytest.mark.parametrize(
    "password", ["a/b", "a?b", "a#b", "a,b", "a:b", "a[b", "100%sure", "ü", "&="]
)
def test_many_special_characters_arrive_as_they_are(password: str) -> None:
    assert connects(f"postgresql://ana:{password}@h/db")["password"] == password


def test_special_characters_in_the_user_arrive() -> None:
    assert connects("postgresql://ana%40server:x@h/db")["user"] == "ana@server"


@pytest.mark.parametrize(
    "text",
    [
        *("postgresql://ana:p@hunter2@h/db", "postgresql://ana:p@hunter2@h:5432/db"),
        *("postgresql://ana:p@hunter2@h1,h2/db", "postgresql://ana:hunter2@h:port/db"),
        *("postgresql://ana:hunter2@h:5432hunter2/db", "postgresql://ana:hunter2@h:70000/db"),
        *("postgresql://ana:hunter2@h:0/db", "postgresql://ana:hunter2@[::1/db"),
        *("ana:hunter2@h/db", "postgresql:ana:hunter2@h/db", "postgresql:/hunter2", "hunter2"),
        *("", " ", "postgresql://ana:hunter2\udcff@h/db", "postgresql://h:" + "9" * 50 + "/db"),
        *("postgresql://ana:hunter2@h/db?port=x", "postgresql://ana:hunter2@/db?host=a,b&port=1,x"),
    ],
)
def test_what_cannot_be_read_shows_how_it_should_look(text: str) -> None:
    said = complaint(text)
    assert said.startswith(
        "DATABASE_URL cannot be read; it must look like postgresql://user:password@host:5432/tocsin"
    )
    assert "%40 for @" in said


@pytest.mark.parametrize("query", ["user=ana&password=hunter2", "password=hunter2", "user=ana"])
def test_a_user_or_password_among_the_options_is_refused_unseen(query: str) -> None:
    assert "stand at the beginning" in complaint(f"postgresql://h/db?{query}")


def test_a_url_is_shown_without_its_password() -> None:
    url = driver_url("postgresql://ana:hunter2@h1,h2/db?sslmode=require")
    assert "hunter2" not in shown(url)
    assert shown(driver_url("postgresql://ana:hunter2@h/db")) == (
        "postgresql+asyncpg://ana:***@h/db"
    )


# --- What it must name --------------------------------------------------------------------


@pytest.mark.parametrize("end", ["", "/", "?sslmode=require", "/?sslmode=require"])
def test_a_database_must_be_named(end: str) -> None:
    assert complaint(f"postgresql://ana:hunter2@h{end}") == (
        "DATABASE_URL names no database; add one at its end, such as /tocsin."
    )


@pytest.mark.parametrize(
    "scheme", ["mysql", "sqlite", "mariadb+asyncmy", "postgresql+psycopg2", "cockroachdb", "http"]
)
def test_another_database_or_driver_is_named(scheme: str) -> None:
    said = complaint(f"{scheme}://ana:hunter2@h/db")
    assert said.startswith(f"DATABASE_URL begins with {scheme}://, but Tocsin needs PostgreSQL")


# --- Options ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mode", ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
)
@pytest.mark.parametrize("name", ["sslmode", "ssl"])
def test_encryption_is_asked_for_in_libpqs_words_or_asyncpgs(name: str, mode: str) -> None:
    arguments = connects(f"postgresql://h/db?{name}={mode}")
    assert arguments == {"host": "h", "database": "db", "ssl": mode}


@pytest.mark.parametrize("query", ["sslmode=yes", "ssl=true", "sslmode=require&sslmode=disable"])
def test_encryption_that_nobody_knows_is_refused(query: str) -> None:
    assert "must be one of: disable, allow, prefer, require" in complaint(
        f"postgresql://h/db?{query}"
    )


@pytest.mark.parametrize("kind", ["leader", "standby", "prefer-standby", "read-only"])
def test_a_kind_of_session_that_is_of_no_use_is_refused(kind: str) -> None:
    said = complaint(f"postgresql://h/db?target_session_attrs={kind}")
    assert said == (
        "In DATABASE_URL, target_session_attrs must be one of: any, primary, read-write."
    )


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslkey", "sslcrl"])
def test_a_certificate_is_sent_to_its_variable(name: str) -> None:
    said = complaint(f"postgresql://ana:hunter2@h/db?sslmode=verify-full&{name}=/etc/x.pem")
    assert f"PG{name.upper()}" in said


@pytest.mark.parametrize("name", ["connect_timeout", "options", "channel_binding", "pgbouncer"])
def test_an_option_that_the_driver_would_choke_on_is_named(name: str) -> None:
    said = complaint(f"postgresql://ana:hunter2@h/db?{name}=hunter2")
    assert said.startswith(f"DATABASE_URL has the option {name}, which Tocsin does not know;")


def test_a_pooler_that_keeps_no_statements_can_be_told() -> None:
    arguments = connects("postgresql://h/db?prepared_statement_cache_size=0")
    assert arguments["prepared_statement_cache_size"] == 0


# --- Several hosts ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ana@h1:5433,h2/db",
        "postgresql://ana@h1:5433,h2:5432/db?target_session_attrs=read-write",
        "postgresql://ana@/db?host=h1:5433&host=h2:5432",
        "postgresql://ana@/db?host=h1:5433&host=h2",
        "postgresql://ana@/db?host=h1,h2&port=5433,5432",
        "postgresql://ana@/db?host=h1&host=h2&port=5433&port=5432",
    ],
)
def test_several_hosts_are_tried_in_turn_for_one_that_can_be_written_to(text: str) -> None:
    assert connects(text) == {
        "host": ["h1", "h2"],
        "port": [5433, 5432],
        "user": "ana",
        "database": "db",
        "target_session_attrs": "read-write",
    }


def test_one_port_will_do_for_several_hosts() -> None:
    assert connects("postgresql://ana@/db?host=h1,h2&port=6543")["port"] == [6543, 6543]


def test_several_hosts_may_be_of_every_kind() -> None:
    arguments = connects("postgresql://ana:a%2Cb@[::1]:5433,[2001:db8:0:0::2],10.0.0.1/db")
    assert arguments["host"] == ["::1", "2001:db8:0:0::2", "10.0.0.1"]
    assert arguments["port"] == [5433, 5432, 5432]
    assert arguments["password"] == "a,b"
    assert connects("postgresql://ana@/db?host=/run/a,/run/b")["host"] == ["/run/a", "/run/b"]


def test_whoever_asks_for_any_host_gets_any() -> None:
    arguments = connects("postgresql://ana@h1,h2/db?target_session_attrs=any&sslmode=require")
    assert (arguments["target_session_attrs"], arguments["ssl"]) == ("any", "require")


@pytest.mark.parametrize(
    "hosts", ["h1,", ",h2", "h1,,h2", "h1:x,h2", "h1:70000,h2", "h1:,h2", "[::1,h2", "h1,h2:0"]
)
def test_a_list_of_hosts_with_a_flaw_is_refused(hosts: str) -> None:
    assert "cannot be read" in complaint(f"postgresql://ana:hunter2@{hosts}/db")


def test_as_many_ports_as_hosts_or_one() -> None:
    assert "cannot be read" in complaint("postgresql://ana@/db?host=h1,h2&port=1,2,3")


@QUICK
@given(st.text(st.characters(codec=None, exclude_categories=()) | st.sampled_from("@:/?,[]&=%")))
def test_no_text_breaks_the_reading_of_a_url(text: str) -> None:
    for whole in (text, f"postgresql://{text}", f"postgresql://ana:hunter2@{text}/db"):
        said = ""
        try:
            driver_url(whole)
        except SetupError as error:
            said = str(error)
        assert "hunter2" not in said
