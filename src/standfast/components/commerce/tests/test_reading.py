"""Amounts and dates as shops write them: a value that can be stored, or a reason."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.components.commerce.amounts import STEP, TOO_LARGE, plain, read_amount
from standfast.components.commerce.order_dates import FIRST, LAST, read_date
from standfast.components.commerce.writing import Item, TotalTooLarge, Wanted, total_of
from standfast.platform.rest.answers import EASTERN

ANYTHING = st.one_of(
    st.text(max_size=30), st.integers(), st.floats(), st.booleans(), st.none(), st.decimals(), st.lists(st.integers()),
    st.sampled_from(["1e999999", "1e-999999", "-0", "+5", " 7 ", "0x1", "1,5", "99999999.99995", str(10**4299)]),
)  # fmt: skip


@given(ANYTHING)
def test_any_amount_is_stored_as_it_comes_back_or_refused(value):
    try:
        amount = read_amount(value)
    except ValueError as error:
        assert str(error)
    else:
        assert 0 <= amount < TOO_LARGE and amount == amount.quantize(STEP)
        assert Decimal(repr(plain(amount))) == amount


@given(st.one_of(st.text(max_size=45), st.datetimes().map(str), st.dates().map(lambda day: day.strftime("%m/%d/%Y"))))
def test_any_date_is_a_moment_or_refused(text):
    try:
        at = read_date(text, zone=EASTERN)
    except ValueError as error:
        assert str(error)
    else:
        assert FIRST <= at < LAST and at.utcoffset() == dt.timedelta(0)


def item(price):
    return Item("x", Decimal(price))


@pytest.mark.parametrize(
    ("wanted", "before", "items", "total"),
    [
        (Wanted(items=[item(3), item(4)]), 0, [], 7),
        (Wanted(items=[item(3)], grand_total=Decimal(9)), 0, [], 9),
        (Wanted(items=[item(3)]), 12, [item(3), item(4)], 8),  # postage of five stays
        (Wanted(items=[item(3)]), 5, [item(3), item(4)], 1),  # so does a discount of two
        (Wanted(items=[]), 5, [item(3), item(4)], 0),  # nothing is bought for less than nothing
        (Wanted(status="Shipped"), 5, [item(3)], 5),
    ],
)
def test_what_an_order_costs(wanted, before, items, total):
    assert total_of(wanted, before=Decimal(before), items_before=items) == total


def test_an_order_cannot_cost_more_than_is_stored():
    with pytest.raises(TotalTooLarge):
        total_of(Wanted(items=[item(99_999_999), item(1)]))
