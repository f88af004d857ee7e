"""Amounts of money and quantities: eight figures before the point and four after it, never below nothing."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

TOO_LARGE = Decimal(10) ** 8
STEP = Decimal("0.0001")


def read_amount(value: Any) -> Decimal:
    """A number, also given as text; what is finer than a step is rounded. Raises ValueError with the reason."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError("is not a number")
    if isinstance(value, int) and abs(value) >= TOO_LARGE:
        return within(TOO_LARGE.copy_sign(-1 if value < 0 else 1))
    text = value.strip() if isinstance(value, str) else str(value)
    if len(text) > 400 or not text.isascii() or "_" in text:
        raise ValueError("is not a number")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("is not a number") from None
    if not number.is_finite():
        raise ValueError("is not a number")
    return within(number)


def within(number: Decimal) -> Decimal:
    """The amount, if it can be stored. Raises ValueError."""
    if number < 0:
        raise ValueError("must not be negative")
    if number >= TOO_LARGE:
        raise ValueError("has more than 8 digits before the point")
    rounded = number.quantize(STEP, ROUND_HALF_EVEN)
    if rounded >= TOO_LARGE:
        raise ValueError("has more than 8 digits before the point")
    return rounded


def plain(amount: Decimal) -> int | float:
    """For JSON: a whole amount as a whole number. Twelve figures are exact in a float."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)
