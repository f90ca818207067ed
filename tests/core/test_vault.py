"""Secrets that must be sent again later, and codes that people type."""

from app.core.security import Signer, Vault

signer = Signer("a secret key that is long enough for the tests")
vault = Vault(signer.derive("vault"))


def test_what_is_locked_is_unlocked_in_its_place_only() -> None:
    locked = vault.lock("slack://token", place="contact method 7")
    assert vault.unlock(locked, place="contact method 7") == "slack://token"
    assert vault.unlock(locked, place="contact method 8") is None


def test_nothing_can_be_read_or_compared_without_the_key() -> None:
    locked, again = (vault.lock("slack://token", place="here") for _ in range(2))
    assert b"slack" not in locked
    assert locked != again
    other = Vault(Signer("another secret key that is long enough too").derive("vault"))
    assert other.unlock(locked, place="here") is None


def test_what_was_tampered_with_is_nothing() -> None:
    locked = vault.lock("slack://token", place="here")
    for at in (0, 12, len(locked) - 1):
        changed = bytearray(locked)
        changed[at] ^= 1
        assert vault.unlock(bytes(changed), place="here") is None
    assert vault.unlock(b"", place="here") is None
    assert vault.unlock(locked[:20], place="here") is None


def test_a_code_is_six_digits_of_its_row_and_purpose() -> None:
    codes = [signer.code("contact_method", number) for number in range(1, 300)]
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(set(codes)) > 295
    assert signer.code("contact_method", 1) == codes[0]
    assert signer.code("recovery", 1) != codes[0]
    assert Signer("x" * 32).code("contact_method", 1) != codes[0]
