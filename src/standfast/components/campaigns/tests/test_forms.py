import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.forms import ValidationError

from standfast.components.campaigns.forms import in_zone

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(("day", "time"), [((2027, 3, 14), (2, 30)), ((9999, 12, 31), (23, 59))])
def test_a_time_that_does_not_exist_is_refused_with_a_sentence(day, time):
    with pytest.raises(ValidationError):
        in_zone(dt.date(*day), dt.time(*time), NEW_YORK)


def test_of_two_equal_times_the_first_is_meant():
    assert in_zone(dt.date(2027, 11, 7), dt.time(1, 30), NEW_YORK) == dt.datetime(2027, 11, 7, 5, 30, tzinfo=dt.UTC)
