"""Random questions about times, answered by Python's datetime and zoneinfo: CASES SEED on the command line.

A line each: kind, milliseconds since 1970, argument, number, zone, answer; separated by tabs.
"""

import random
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
LOCAL_EPOCH = datetime(1970, 1, 1)
MONDAY = datetime(1969, 12, 29)
MS = timedelta(milliseconds=1)
ZONES = [
    "UTC", "America/Los_Angeles", "America/New_York", "America/Sao_Paulo", "America/St_Johns", "Europe/Berlin",
    "Europe/London", "Europe/Lisbon", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo", "Asia/Tehran", "Africa/Cairo",
    "Australia/Lord_Howe", "Australia/Adelaide", "Pacific/Apia", "Pacific/Auckland", "Pacific/Chatham",
]
MILLIS = {
    "PT1S": 1000, "PT1M": 60_000, "PT5M": 300_000, "PT15M": 900_000, "PT1H": 3_600_000, "PT6H": 21_600_000,
    "PT8H": 28_800_000, "P1D": 86_400_000, "P3D": 259_200_000, "P1W": 604_800_000, "P2W": 1_209_600_000,
}
MONTHS = {"P1M": 1, "P2M": 2, "P3M": 3, "P1Y": 12, "P10Y": 120}
STEPS = {
    "P1Y": (1, 0, 0, 0, 0), "P1M": (0, 1, 0, 0, 0), "P1W": (0, 0, 1, 0, 0), "P1D": (0, 0, 0, 1, 0),
    "PT1H": (0, 0, 0, 0, 3_600_000), "PT90M": (0, 0, 0, 0, 5_400_000), "P1Y2M3DT4H": (1, 2, 0, 3, 14_400_000),
    "P1M1D": (0, 1, 0, 1, 0), "PT0.5S": (0, 0, 0, 0, 500),
}
PARTS = [
    "EPOCH", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "DOW", "DOY", "WEEK", "MONTH", "QUARTER", "YEAR", "ISOYEAR",
    "DECADE", "CENTURY", "MILLENNIUM",
]


def clock(time, zone):
    """What clocks show, and how far they are ahead of UTC."""
    shown = (EPOCH + time * MS).astimezone(zone)
    return shown.replace(tzinfo=None), shown.utcoffset()


def instant(shown, zone):
    """In a skipped hour the later, in a repeated one the first."""
    return (shown.replace(tzinfo=zone, fold=0) - EPOCH) // MS


def moved(time, zone, change):
    shown, ahead = clock(time, zone)
    shown = change(shown)
    same = (shown - LOCAL_EPOCH - ahead) // MS
    return same if clock(same, zone)[1] == ahead else instant(shown, zone)


def add_months(shown, count):
    year, month = divmod(shown.year * 12 + shown.month - 1 + count, 12)
    first = datetime(year, month + 1, 1)
    next_first = datetime(year + month // 11, (month + 1) % 12 + 1, 1)
    return shown.replace(year=year, month=month + 1, day=min(shown.day, (next_first - first).days))


def floor_clock(shown, period):
    if period in MONTHS:
        months = (shown.year - 1970) * 12 + shown.month - 1
        floored = months // MONTHS[period] * MONTHS[period]
        return datetime(1970 + floored // 12, floored % 12 + 1, 1)
    length = timedelta(milliseconds=MILLIS[period])
    origin = MONDAY if period.endswith("W") else LOCAL_EPOCH
    return origin + (shown - origin) // length * length


def floor(time, period, zone):
    shown, ahead = clock(time, zone)
    floored = floor_clock(shown, period)
    same = (floored - LOCAL_EPOCH - ahead) // MS
    return same if clock(same, zone)[0] == floored else min(instant(floored, zone), time)


def change_between(low, high, zone):
    """The first instant with another offset than `low`, where `high` has another."""
    ahead = clock(low, zone)[1]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if clock(middle, zone)[1] == ahead else (low, middle)
    return high


def ceil(time, period, zone):
    """The first instant from this one that a bucket starts at, by halving; clocks set back must not hide it."""
    start = floor(time, period, zone)
    if start == time:
        return time
    length = MILLIS.get(period) or MONTHS[period] * 31 * 86_400_000
    low, high = time, time + 2 * length + 2 * 86_400_000
    if clock(low, zone)[1] != clock(high, zone)[1]:
        before_change = change_between(low, high, zone) - 1
        if floor(before_change, period, zone) > start:
            high = before_change
    while high - low > 1:
        middle = (low + high) // 2
        if floor(middle, period, zone) > start:
            high = middle
        else:
            low = middle
    return high


def shift(time, step, count, zone):
    years, months, weeks, days, millis = (part * count for part in STEPS[step])
    if years:
        time = moved(time, zone, lambda shown: add_months(shown, years * 12))
    if months:
        time = moved(time, zone, lambda shown: add_months(shown, months))
    if weeks:
        time = moved(time, zone, lambda shown: shown + timedelta(weeks=weeks))
    if days:
        time = moved(time, zone, lambda shown: shown + timedelta(days=days))
    return time + millis


def months_between(start, end, zone):
    if end < start:
        return -months_between(end, start, zone)
    first, last = clock(start, zone)[0], clock(end, zone)[0]
    months = (last.year - first.year) * 12 + last.month - first.month
    return months if add_months(first, months) <= last else months - 1


def part(time, name, zone):
    shown = clock(time, zone)[0]
    week = shown.isocalendar()
    return {
        "EPOCH": abs(time) // 1000 * (1 if time > 0 else -1), "MILLISECOND": shown.microsecond // 1000,
        "SECOND": shown.second, "MINUTE": shown.minute, "HOUR": shown.hour, "DAY": shown.day, "DOW": week[2],
        "DOY": shown.timetuple().tm_yday, "WEEK": week[1], "MONTH": shown.month, "QUARTER": (shown.month + 2) // 3,
        "YEAR": shown.year, "ISOYEAR": week[0], "DECADE": shown.year // 10, "CENTURY": -(-shown.year // 100),
        "MILLENNIUM": -(-shown.year // 1000),
    }[name]


def some_time(zone):
    """From 1840 to 2100; half of them within two hours of a change of clocks."""
    time = random.randrange(-4_102_444_800_000, 4_102_444_800_000)
    if random.random() < 0.5:
        return time
    ahead = clock(time, zone)[1]
    low, high = time, time + 366 * 86_400_000
    if clock(high, zone)[1] == ahead:
        high = time + 200 * 86_400_000
    if clock(high, zone)[1] == ahead:
        return time
    return change_between(low, high, zone) + random.choice([-1, 0, random.randrange(-7_200_000, 7_200_000)])


def case():
    name = random.choice(ZONES)
    zone = ZoneInfo(name)
    time = some_time(zone)
    kind = random.choice(["floor", "ceil", "shift", "part", "months", "text"])
    argument, number = "", 0
    if kind in ("floor", "ceil"):
        argument = random.choice([*MILLIS, *MONTHS])
        answer = (floor if kind == "floor" else ceil)(time, argument, zone)
    elif kind == "shift":
        argument, number = random.choice([*STEPS]), random.randrange(-30, 31)
        answer = shift(time, argument, number, zone)
    elif kind == "part":
        argument = random.choice(PARTS)
        answer = part(time, argument, zone)
    elif kind == "months":
        number = time + random.randrange(-400, 400) * 21_600_000
        answer = months_between(time, number, zone)
    else:
        shown = clock(time, zone)[0]
        answer = shown.strftime("%d %b %y, %j ") + shown.isoformat(sep="T", timespec="milliseconds")
    return f"{kind}\t{time}\t{argument}\t{number}\t{name}\t{answer}"


random.seed(int(sys.argv[2]))
for _ in range(int(sys.argv[1])):
    print(case())
