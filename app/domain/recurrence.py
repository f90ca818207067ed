"""When something that comes again does: the rules of RFC 5545, told out within a time. Pure.

Times are those on the wall, as they are written, so that what comes at nine comes at nine all
year. Rules come from strangers, and one can be written that never matches, or matches each second:
so every day and every time that is looked at is paid for from an allowance, and a rule that needs
more is refused. A rule without COUNT costs the time that is asked about, however long ago it began.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import product

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
TURN = 3  # steps that a turn costs besides its days
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class UnreadableRuleError(ValueError):
    """The rule is none that we follow; the text completes “its RRULE ”."""


class TooMuchError(Exception):
    """It would take more than is allowed."""


class Allowance:
    """How much may still be looked at, as a part of another allowance or by itself."""

    def __init__(self, steps: int, *, of: "Allowance | None" = None) -> None:
        self._left = steps
        self._whole = of

    @property
    def is_spent(self) -> bool:
        return self._left < 0

    def take(self, steps: int) -> None:
        self._left -= steps
        if self._whole is not None:
            self._whole.take(steps)
        if self.is_spent:
            raise TooMuchError


class Frequency(StrEnum):
    """How often; what comes each minute or second is no shift and no holiday."""

    YEARLY = "YEARLY"
    MONTHLY = "MONTHLY"
    WEEKLY = "WEEKLY"
    DAILY = "DAILY"
    HOURLY = "HOURLY"


@dataclass(frozen=True)
class Rule:
    """What has to be true of a time for something to come again. Empty: whatever the first has."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: str | None = None  # as it was written: its meaning depends on the first
    week_start: int = 0
    months: frozenset[int] = frozenset()
    weeks: frozenset[int] = frozenset()
    year_days: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    nth_weekdays: frozenset[tuple[int, int]] = frozenset()  # (n, weekday)
    hours: frozenset[int] = frozenset()
    minutes: frozenset[int] = frozenset()
    seconds: frozenset[int] = frozenset()
    positions: frozenset[int] = frozenset()


def read_rule(text: str) -> Rule:
    """The rule that an RRULE writes down."""
    parts = dict(_parts(text))
    try:
        frequency = Frequency(parts.pop("FREQ", ""))
    except ValueError:
        raise UnreadableRuleError("says no FREQ from YEARLY to HOURLY") from None
    plain, nth = _weekdays(parts.pop("BYDAY", ""))
    if nth and frequency not in (Frequency.YEARLY, Frequency.MONTHLY):
        raise UnreadableRuleError("counts weekdays in what is no month or year")
    rule = Rule(
        frequency,
        interval=_number(parts, "INTERVAL") or 1,
        count=_number(parts, "COUNT"),
        until=parts.pop("UNTIL", None),
        week_start=_week_start(parts.pop("WKST", "MO")),
        months=_numbers(parts, "BYMONTH", 1, 12),
        weeks=_numbers(parts, "BYWEEKNO", 1, 53, signed=True),
        year_days=_numbers(parts, "BYYEARDAY", 1, 366, signed=True),
        month_days=_numbers(parts, "BYMONTHDAY", 1, 31, signed=True),
        weekdays=plain,
        nth_weekdays=nth,
        hours=_numbers(parts, "BYHOUR", 0, 23),
        minutes=_numbers(parts, "BYMINUTE", 0, 59),
        seconds=_numbers(parts, "BYSECOND", 0, 59),
        positions=_numbers(parts, "BYSETPOS", 1, 366, signed=True),
    )
    unknown = next((name for name in parts if not name.startswith("X-")), None)
    if unknown is not None:
        raise UnreadableRuleError(f"says {unknown[:30]}, which is not understood")
    return rule


def occurrences(
    rule: Rule,
    first: datetime,
    *,
    since: datetime,
    until: datetime,
    last: datetime | None = None,
    allowance: Allowance,
) -> Iterator[datetime]:
    """Every time from `since` up to and without `until`, in order; `last` is what UNTIL means.

    Like everybody, we count the first only if it is true to its own rule.
    """
    rule = _complete(rule, first)
    left = rule.count
    for at in _all(rule, first, _skipped(rule, first, since), until, allowance):
        if at < first:
            continue
        if at >= until or (last is not None and at > last) or left == 0:
            return
        left = None if left is None else left - 1
        if at >= since:
            yield at


# --- reading


def _parts(text: str) -> Iterator[tuple[str, str]]:
    for part in text.upper().split(";"):
        name, _, value = part.strip().partition("=")
        if name:
            yield name, value.strip()


def _number(parts: dict[str, str], name: str) -> int | None:
    text = parts.pop(name, None)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 6 and int(text) > 0):
        raise UnreadableRuleError(f"has no proper {name}")
    return int(text)


def _numbers(
    parts: dict[str, str], name: str, least: int, most: int, *, signed: bool = False
) -> frozenset[int]:
    text = parts.pop(name, "")
    found = set()
    for member in text.split(",") if text else ():
        digits = member.strip().removeprefix("+")
        bare = digits.removeprefix("-") if signed else digits
        if not (bare.isascii() and bare.isdecimal() and len(bare) <= 3):
            raise UnreadableRuleError(f"has no proper {name}")
        if not least <= int(bare) <= most:
            raise UnreadableRuleError(f"has a {name} that there is not")
        found.add(int(digits))
    return frozenset(found)


def _weekdays(text: str) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    plain: set[int] = set()
    nth: set[tuple[int, int]] = set()
    for member in text.split(",") if text else ():
        word = member.strip()
        if word[-2:] not in WEEKDAYS:
            raise UnreadableRuleError("has no proper BYDAY")
        day = WEEKDAYS.index(word[-2:])
        if word[:-2]:
            numbers = _numbers({"BYDAY": word[:-2]}, "BYDAY", 1, 53, signed=True)
            nth.update((number, day) for number in numbers)
        else:
            plain.add(day)
    return frozenset(plain), frozenset(nth)


def _week_start(word: str) -> int:
    if word not in WEEKDAYS:
        raise UnreadableRuleError("has no proper WKST")
    return WEEKDAYS.index(word)


def _complete(rule: Rule, first: datetime) -> Rule:
    """With all that the first says where the rule says nothing."""
    filled: dict[str, frozenset[int]] = {}
    says_more = rule.year_days or rule.month_days or rule.weekdays or rule.nth_weekdays
    says_days = rule.weeks or says_more
    match rule.frequency:
        case Frequency.YEARLY if not says_days:
            filled["month_days"] = frozenset({first.day})
            filled["months"] = rule.months or frozenset({first.month})
        case Frequency.YEARLY if not says_more:
            filled["weekdays"] = frozenset({first.weekday()})
        case Frequency.MONTHLY if not says_days:
            filled["month_days"] = frozenset({first.day})
        case Frequency.WEEKLY if not says_days:
            filled["weekdays"] = frozenset({first.weekday()})
    if rule.frequency is not Frequency.HOURLY:
        filled["hours"] = rule.hours or frozenset({first.hour})
    filled["minutes"] = rule.minutes or frozenset({first.minute})
    filled["seconds"] = rule.seconds or frozenset({first.second})
    values: Mapping[str, object] = {**rule.__dict__, **filled}
    return Rule(**values)  # type: ignore[arg-type]  # its own fields


# --- telling out


def _skipped(rule: Rule, first: datetime, since: datetime) -> int:
    """How many turns lie before what is asked about: none can be left out where they count."""
    if rule.count is not None or since <= first:
        return 0
    match rule.frequency:
        case Frequency.YEARLY:
            turns = since.year - first.year
        case Frequency.MONTHLY:
            turns = 12 * (since.year - first.year) + since.month - first.month
        case Frequency.WEEKLY:
            turns = (since - first) // (7 * DAY)
        case Frequency.DAILY:
            turns = (since - first) // DAY
        case Frequency.HOURLY:
            turns = (since - first) // HOUR
    return max(turns // rule.interval - 1, 0)


def _all(
    rule: Rule, first: datetime, skipped: int, until: datetime, allowance: Allowance
) -> Iterator[datetime]:
    turn = skipped * rule.interval
    while True:
        begins = _turn(rule, first, turn)
        if begins is None or begins >= until:
            return
        yield from _positioned(rule, _of_turn(rule, begins, allowance))
        turn += rule.interval


def _turn(rule: Rule, first: datetime, number: int) -> datetime | None:
    """The beginning of a year, month, week, day or hour; None after the end of all time."""
    first = first.replace(minute=0, second=0, microsecond=0)
    if rule.frequency is not Frequency.HOURLY:
        first = first.replace(hour=0)
    try:
        match rule.frequency:
            case Frequency.YEARLY:
                return first.replace(first.year + number, 1, 1)
            case Frequency.MONTHLY:
                years, month = divmod(first.month - 1 + number, 12)
                return first.replace(first.year + years, month + 1, 1)
            case Frequency.WEEKLY:
                days = (first.weekday() - rule.week_start) % 7
                return first - days * DAY + number * 7 * DAY
            case Frequency.DAILY:
                return first + number * DAY
            case Frequency.HOURLY:
                return first + number * HOUR
    except (ValueError, OverflowError):
        return None


def _of_turn(rule: Rule, begins: datetime, allowance: Allowance) -> list[datetime]:
    days = [day for day in _days(rule, begins, allowance) if _is_true(rule, day)]
    hours = rule.hours
    if rule.frequency is Frequency.HOURLY:
        here = frozenset({begins.hour})
        hours = rule.hours & here if rule.hours else here
    allowance.take(len(days) * len(hours) * len(rule.minutes) * len(rule.seconds))
    times = [time(*parts) for parts in product(hours, rule.minutes, rule.seconds)]
    return sorted(datetime.combine(day, at) for day in days for at in times)


def _days(rule: Rule, begins: datetime, allowance: Allowance) -> list[date]:
    """The days that a turn has, paid for."""
    match rule.frequency:
        case Frequency.YEARLY:
            months = sorted(rule.months) or range(1, 13)
            days = [day for month in months for day in _month(date(begins.year, month, 1))]
        case Frequency.MONTHLY:
            days = _month(begins.date())
        case Frequency.WEEKLY:
            first = begins.toordinal()
            last = min(first + 7, date.max.toordinal() + 1)
            days = [date.fromordinal(number) for number in range(first, last)]
        case Frequency.DAILY | Frequency.HOURLY:
            days = [begins.date()]
    allowance.take(TURN + len(days))
    return days


def _month(first: date) -> list[date]:
    return [first.replace(day=number + 1) for number in range(_length(first))]


def _length(day: date) -> int:
    """How many days its month has."""
    if day.month == 12:
        return 31
    return (day.replace(month=day.month + 1, day=1) - day.replace(day=1)).days


def _is_true(rule: Rule, day: date) -> bool:
    if rule.months and day.month not in rule.months:
        return False
    if rule.month_days and not _either(rule.month_days, day.day, _length(day)):
        return False
    if rule.year_days and not _either(rule.year_days, _number_in_year(day), _days_of(day.year)):
        return False
    if rule.weeks and not _either(rule.weeks, *_week(day, rule.week_start)):
        return False
    if rule.weekdays or rule.nth_weekdays:
        return day.weekday() in rule.weekdays or _is_nth(rule, day)
    return True


def _either(wanted: frozenset[int], number: int, of: int) -> bool:
    """Whether it is wanted by its number from the beginning, or from the end."""
    return number in wanted or number - of - 1 in wanted


def _is_nth(rule: Rule, day: date) -> bool:
    """Of its month, if the rule speaks of months; else of its year."""
    is_of_month = rule.frequency is Frequency.MONTHLY or bool(rule.months)
    number = day.day if is_of_month else _number_in_year(day)
    length = _length(day) if is_of_month else _days_of(day.year)
    return any(
        weekday == day.weekday() and n in ((number - 1) // 7 + 1, -((length - number) // 7 + 1))
        for n, weekday in rule.nth_weekdays
    )


def _number_in_year(day: date) -> int:
    return day.timetuple().tm_yday


def _days_of(year: int) -> int:
    return _number_in_year(date(year, 12, 31))


def _week(day: date, week_start: int) -> tuple[int, int]:
    """The number of its week, and how many its year has: a week is of the year that most of its
    days are of."""
    try:
        middle = day + (3 - (day.weekday() - week_start) % 7) * DAY
    except OverflowError:
        return 0, 0
    number = (_number_in_year(middle) - 1) // 7 + 1
    rest = (_days_of(middle.year) - _number_in_year(middle)) // 7
    return number, number + rest


def _positioned(rule: Rule, times: list[datetime]) -> Iterable[datetime]:
    if not rule.positions:
        return times
    return [at for n, at in enumerate(times, 1) if _either(rule.positions, n, len(times))]
