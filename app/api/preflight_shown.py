"""What the checks found, in the shape of the wire: for the API and for the command."""

from collections.abc import Iterable, Mapping

from app.core.errors import SetupError
from app.db.session import Database, is_outage, transaction_time
from app.domain.finding import Finding
from app.schemas.preflight import FindingRead, HoleRead, PreflightRead
from app.services import preflight as preflight_service
from app.services.notification_preference import unconfigured
from app.services.preflight import Report


async def look(database: Database, states: Mapping[str, str]) -> PreflightRead:
    """Look now, for a command: whatever keeps it from looking is one sentence."""
    try:
        async with database.reading() as session:
            now = await transaction_time(session)
            return shown(await preflight_service.report(session, unconfigured(states), now=now))
    except Exception as error:
        if is_outage(error):
            raise SetupError("The database went away while it was read; try again.") from None
        raise SetupError(f"The checks could not be made: {type(error).__name__}.") from error


def readable(report: PreflightRead) -> str:
    """The same for a terminal: a finding, what closes it, and where."""
    if report.is_clean:
        return "Nothing was found that would keep a page from reaching somebody."
    lines = []
    for one in report.findings:
        lines.append(f"{one.severity:<8}  {one.code}  {one.message}")
        lines.append(f"          {one.fix} ({one.link})")
    count = len(report.findings)
    return "\n".join([*lines, "", f"{count} finding{'' if count == 1 else 's'}."])


def shown(report: Report) -> PreflightRead:
    return PreflightRead(
        checked_at=report.checked_at,
        last_run_at=report.last_run_at,
        is_clean=not report.found,
        findings=[
            FindingRead(
                code=one.finding.code,
                place=one.finding.place,
                severity=one.finding.severity,
                message=one.finding.message,
                fix=one.finding.fix,
                link=one.finding.link,
                known_since=one.since,
            )
            for one in report.found
        ],
    )


def holes(found: Iterable[Finding]) -> list[HoleRead]:
    """What was found of one thing, as it is shown with it."""
    return [HoleRead.model_validate(one) for one in found]
