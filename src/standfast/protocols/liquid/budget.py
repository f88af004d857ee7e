"""What one rendering may use, so that a template that loops for ever or asks for gigabytes ends in an error.

python-liquid has limits of its own; they bound nested loops and written output but neither the loops one after the
other, nor what a filter makes, nor a range that is sorted or skipped over before the loop begins, nor time.
"""

from time import monotonic
from typing import Any

from liquid.exceptions import ResourceLimitError

LOOP_TURNS_MAX = 20_000
RANGE_NUMBERS_MAX = 10_000
LIST_ITEMS_MAX = 20_000
VALUE_CHARS_MAX = 200_000
WORK_CHARS_MAX = 20_000_000
OUTPUT_CHARS_MAX = 2_000_000
NUMBER_BITS_MAX = 4_096
SECONDS_MAX = 0.4


class BudgetError(ResourceLimitError):
    """The template asked for more than a message may use. The text says what, in plain words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, token=None)


class Budget:
    """What is left for one rendering."""

    __slots__ = ("chars_left", "deadline", "output_left", "turns_left")

    def __init__(self) -> None:
        self.turns_left = LOOP_TURNS_MAX
        self.chars_left = WORK_CHARS_MAX
        self.output_left = OUTPUT_CHARS_MAX
        self.deadline = monotonic() + SECONDS_MAX

    def loop(self, turns: int) -> None:
        """Pay for a loop of so many turns before it begins."""
        self.turns_left -= turns
        if self.turns_left < 0:
            raise BudgetError(f"its loops take more than {LOOP_TURNS_MAX:,} turns")
        self.clock()

    def clock(self) -> None:
        """Stop when time is up."""
        if monotonic() > self.deadline:
            raise BudgetError("it takes too long to render")

    def made(self, value: Any) -> Any:
        """Pay for a value that a filter or an assignment made, and hand it on."""
        if isinstance(value, str | list | tuple | range):
            size = len(value)
            limit = VALUE_CHARS_MAX if isinstance(value, str) else LIST_ITEMS_MAX
            if size > limit:
                kind = "characters" if isinstance(value, str) else "items"
                raise BudgetError(f"it makes a value of more than {limit:,} {kind}")
            self.chars_left -= size
            if self.chars_left < 0:
                raise BudgetError("it works through too much text")
        elif isinstance(value, int) and value.bit_length() > NUMBER_BITS_MAX:
            raise BudgetError("it makes a number of more than a thousand digits")
        return value


def check_range(numbers: range) -> range:
    """Refuse a range that is too long to walk through."""
    try:
        length = len(numbers)
    except OverflowError:
        length = RANGE_NUMBERS_MAX + 1
    if length > RANGE_NUMBERS_MAX:
        raise BudgetError(f"it has a range of more than {RANGE_NUMBERS_MAX:,} numbers")
    return numbers
