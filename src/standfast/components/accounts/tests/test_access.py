"""Who gets through account_page: members as far as their role goes; for a stranger there is nothing."""

from __future__ import annotations

import io
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from standfast.components.accounts.api import Membership, Role, account_page, last_account, stream, to_sign_in

pytestmark = pytest.mark.django_db(transaction=True)
SEEN = "SELECT count(*), count(DISTINCT account_id) FROM accounts_membership"


def asked(user, method="get", path="/accounts/1/x/", **headers):
    request = getattr(RequestFactory(), method)(path, **headers)
    request.user = user
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    return request


def seen() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(SEEN)
        return cursor.fetchone()


@account_page
def people(request, account_id):
    return HttpResponse(f"{request.account.name} {request.role} {seen()}")


@account_page(role=Role.ADMIN)
def guarded(request, account_id):
    return HttpResponse("secret")


@account_page(post=Role.READER)
def preview(request, account_id):
    return HttpResponse("preview")


def set_role(cast, user, role):
    from standfast.platform.tenancy import account_scope

    with account_scope(cast.account.pk):
        Membership.objects.filter(user=user).update(role=role)


def test_a_member_sees_their_account_and_no_row_of_another(cast):
    answer = people(asked(cast.alice), account_id=cast.account.pk)
    assert answer.content.decode() == f"{cast.account.name} admin (2, 1)"


def test_membership_elsewhere_is_not_seen_inside_an_account(cast):
    from standfast.platform.tenancy import account_scope

    with account_scope(cast.other.pk):
        Membership.objects.create(account=cast.other, user=cast.alice, role=Role.READER)
    request = asked(cast.alice)
    assert b"(2, 1)" in people(request, account_id=cast.account.pk).content
    assert [link.id for link in request.accounts] == [cast.account.pk, cast.other.pk]
    assert request.accounts[0].url == f"/accounts/{cast.account.pk}/"


def test_charlie_gets_the_same_404_as_for_an_account_that_does_not_exist(cast):
    for account_id in (cast.account.pk, 2**40):
        with pytest.raises(Http404) as refusal:
            people(asked(cast.charlie), account_id=account_id)
        assert str(refusal.value) == ""
    assert seen() == (0, 0)


def test_nobody_signed_in_goes_to_the_sign_in_and_comes_back(cast):
    answer = people(asked(AnonymousUser(), path="/accounts/1/x/?a=b"), account_id=cast.account.pk)
    assert answer.status_code == 302
    assert answer.url == "/login/?next=/accounts/1/x/%3Fa%3Db" or answer.url.endswith("?next=/accounts/1/x/%3Fa%3Db")


def test_a_part_of_a_page_makes_the_whole_page_go_to_the_sign_in():
    answer = to_sign_in(
        asked(AnonymousUser(), HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL="http://evil.example/accounts/1/y/?p=2")
    )
    assert answer.headers["HX-Redirect"].endswith("?next=/accounts/1/y/%3Fp%3D2")


def test_roles_limit_pages_and_changes(cast):
    account_id = cast.account.pk
    with pytest.raises(PermissionDenied, match="Ask an administrator"):
        guarded(asked(cast.bob), account_id=account_id)
    assert people(asked(cast.bob, "post"), account_id=account_id).status_code == 200
    set_role(cast, cast.bob, Role.READER)
    assert people(asked(cast.bob), account_id=account_id).status_code == 200
    assert preview(asked(cast.bob, "post"), account_id=account_id).status_code == 200
    for method in ("post", "put", "patch", "delete"):
        with pytest.raises(PermissionDenied):
            people(asked(cast.bob, method), account_id=account_id)
    assert guarded(asked(cast.alice, "post"), account_id=account_id).status_code == 200


def test_a_page_costs_one_membership_query(cast):
    request = asked(cast.alice)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        account_page(lambda request, account_id: HttpResponse())(request, account_id=cast.account.pk)
    statements = [one["sql"] for one in queries if one["sql"] not in {"BEGIN", "COMMIT"}]
    assert sum("accounts_membership" in sql for sql in statements) == 1
    assert sum("app.account_id" in sql for sql in statements) == 1
    assert len(statements) == 4  # user, memberships, forget the user, account


def test_a_page_tells_the_time_of_the_account(cast):
    cast.account.time_zone = "Asia/Tokyo"
    cast.account.save()

    @account_page
    def clock(request, account_id):
        return HttpResponse(timezone.get_current_timezone_name())

    assert clock(asked(cast.alice), account_id=cast.account.pk).content == b"Asia/Tokyo"
    assert timezone.get_current_timezone_name() == "UTC"


def test_an_error_undoes_what_the_page_wrote(cast):
    @account_page
    def breaks(request, account_id):
        request.account.name = "Broken"
        request.account.save()
        raise ValueError

    with pytest.raises(ValueError):
        breaks(asked(cast.alice), account_id=cast.account.pk)
    cast.account.refresh_from_db()
    assert cast.account.name != "Broken"


def test_a_template_may_still_ask_the_database(cast):
    template = engines["django"].from_string("{{ seen }}")

    @account_page
    def late(request, account_id):
        return TemplateResponse(request, template, {"seen": seen})

    answer = late(asked(cast.alice), account_id=cast.account.pk)
    assert answer.content == b"(2, 1)"


def test_a_stream_reads_in_the_account(cast):
    @account_page
    def export(request, account_id):
        return stream(request, lambda: (str(seen()) for _ in range(1)), content_type="text/csv")

    answer = export(asked(cast.alice), account_id=cast.account.pk)
    assert b"".join(answer.streaming_content) == b"(2, 1)"
    assert seen() == (0, 0)


def test_a_stream_outside_of_the_scope_is_refused(cast):
    def raw(request, account_id):
        return StreamingHttpResponse(iter([b"x"]))

    with pytest.raises(RuntimeError, match=r"stream\(\)"):
        account_page(raw)(asked(cast.alice), account_id=cast.account.pk)
    file = account_page(lambda request, account_id: FileResponse(io.BytesIO(b"file")))
    file(asked(cast.alice), account_id=cast.account.pk).close()


def test_the_last_account_is_remembered_and_only_while_one_belongs_there(cast):
    request = asked(cast.alice)
    people(request, account_id=cast.account.pk)
    assert last_account(request) == cast.account
    again = asked(cast.charlie)
    again.session["last_account_id"] = cast.account.pk
    assert last_account(again) == cast.other
    assert last_account(SimpleNamespace(user=AnonymousUser(), session={})) is None
