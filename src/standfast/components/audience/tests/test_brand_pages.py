"""The pages of brands and secure lists, and lists that belong to a brand."""

from __future__ import annotations

import hashlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from standfast.components.audience import api, brand_pages, secure_lists
from standfast.components.audience.models import Brand, SecureList
from standfast.components.audience.tests.test_pages import ask, go, signed_in
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)


def test_brands_are_added_given_to_lists_and_deleted(cast):
    bob, alice, account = signed_in(cast.bob), signed_in(cast.alice), cast.account.pk
    assert "You need none" in ask(bob, go(cast, "brands"))
    assert "Brand" not in ask(bob, go(cast, "new_list")).split("<main")[1]  # not asked for where there is none
    assert "is a brand now" in ask(bob, go(cast, "brands"), {"name": " Toys  & more "})
    assert ask(bob, go(cast, "brands"), {"name": "Toys & more"}).count("<td>Toys &amp; more</td>") == 1
    with account_scope(account):
        brand = Brand.objects.get(account_id=account).pk
    ask(bob, go(cast, "new_list"), {"name": "Offers", "brand": brand})
    with account_scope(account):
        place = api.List.objects.get(account_id=account)
    assert place.brand_id == brand
    assert bob.post(go(cast, "delete_brand", brand)).status_code == 403
    assert "Not deleted." in ask(alice, go(cast, "delete_brand", brand), {})
    ask(alice, go(cast, "edit_list", place.pk), {"name": "Offers", "brand": ""})
    assert "is deleted" in ask(alice, go(cast, "delete_brand", brand), {})


def test_a_secure_list_takes_files_of_hashes_and_addresses(cast, monkeypatch):
    alice, account = signed_in(cast.alice), cast.account.pk
    ask(alice, go(cast, "secure_lists"), {"name": "Partner", "description": "by contract"})
    assert "There is a secure list of this name." in ask(alice, go(cast, "secure_lists"), {"name": "Partner"})
    with account_scope(account):
        one = SecureList.objects.get(account_id=account).pk
    page = go(cast, "secure_list", one)
    md5, sha1 = (make(b"ana@example.com").hexdigest() for make in (hashlib.md5, hashlib.sha1))
    text = f'\ufeffemail;name\r\n"Bo@Example.com";Bo\n{md5.upper()},x\n\n{sha1}\n{md5}\n\x00\xff'
    shown = ask(alice, page, {"file": SimpleUploadedFile("partner.txt", text.encode())})
    assert "2 added." in shown and "1 lines are hashes that cannot be compared" in shown
    assert "2 lines are neither hashes nor addresses" in shown
    with account_scope(account):
        keys = ["ana@example.com", "bo@example.com", "cy@example.com"]
        found = api.on_secure_lists(account_id=account, secure_list_ids=[one], keys=keys)
        assert found == set(keys[:2]) and SecureList.objects.get(account_id=account).size == 2
    assert "This field is required." in ask(alice, page, {"leave": "1"})
    monkeypatch.setattr(secure_lists, "LINES_MAX", 1)
    assert "Split it" in ask(alice, page, {"file": SimpleUploadedFile("a.txt", b"a@example.com\nb@example.com\n")})
    monkeypatch.setattr(brand_pages, "FILE_BYTES_MAX", 3)
    assert alice.post(page, {"file": SimpleUploadedFile("a.txt", b"a@example.com")}).status_code == 413
    with account_scope(account):
        assert SecureList.objects.get(account_id=account).size == 2
    assert signed_in(cast.charlie).get(page).status_code == 404
    assert "is deleted" in ask(alice, go(cast, "delete_secure_list", one), {})
