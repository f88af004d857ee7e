"""Numbers, shares, sizes and times as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()
THIN = "\u202f"  # narrow no-break space, before units
GROUP = "\u00a0"  # between groups of digits: Inter draws it as wide as others draw a thin space, and its thin one hardly at all


@register.filter
def num(value: Any) -> str:
    """1 234 567 with thin separators; a dash for nothing."""
    if value in (None, ""):
        return "–"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.1f}".replace(",", GROUP)
    return f"{int(value):,}".replace(",", GROUP)


@register.filter
def short_num(value: Any) -> str:
    """12.3k, 4.5M: for tight places."""
    if value in (None, ""):
        return "–"
    number = float(value)
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(number) >= limit:
            return f"{number / (1e3 if letter == 'k' else limit):.1f}".removesuffix(".0") + letter
    return num(int(number))


@register.filter
def percent_of(part: Any, whole: Any) -> str:
    """`{{ opened|percent_of:delivered }}`: 12.3 %, a dash where there is no whole; never 100 % of less than all."""
    if not whole:
        return "–"
    return percent(100 * (part or 0) / whole)


@register.filter
def percent(value: Any) -> str:
    """A figure from 0 to 100 as 12.3 %; below one in two digits, as complaints count from 0.1 % on."""
    if value in (None, ""):
        return "–"
    share = float(value)
    if 0 < share < 0.005:
        return f"<{THIN}0.01{THIN}%"
    if 0 < share < 0.995:
        return f"{f'{share:.2f}'.removesuffix('0').removesuffix('.')}{THIN}%"
    if 99.95 <= share < 100:
        share = 99.9
    text = f"{share:.1f}".removesuffix(".0")
    return f"{text}{THIN}%"


@register.filter
def width_of(part: Any, whole: Any) -> str:
    """A share as a CSS width, 0 to 100 %: `style="width: {{ done|width_of:total }}"`."""
    return f"{min(100.0, max(0.0, 100 * (part or 0) / whole)):.2f}%" if whole else "0%"


@register.filter
def size(value: Any) -> str:
    """Bytes as 34 KB, 1.2 MB (thousands, as mailbox providers count)."""
    number = float(value or 0)
    for unit in ("B", "KB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.1f}".removesuffix(".0") + THIN + unit if unit != "B" else f"{int(number)}{THIN}B"
        number /= 1000
    return ""


@register.filter
def lasting(value: Any) -> str:
    """A timedelta or seconds as 8 s, 4 min 5 s, 2 h 10 min, 3 d 4 h."""
    if value is None:
        return "–"
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    first = next((at for at, (amount, _) in enumerate(parts) if amount), 3)
    shown = [part for part in parts[first : first + 2] if part[0]] or [parts[3]]
    return " ".join(f"{amount}{THIN}{unit}" for amount, unit in shown)


@register.filter
def ago(value: Any) -> SafeString | str:
    """A time element: '3 minutes ago', 'in 2 hours', 'yesterday 14:05', '24 Nov 2026'; the exact time in its title."""
    if value is None:
        return "never"
    if not isinstance(value, datetime):
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), value.strftime("%-d %b %Y"))
    aware = value if timezone.is_aware(value) else value.replace(tzinfo=UTC)
    local = timezone.localtime(aware)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        aware.isoformat(),
        local.strftime("%A, %-d %B %Y, %H:%M:%S %Z"),
        _apart(local, timezone.localtime()),
    )


def _apart(when: datetime, now: datetime) -> str:
    seconds = (now - when).total_seconds()
    distance = abs(seconds)
    if distance < 45:
        return "just now" if seconds >= 0 else "in a moment"
    if distance < 3600 * 22:
        minutes = max(1, round(distance / 60))
        hours = round(distance / 3600)
        words = _count(minutes, "minute") if minutes < 60 else _count(hours, "hour")
        return f"{words} ago" if seconds > 0 else f"in {words}"
    return _on(when.date(), now.date(), f"{when:%H:%M}")


def _on(day: date, today: date, clock: str) -> str:
    apart = (today - day).days
    named = {0: "today", 1: "yesterday", -1: "tomorrow"}
    if apart in named:
        return f"{named[apart]} {clock}"
    return day.strftime("%-d %b") + (f", {clock}" if day.year == today.year else f" {day.year}")


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """The exact time, for schedules and ledgers: 24 Nov 2026, 21:05."""
    if value is None:
        return "–"
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), f"{local:%Z}", f"{local:%-d %b %Y, %H:%M}"
    )
