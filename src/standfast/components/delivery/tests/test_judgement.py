"""Who gets mail and who does not: the judgement, before the freeze and at the moment of sending, is that of the rules."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any, NamedTuple

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.flows.sending import sources

from standfast.components.accounts.api import Account
from standfast.components.audience import api as audience
from standfast.components.delivery import api as delivery
from standfast.components.delivery import leases
from standfast.components.delivery.sender import _refusal
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
WHY = ("hard_bounce", "complaint", "unsubscribe", "import", "manual", "api")
HASHES = (hashlib.md5, hashlib.sha256)


class Person(NamedTuple):
    """places: status by list; general: why on do-not-mail; brands: why on each brand's; secure: hash on each secure list."""

    places: dict[int, str]
    general: str | None
    brands: dict[int, str]
    secure: dict[int, int]


class Choice(NamedTuple):
    lists: set[int]
    left_out: set[int]
    secure: set[int]
    brand: int | None


def some(values: Any) -> st.SearchStrategy[dict[int, Any]]:
    return st.dictionaries(st.integers(0, 1), values, max_size=2)


PEOPLE = st.lists(
    st.builds(
        Person,
        st.dictionaries(st.integers(0, 2), st.sampled_from(("subscribed", "subscribed", "unsubscribed")), max_size=3),
        st.none() | st.sampled_from(WHY), some(st.sampled_from(WHY)), some(st.integers(0, 1)),
    ),
    min_size=1, max_size=25,
)  # fmt: skip
CHOICES = st.builds(
    Choice, st.sets(st.integers(0, 2), min_size=1), st.sets(st.integers(0, 2)), st.sets(st.integers(0, 1)),
    st.none() | st.integers(0, 1),
)  # fmt: skip


def barred(person: Person, choice: Choice) -> str | None:
    """What keeps mail from a person, whatever the lists say."""
    if person.general and (choice.brand is None or person.general == "hard_bounce"):
        return f"do_not_mail:{person.general}"
    if choice.brand in person.brands:
        return f"brand_do_not_mail:{person.brands[choice.brand]}"
    return None


def expected(person: Person, choice: Choice) -> str | None:
    """The rules in plain words of Python: "" for who is not asked about, None for who gets the mail."""
    on = {person.places[one] for one in choice.lists & person.places.keys()}
    if not on:
        return ""
    if "subscribed" not in on:
        return "unsubscribed"
    if why := barred(person, choice):
        return why
    if any(person.places.get(one) == "subscribed" for one in choice.left_out):
        return "suppressed_list"
    return "secure_list" if choice.secure & person.secure.keys() else None


class Made(NamedTuple):
    account_id: int
    contacts: list[int]
    lists: list[int]
    brands: list[int]
    secure: list[int]

    def ids(self, choice: Choice) -> dict[str, Any]:
        return {
            "account_id": self.account_id, "list_ids": [self.lists[one] for one in choice.lists],
            "suppressed_list_ids": [self.lists[one] for one in choice.left_out],
            "secure_list_ids": [self.secure[one] for one in choice.secure],
            "brand_id": None if choice.brand is None else self.brands[choice.brand],
        }  # fmt: skip


def key(number: int) -> str:
    return f"person{number}@people.example"


def make(account_id: int, people: list[Person]) -> Made:
    with account_scope(account_id), connection.cursor() as cursor:
        rows = [audience.ContactRow(key(number)) for number in range(len(people))]
        landed = audience.upsert_contacts(cursor, account_id=account_id, rows=rows)
        made = Made(
            account_id, [one.contact_id or 0 for one in landed],
            [audience.create_list(account_id=account_id, name=f"list {n}").pk for n in range(3)],
            [audience.brand_named(account_id=account_id, name=f"brand {n}").pk for n in range(2)],
            [audience.SecureList.objects.create(account_id=account_id, name=f"secure {n}").pk for n in range(2)],
        )  # fmt: skip
        audience.Subscription.objects.bulk_create(
            audience.Subscription(
                account_id=account_id, list_id=made.lists[one], contact_id=contact_id, status=status,
                since_at=leases.utc_now(),
            )
            for contact_id, person in zip(made.contacts, people, strict=True) for one, status in person.places.items()
        )  # fmt: skip
    return made


def bar(made: Made, people: list[Person]) -> None:
    """Put them on do-not-mail and secure lists."""
    account_id, at = made.account_id, leases.utc_now()
    with account_scope(account_id):
        for number, person in enumerate(people):
            who = {"account_id": account_id, "email_key": key(number), "email": key(number), "created_at": at}
            if person.general:
                audience.DoNotMail.objects.create(reason=person.general, **who)
            for brand, why in person.brands.items():
                audience.BrandDoNotMail.objects.create(brand_id=made.brands[brand], reason=why, **who)
            for one, kind in person.secure.items():
                digest = HASHES[kind](key(number).encode()).hexdigest()
                audience.add_entries(account_id=account_id, secure_list_id=made.secure[one], entries=[digest])


MANY = settings(
    max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)


@given(people=PEOPLE, choices=st.lists(CHOICES, min_size=3, max_size=8))
@MANY
def test_the_freeze_judges_as_the_rules_do(db, people, choices):
    made = make(Account.objects.create(name="Property", address="1 High Street").pk, people)
    bar(made, people)
    for choice in choices:
        chosen = made.ids(choice)
        rules = Counter(why for person in people if (why := expected(person, choice)) != "")
        with account_scope(made.account_id):
            counted = delivery.count_audience(**chosen)
            assert counted == delivery.estimate_audience(**chosen)
            send, frozen = delivery.freeze_send(campaign_id=None, sources=sources("news@shop.example"), **chosen)
            rows = delivery.Recipient.objects.filter(account_id=made.account_id, send_id=send.pk)
            written = set(rows.values_list("contact_id", flat=True))
        assert counted == frozen
        assert {None: counted.total, **counted.skipped} == {None: 0, **rules}
        assert written == {made.contacts[n] for n, person in enumerate(people) if expected(person, choice) is None}


@given(people=PEOPLE, choices=st.lists(CHOICES, min_size=3, max_size=8))
@MANY
def test_the_moment_of_sending_judges_as_the_rules_do(db, loader, people, choices):
    """Everybody is frozen before anything keeps mail from them; then all that comes at once."""
    made = make(Account.objects.create(name="Property", address="1 High Street").pk, people)
    with account_scope(made.account_id):
        sends = [
            delivery.freeze_send(campaign_id=None, sources=sources("news@shop.example"), **made.ids(choice))
            for choice in choices
        ]
    bar(made, people)
    for choice, (send, frozen) in zip(choices, sends, strict=True):
        lease = leases.take(loader, account_id=made.account_id, send_id=send.pk, node="here", journal="none")
        refused = {row.contact_id: _refusal(row) for row in leases.recipients(loader, lease)} if lease else {}
        assert len(refused) == frozen.total
        for contact_id, refusal in refused.items():
            person = people[made.contacts.index(contact_id)]
            kept = barred(person, choice) or ("secure" if choice.secure & person.secure.keys() else "")
            assert bool(refusal) == bool(kept)
            if refusal:
                assert kept.rpartition(":")[2] in refusal[1], (kept, refusal)
                assert ("brand" in refusal[1]) == kept.startswith("brand")


def test_nobody_reads_another_accounts_secure_lists_and_brands(cast, loader):
    """Charlie names Alice's in a send of his own: the lists leave nobody out, the brand is none."""
    people = [Person({0: "subscribed"}, None, {0: "manual"}, {0: 0})]
    hers = make(cast.account.pk, people)
    bar(hers, people)
    his = make(cast.other.pk, people)
    chosen = his.ids(Choice({0}, set(), set(), None))
    with account_scope(cast.other.pk):
        assert delivery.count_audience(**{**chosen, "secure_list_ids": hers.secure}).total == 1
        assert delivery.count_audience(**{**chosen, "brand_id": hers.brands[0]}).total == 1
        with pytest.raises(audience.NoSuchBrand):
            delivery.freeze_send(
                campaign_id=None, sources=sources("x@shop.example"), **{**chosen, "brand_id": hers.brands[0]}
            )
