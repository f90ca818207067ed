"""The sealed push against the example that RFC 8291 works through in its appendix A."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.channels.push_seal import RECORD, ROOM, seal
from app.domain.push import decode_key, encode_key

BROWSER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
OWN = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
    "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
    "lcy4a-fN"
)


def seal_with(content: bytes, salt: str = SALT, p256dh: str = BROWSER) -> bytes:
    own = decode_key(OWN)
    assert own is not None
    return seal(
        content,
        p256dh=decode_key(p256dh) or b"",
        auth=decode_key(AUTH) or b"",
        salt=decode_key(salt) or b"",
        ephemeral=ec.derive_private_key(int.from_bytes(own), ec.SECP256R1()),
    )


def test_the_example_of_the_rfc_comes_out() -> None:
    sealed = seal_with(b"When I grow up, I want to be a watermelon")
    assert encode_key(sealed) == SEALED


def test_a_full_room_makes_a_full_record() -> None:
    assert len(seal_with(b"x" * ROOM)) == RECORD


def test_what_is_no_point_is_refused() -> None:
    off_the_curve = encode_key(b"\x04" + bytes(64))
    for nothing in ("BAAA", off_the_curve):
        with pytest.raises(ValueError, match=r"EC|point"):
            seal_with(b"x", p256dh=nothing)
