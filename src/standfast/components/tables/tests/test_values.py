"""What each type takes, how it is kept, and what it refuses."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.components.tables.columns import ColumnDraft, DataType, restructured
from standfast.components.tables.values import found_by, typed

EASTERN = ZoneInfo("America/New_York")


def column(data_type: str, **more):
    drafts = [ColumnDraft("id", "Integer", primary_key=True), ColumnDraft("x", data_type, **more)]
    return restructured((), drafts, drop=(), next_id=1, has_rows=False)[1]


@pytest.mark.parametrize(
    ("data_type", "given", "kept"),
    [
        ("String", "é" * 255, "é" * 255),
        ("String", "", ""),
        ("String", 12, "12"),
        ("String", True, "true"),
        ("Text", "x" * 65_535, "x" * 65_535),
        ("Integer", "-42", -42),
        ("Integer", "7.000", 7),
        ("Integer", 3.0, 3),
        ("Integer", "", None),
        ("Integer", 2**31 - 1, 2**31 - 1),
        ("Bigint", str(-(2**63)), -(2**63)),
        ("Float", "1.234567", 1.23457),
        ("Float", "-0", 0.0),
        ("Float", 10**18, 1e18),
        ("Boolean", 1, True),
        ("Boolean", "false", False),
        ("Boolean", 0.0, False),
        ("Email", " Ann <Ann.B@Example.COM> ", "Ann.B@example.com"),
        ("UID", "  a-1 ", "a-1"),
        ("UID", "  ", None),
        ("DateTime", "07/04/2024", "2024-07-04T04:00:00.000+00:00"),
        ("DateTime", "12/31/2024 18:30", "2024-12-31T23:30:00.000+00:00"),
        ("DateTime", "2024-01-02", "2024-01-02T05:00:00.000+00:00"),
        ("DateTime", "2024-01-02T03:04:05.678Z", "2024-01-02T03:04:05.678+00:00"),
        ("DateTime", None, None),
    ],
)
def test_what_is_kept(data_type, given, kept):
    found = typed(column(data_type), given, zone=EASTERN)
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("data_type", "given", "reason"),
    [
        ("String", "x" * 256, "longer than 255"),
        ("String", "a\x00b", "cannot be stored"),
        ("String", "\ud800", "cannot be stored"),
        ("String", ["a"], "one value"),
        ("String", 10**400, "longer than 255"),
        ("Text", "é" * 32_768, "longer than 65,535 bytes"),
        ("Integer", 2**31, "out of the range"),
        ("Integer", 1.5, "not a whole number"),
        ("Integer", True, "not a whole number"),
        ("Integer", "١", "not a whole number"),
        ("Bigint", 2**63, "out of the range"),
        ("Bigint", 10**400, "out of the range"),
        ("Float", 10**400, "out of the range"),
        ("Float", float("inf"), "out of the range"),
        ("Float", float("nan"), "out of the range"),
        ("Float", "1e19", "out of the range"),
        ("Float", "1,5", "not a number"),
        ("Boolean", 2, "neither"),
        ("Boolean", {"a": 1}, "one value"),
        ("Email", "nobody", "no @"),
        ("Email", 7, "no address"),
        ("UID", "x" * 256, "longer than 255"),
        ("DateTime", "02/30/2024", "is no date"),
        ("DateTime", "13/01/2024", "is no date"),
        ("DateTime", "9999-12-31T23:59", "is no date"),
        ("DateTime", "0999-12-31", "before the year"),
        ("DateTime", "0001-01-01T00:00+10:00", "is no date"),
        ("DateTime", 20240101, "is no date"),
    ],
)
def test_what_is_refused(data_type, given, reason):
    with pytest.raises(ValueError, match=reason):
        typed(column(data_type), given, zone=EASTERN)


def test_a_shorter_string():
    with pytest.raises(ValueError, match="longer than 3"):
        typed(column("String", length=3), "abcd", zone=EASTERN)


def test_an_address_is_found_however_it_is_written():
    email = column("Email")
    assert found_by(email, typed(email, "Ann@EXAMPLE.com", zone=EASTERN)) == "ann@example.com"


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.just([1]) | st.just({})


@settings(max_examples=200, deadline=None)
@given(ANYTHING, st.sampled_from(list(DataType)))
def test_whatever_comes_is_kept_the_same_again_or_refused(value, data_type):
    """What is kept is taken again unchanged: a record that was read can be sent back."""
    one = column(data_type)
    try:
        kept = typed(one, value, zone=dt.UTC)
    except ValueError as error:
        assert str(error)
        return
    assert typed(one, kept, zone=dt.UTC) == kept
