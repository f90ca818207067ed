"""Web Push's two envelopes: what only the browser can read (RFC 8291), and who sends it (RFC 8292).

Written with `cryptography` and our JWT library, because `webpush` leaves the port out of the
audience it signs (a push service on another port then refuses every push), keeps the last
message's settings for the next one, and wants its keys as PEM files.
"""

import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jose import jwt

from app.domain.push import encode_key

RECORD = 4096  # the most that a push service must take (RFC 8030 §7.2)
ROOM = RECORD - 16 - 4 - 1 - 65 - 1 - 16  # salt, size, length, key, the last record's mark, tag

_CURVE = ec.SECP256R1()
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_POINT = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def vapid_key(private_key: bytes) -> ec.EllipticCurvePrivateKey:
    """The P-256 key that these 32 secret bytes stand for, always the same one."""
    if len(private_key) != 32:
        raise ValueError("A VAPID key is made of 32 bytes.")
    return ec.derive_private_key(int.from_bytes(private_key) % (_ORDER - 1) + 1, _CURVE)


def vapid_public_key(private_key: bytes) -> str:
    """What a browser wants as `applicationServerKey`: the uncompressed point, base64url."""
    return encode_key(vapid_key(private_key).public_key().public_bytes(*_POINT))


def authorization(
    key: ec.EllipticCurvePrivateKey, *, audience: str, subject: str, expires: int
) -> str:
    """The header that tells the push service at `audience` who is sending."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    claims = {"aud": audience, "exp": expires, "sub": subject}
    token = jwt.encode(claims, pem, algorithm="ES256")
    return f"vapid t={token}, k={encode_key(key.public_key().public_bytes(*_POINT))}"


def seal(
    content: bytes,
    *,
    p256dh: bytes,
    auth: bytes,
    salt: bytes,
    ephemeral: ec.EllipticCurvePrivateKey,
) -> bytes:
    """`content` (at most `ROOM` bytes) as one aes128gcm record that only the browser can open.

    `salt` and `ephemeral` are fresh for each message. ValueError if p256dh is no point.
    """
    browser = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, p256dh)
    own = ephemeral.public_key().public_bytes(*_POINT)
    shared = ephemeral.exchange(ec.ECDH(), browser)
    secret = _derive(shared, auth, b"WebPush: info\x00" + p256dh + own, 32)
    key = _derive(secret, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\x00", 12)
    header = salt + struct.pack("!LB", RECORD, len(own)) + own
    return header + AESGCM(key).encrypt(nonce, content + b"\x02", None)


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)
