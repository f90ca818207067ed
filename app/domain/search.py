"""What is looked for: words as people type them, for PostgreSQL's full text search.

Nothing is stemmed and no word is too common: error codes, names of hosts and units are found as
they are. Punctuation parts words, in texts and in what is looked for alike, so that “db-7” is
found in “db-7.prod.example.org:5432”, and finds “db” directly before “7”.
"""

import re
from string import punctuation

READER = "search"  # the loop that reads the words of incidents
MOST_MATCHES = 1_000  # only the newest of more are put in order
# PostgreSQL's own parser would read “db-7” as “db” and the number −7, and hosts as one word.
SPACES = " " * len(punctuation)
_PARTING = str.maketrans(punctuation, SPACES)
_TERM = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')


def to_query(text: str) -> str | None:
    """`text` for `websearch_to_tsquery`: words, "words in a row", or, -not.

    None where nothing is named that is to be found.
    """
    terms, finds_something = [], False
    for minus, quoted, bare in _TERM.findall(text):
        words = (quoted or bare).translate(_PARTING).split()
        if bare.lower() == "or" and not minus:
            terms.append("or")
        elif words:
            terms.append(f'{minus}"{" ".join(words)}"')
            finds_something = finds_something or not minus
    return " ".join(terms) if finds_something else None
