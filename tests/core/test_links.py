"""Links, derived secrets and keys: only this installation makes them, each for one purpose."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.security import KEY_PREFIX, Signer, hash_key, new_integration_key

QUICK = settings(derandomize=True, max_examples=150, deadline=None, database=None)
ALPHABET = string.ascii_letters + string.digits + "-_"
NOTES = "acknowledge"

signer = Signer("a secret key that is long enough for the tests")
other_signer = Signer("another secret key that is long enough as well")


@QUICK
@given(st.integers(0, 2**64 - 1))
def test_a_link_leads_back_to_its_row(number: int) -> None:
    assert signer.read_link(NOTES, signer.link(NOTES, number)) == number


def test_a_link_fits_a_url_as_it_is() -> None:
    links = [signer.link(NOTES, number) for number in range(100)]
    assert set("".join(links)) <= set(ALPHABET)


def test_the_same_row_has_the_same_link() -> None:
    assert signer.link(NOTES, 7) == signer.link(NOTES, 7)


@pytest.mark.parametrize("number", [0, 7, 2**63 - 1])
def test_a_link_with_any_letter_changed_leads_nowhere(number: int) -> None:
    link = signer.link(NOTES, number)
    changed = {
        link[:place] + letter + link[place + 1 :]
        for place in range(len(link))
        for letter in ALPHABET + "=+/ \n"
    } - {link}
    assert [wrong for wrong in changed if signer.read_link(NOTES, wrong) is not None] == []


def test_a_link_with_a_letter_too_many_or_too_few_leads_nowhere() -> None:
    link = signer.link(NOTES, 7)
    longer = [link[:place] + letter + link[place:] for place in range(36) for letter in ALPHABET]
    shorter = [link[:place] + link[place + 1 :] for place in range(len(link))]
    tails = [link + tail for tail in ("=", "==", " ", "\n", "%3D", "\x00", link)]
    for wrong in [*longer, *shorter, *tails, link[:11], " " + link]:
        assert signer.read_link(NOTES, wrong) is None


def test_a_link_for_another_purpose_leads_nowhere() -> None:
    assert signer.read_link("unsubscribe", signer.link(NOTES, 7)) is None


def test_a_link_of_another_installation_leads_nowhere() -> None:
    assert signer.read_link(NOTES, other_signer.link(NOTES, 7)) is None


@pytest.mark.parametrize(
    "token", ["", "=", "A", "AAAA", "ü", "\ud800", "\x00", "🔥" * 40, "A" * 36, "../../x"]
)
def test_what_is_no_link_leads_nowhere(token: str) -> None:
    assert signer.read_link(NOTES, token) is None


def test_an_endless_link_leads_nowhere() -> None:
    assert signer.read_link(NOTES, "A" * 1_000_000) is None
    assert signer.read_link(NOTES, signer.link(NOTES, 7) * 10_000) is None


@QUICK
@given(st.text(st.characters(codec=None, exclude_categories=()) | st.sampled_from(ALPHABET)))
def test_no_text_breaks_the_reading_of_a_link(token: str) -> None:
    assert signer.read_link(NOTES, token) is None


# --- Derived secrets ----------------------------------------------------------------------


def test_every_purpose_has_its_own_secret() -> None:
    purposes = ["access token", "webhook signatures", "link: a", "link: b", ""]
    assert len({signer.derive(purpose) for purpose in purposes}) == len(purposes)


def test_a_purpose_has_the_same_secret_in_every_process() -> None:
    again = Signer("a secret key that is long enough for the tests")
    assert again.derive("webhook signatures") == signer.derive("webhook signatures")


def test_every_installation_has_its_own_secrets() -> None:
    assert signer.derive("access token") != other_signer.derive("access token")


def test_a_derived_secret_has_256_bits() -> None:
    assert len(signer.derive("anything")) == 32


# --- Integration keys ---------------------------------------------------------------------


def test_a_key_is_recognised_and_never_made_twice() -> None:
    keys = {new_integration_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith(KEY_PREFIX) and len(key) >= 47 for key in keys)


def test_a_key_is_found_by_its_hash_and_not_read_from_it() -> None:
    key = new_integration_key()
    assert hash_key(key) == hash_key(key) != hash_key(key + "x")
    assert key not in hash_key(key)


@pytest.mark.parametrize("key", ["", "ü", "\ud800", "\x00", "x" * 500])
def test_whatever_is_offered_as_a_key_has_a_hash(key: str) -> None:
    assert len(hash_key(key)) == 64
