"""Untrusted values, as the bounded and printable texts that a `Signal` is made of.

Every text that leaves here encodes to UTF-8, has no control character but line break and
tab, and keeps its bound, so that PostgreSQL, a mail and a feed can all hold it. Nothing is
refused for its length: what is too long is cut, and a key that is cut or cleaned gets a
digest of the whole, so that different keys stay different.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from urllib.parse import quote, urlsplit

from app.domain.incident import Severity, read_severity
from app.domain.integration import UNREADABLE_KEY
from app.integrations.json_body import Json

LONGEST_TITLE = 255
LONGEST_DESCRIPTION = 10_000
LONGEST_NAME = 100  # a service, a source
LONGEST_URL = 2000
LONGEST_KEY = 255
LONGEST_LABEL_NAME = 100
LONGEST_LABEL = 1000
MOST_LABELS = 64
LONGEST_TAG = 100
MOST_TAGS = 32
MOST_PARTS = 100  # of what may hold tags: more is not looked at

ELLIPSIS = "…"
# Besides the controls, the two code points of the basic plane that XML feeds may not hold.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_URL_SAFE = "%/:=&?~#+!$,;'@()*[]"


def text(value: Json, limit: int) -> str | None:
    """What `value` says, in `limit` printable characters or fewer; None if it says nothing."""
    # Twice the limit is more than is kept; a megabyte of it need not be cleaned first.
    return _cut(_clean(_spelled(value)[: 2 * limit]).strip(), limit) or None


def line(value: Json, limit: int) -> str | None:
    """`text` on one line: fit for a subject, a heading or a name."""
    return _cut(" ".join(_clean(_spelled(value)[: 2 * limit]).split()), limit) or None


def key(value: Json, limit: int = LONGEST_KEY) -> str | None:
    """`value` as a key of `limit` characters or fewer: equal values equal, others different."""
    spelled = _spelled(value)
    printable = _clean(spelled).replace("\n", " ").replace("\t", " ").strip()
    if not printable:
        return None
    if printable == spelled and len(printable) <= limit and printable != UNREADABLE_KEY:
        return printable
    digest = hashlib.sha256(spelled.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{printable[: limit - len(digest) - 1]}~{digest}"


def url(value: Json) -> str | None:
    """`value` as a web address that a browser may be sent to, or None.

    A link that is too long loses its query rather than its end: half a query is another
    query, and looks just as true.
    """
    address = quote(_clean(_spelled(value)[: 4 * LONGEST_URL]), safe=_URL_SAFE)
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    if len(address) > LONGEST_URL:
        address = parts._replace(query="", fragment="").geturl()
    return address if len(address) <= LONGEST_URL else None


def tags(value: Json) -> tuple[str, ...]:
    """The distinct tags in a list, an object, or a string such as `a,b` or `a b`."""
    found = (line(part, LONGEST_TAG) for part in _parts(value))
    return tuple(islice(dict.fromkeys(tag for tag in found if tag), MOST_TAGS))


def labels(*sources: Mapping[str, Json]) -> dict[str, str]:
    """The first labels of all `sources` that say something; the first of a name stands."""
    found: dict[str, str] = {}
    for source in sources:
        for name, value in source.items():
            if len(found) == MOST_LABELS:
                return found
            label, said = key(name, LONGEST_LABEL_NAME), text(value, LONGEST_LABEL)
            if label and said:
                found.setdefault(label, said)
    return found


def severity(*words: Json) -> Severity | None:
    """The severity meant by the first of `words` that anybody knows."""
    known = (read_severity(said) for word in words if (said := line(word, LONGEST_LABEL)))
    return next((found for found in known if found), None)


def _spelled(value: Json) -> str:
    if isinstance(value, str):
        return value.strip()
    if value is None or value in ([], {}):
        return ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "(nested too deeply)"


def _clean(raw: str) -> str:
    if raw.isprintable():
        return raw
    raw = raw.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATE.sub("\ufffd", _UNPRINTABLE.sub("", raw))


def _cut(whole: str, limit: int) -> str:
    return whole if len(whole) <= limit else whole[: limit - 1] + ELLIPSIS


def _parts(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        value = [f"{name}:{_spelled(part)}" for name, part in value.items() if _is_plain(part)]
    if isinstance(value, list):
        return [part for part in value[:MOST_PARTS] if _is_plain(part)]
    if not isinstance(value, str):
        return [value]
    head = value[: MOST_PARTS * LONGEST_TAG]
    parts = re.split("[,;]", head) if re.search("[,;]", head) else head.split()
    return parts[:MOST_PARTS]


def _is_plain(value: Json) -> bool:
    return not isinstance(value, list | dict)
