"""How an incident is declared that has been before, and which incidents were."""

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, String, Text, text, true
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.incident import Severity


class IncidentTemplate(Keyed, Revised, Base):
    """What is filled in already when somebody declares such an incident.

    One that is not active is a draft: people work on it and nobody declares with it.
    """

    __tablename__ = "incident_templates"
    __table_args__ = (
        CheckConstraint("name <> '' AND title <> ''", name="named"),
        one_of("severity", Severity),
        Index("uq_incident_templates_name_folded", text("lower(name)"), unique=True),
    )

    name: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    severity: Mapped[Severity]
    service: Mapped[str | None] = mapped_column(String(100))  # None: whoever declares says it
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    checklist: Mapped[str | None] = mapped_column(Text)
    public_text: Mapped[str | None] = mapped_column(Text)  # nothing is public before it is said
    is_active: Mapped[bool] = mapped_column(server_default=true())


class IncidentTemplateUse(Base):
    """Which template an incident was declared with."""

    __tablename__ = "incident_template_uses"
    __table_args__ = (Index(None, "template_id"),)

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    template_id: Mapped[int] = mapped_column(
        ForeignKey("incident_templates.id", ondelete="CASCADE")
    )
