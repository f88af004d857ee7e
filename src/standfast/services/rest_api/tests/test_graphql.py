"""GraphQL: reads of campaigns, contacts, products and orders, by page, within limits."""

import pytest

from standfast.components.campaigns.api import Campaign
from standfast.platform.tenancy import account_scope
from standfast.services.rest_api.tests.caller import Caller, key_of


@pytest.fixture
def campaigns(people):
    with account_scope(people.account.pk):
        for number in range(4):
            Campaign.objects.create(
                account=people.account, name=f"Number {number}", state="sent" if number else "draft"
            )


def ask(caller, query, **more):
    return caller.post("graphql", {"query": query, **more}, suffix="")


def test_campaigns_come_three_a_page(alice, charlie, campaigns):
    query = "{ campaigns { id name status delivered total_pages } }"
    rows = ask(alice, query).json()["data"]["campaigns"]
    assert [row["name"] for row in rows] == ["Number 3", "Number 2", "Number 1"]
    assert {row["total_pages"] for row in rows} == {2}
    assert ask(charlie, query).json()["data"]["campaigns"] == []


def test_pages_filters_and_variables(alice, campaigns):
    query = 'query($page: Int) { campaigns(page: $page, per: 2, type: "sent") { name } }'
    answer = ask(alice, query, variables={"page": 2})
    assert answer.json() == {"data": {"campaigns": [{"name": "Number 1"}]}}


def test_contacts_are_read(alice):
    assert ask(alice, '{ contacts(email: "a@b.example") { id email total_pages } }').json() == {
        "data": {"contacts": []}
    }


def test_products_and_orders_are_read(alice, charlie):
    items = [{"item_id": "7", "price": "12.50", "quantity": "2"}, {"item_id": "9", "price": "3"}]
    for number in range(4):
        order = {"contact": {"email": "dana@example.com"}, "order_date": "2019-08-20", "order_status": "Paid",
                 "original_order_id": f"A-{number}", "order_items": items, "campaign_id": 5 if number else None}  # fmt: skip
        assert alice.post("orders", {"order": order}).status_code == 201
    query = "{ orders { original_order_id grand_total total_pages products { item_id price quantity } } }"
    rows = ask(alice, query).json()["data"]["orders"]
    assert [row["original_order_id"] for row in rows] == ["A-3", "A-2", "A-1"]
    assert rows[0] | {"products": rows[0]["products"][0]} == {
        "original_order_id": "A-3", "grand_total": 15.5, "total_pages": 2,
        "products": {"item_id": "7", "price": 12.5, "quantity": 2},
    }  # fmt: skip
    of_campaign = "query($c: String) { orders(campaign_id: $c, per: 200) { campaign_id } }"
    assert ask(alice, of_campaign, variables={"c": "5"}).json()["data"] == {"orders": [{"campaign_id": "5"}] * 3}
    assert ask(alice, '{ products(item_id: "9") { item_id price } }').json()["data"] == {
        "products": [{"item_id": "9", "price": None}]
    }
    assert ask(charlie, "{ orders { id } products { id } }").json() == {"data": {"orders": [], "products": []}}
    assert "number" in ask(alice, '{ orders(contact_id: "x") { id } }').json()["errors"][0]["message"]
    assert ask(alice, '{ orders(original_order_id: "\\u0000") { id } }').json()["errors"]


ALIASES = "{" + " ".join(f"a{n}: campaigns {{ id }}" for n in range(11)) + "}"


@pytest.mark.parametrize(
    "query",
    ["", "{", "{ nothing }", "{ campaigns { id } } { contacts { id } }", "mutation { campaigns { id } }",
     "{ __schema { types { name } } }", "{ __type(name: \"Campaign\") { name } }", ALIASES, "{ " * 3000,
     "{ campaigns { id } }" + " " * 10_001, "{ ...x } fragment x on Query { ...x }", 7, None,
     "{" + "campaigns { id }" * 11 + "}"],
)  # fmt: skip
def test_what_is_no_query_or_too_large_is_refused(alice, query):
    answer = ask(alice, query)
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("arguments", ["per: 0", "per: 100000", "page: 0", 'id: "x"'])
def test_an_argument_that_cannot_be_is_said(alice, campaigns, arguments):
    answer = ask(alice, f"{{ campaigns({arguments}) {{ id }} }}")
    assert (answer.status_code, answer.json()["data"]) == (200, {"campaigns": None})
    assert answer.json()["errors"]


def test_a_key_reads_only_what_it_may(alice, people, campaigns):
    reports = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["reports:read"]))
    assert "lacks the right" in ask(reports, "{ contacts { email } }").json()["errors"][0]["message"]
    assert "lacks the right" in ask(reports, "{ orders { id } }").json()["errors"][0]["message"]
    nothing = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["content:read"]))
    assert ask(nothing, "{ campaigns { id } }").status_code == 403
