"""Text from elsewhere made plain: fit for one line of a log, a header or a file name."""

import hashlib
import re

ERROR_LIMIT = 300
_TOKEN = re.compile(r"(?=.{1,100}\Z)[A-Za-z0-9][\w+-]*(\.[\w+-]+)*", re.ASCII)


def one_line(text: str, limit: int = ERROR_LIMIT) -> str:
    """The printable words of `text` on one line of at most `limit` characters."""
    words = "".join(c if c.isprintable() else " " for c in text).split()
    line = " ".join(words)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def stable_token(mark: str) -> str:
    """`mark` where it can stand in a Message-ID, a header and a file name; else its hash.

    Equal marks give equal tokens and different ones different tokens, so a resend is told
    apart from a second message whatever the mark looks like.
    """
    if _TOKEN.fullmatch(mark):
        return mark
    return hashlib.sha256(mark.encode(errors="surrogatepass")).hexdigest()
