"""What was answered to whom, for those who ask again because no answer reached them."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base


class IdempotencyKey(Base):
    """One request that was done, and its answer. `digest` says whose, where and by which key;
    like `request`, a keyed hash of what was asked, it tells nobody who reads the table."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "created_at"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
