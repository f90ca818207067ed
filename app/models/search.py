"""What is searched: the words of incidents, read behind the back of whoever opens them.

To split texts and index every word would cost each alert more than all else that is written of
it. So triggers only put down which incidents are to be read, and a loop reads them. A search
looks at those that wait, too, so it never shows less than there is.
"""

from string import punctuation

from sqlalchemy import BigInteger, Column, Computed, Index, Table
from sqlalchemy.dialects.postgresql import TSVECTOR

from app.db.base_class import Base
from app.domain.search import SPACES
from app.models.incident import IncidentComment

_PARTING = punctuation.replace("'", "''")


def _words(column: str, weight: str) -> str:
    """The words of a column as `app.domain.search` reads what is looked for."""
    parted = f"translate(coalesce({column}, ''), '{_PARTING}', '{SPACES}')"
    return f"setweight(to_tsvector('simple', {parted}), '{weight}')"


WORDS_OF_INCIDENT = f"{_words('incidents.title', 'A')} || {_words('incidents.description', 'B')}"

# No foreign keys: incidents are never deleted, and a check would lock the row of each.
SEARCH_WORDS = Table(
    "search_words",
    Base.metadata,
    Column("incident_id", BigInteger, primary_key=True, autoincrement=False),
    Column("words", TSVECTOR, nullable=False),
    Index("ix_search_words_words", "words", postgresql_using="gin"),
)
# Without any key, because every alert that opens an incident writes here. May say one twice.
SEARCH_QUEUE = Table(
    "search_queue", Base.metadata, Column("incident_id", BigInteger, nullable=False)
)

# People comment one at a time: their words are read at once.
COMMENTS = Base.metadata.tables[IncidentComment.__tablename__]
COMMENTS.append_column(Column("words", TSVECTOR, Computed(_words("content", "C"), persisted=True)))
Index("ix_incident_comments_words", COMMENTS.c.words, postgresql_using="gin")
