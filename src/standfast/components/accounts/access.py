"""Who may see a page: the account's members, each as far as their role goes; for everybody else it does not exist."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import DataError, connection, transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from standfast.components.accounts import time_zones
from standfast.components.accounts.models import Account, Membership, Role
from standfast.platform import tenancy

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LAST_ACCOUNT = "last_account_id"
_RANK = {Role.READER: 0, Role.MEMBER: 1, Role.ADMIN: 2}

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class AccountLink:
    """A line of the account switcher."""

    id: int
    name: str
    url: str


def account_page(view: View | None = None, *, role: Any = Role.READER, post: Any = Role.MEMBER) -> Any:
    """Decorate a view under /accounts/<int:account_id>/...; it is called as view(request, account_id, ...).

    Whoever is not signed in goes to the sign-in and comes back; a stranger gets 404; a member below `role` gets 403.
    Methods that change something need `post` as well (`post=Role.READER` for a preview that only answers).
    The view and the rendering of its template run in one transaction that sees this account only, committed at a normal return,
    and in the account's time zone.
    Sets request.account, .accounts (AccountLinks of the switcher), .membership and .role.
    """
    if view is None:
        return functools.partial(account_page, role=role, post=post)

    @functools.wraps(view)
    def page(request: HttpRequest, account_id: int, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return to_sign_in(request)
        with transaction.atomic():
            _admit(request, account_id)
            _check_role(request, role if request.method in SAFE_METHODS else max(role, post, key=_RANK.__getitem__))
            with timezone.override(time_zones.zone(request.account.time_zone)):  # type: ignore[attr-defined]
                response = _answer(view, request, account_id, *args, **kwargs)
                render = getattr(response, "render", None)
                if callable(render):
                    response = render()  # here, not after the middleware: a template may ask the database
        _refuse_late_reading(response)
        # People's data: neither a proxy nor the browser of a shared computer keeps it.
        response.headers.setdefault("Cache-Control", "private, no-store")
        if request.session.get(LAST_ACCOUNT) != account_id:
            request.session[LAST_ACCOUNT] = account_id
        return response

    return page


def _answer(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    try:
        return view(request, *args, **kwargs)
    except DataError as error:
        if "NUL" not in str(error):
            raise
        # A text cannot hold it (PostgreSQL); only a machine writes it, so a plain refusal will do.
        raise BadRequest("the request holds a NUL character") from error


def stream(
    request: HttpRequest, rows: Callable[[], Iterator[str | bytes]], *, content_type: str
) -> StreamingHttpResponse:
    """A streaming answer of an account page: `rows` is called when the sending begins, in a transaction of its own."""
    account_id = request.account.pk  # type: ignore[attr-defined]

    def scoped() -> Iterator[str | bytes]:
        with tenancy.account_scope(account_id):
            yield from rows()

    response = StreamingHttpResponse(scoped(), content_type=content_type)
    response.opens_its_own_scope = True  # type: ignore[attr-defined]
    return response


def may(request: HttpRequest, role: Any) -> bool:
    """Whether who asks has at least `role` in the page's account."""
    return _RANK[request.role] >= _RANK[role]  # type: ignore[attr-defined]


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Redirect to the sign-in, which comes back here; a part of a page that htmx asked for makes the whole page go there."""
    headers = request.headers
    if "HX-Request" not in headers:
        return redirect_to_login(request.get_full_path())
    parts = urlsplit(headers.get("HX-Current-URL", ""))
    back = redirect_to_login(parts._replace(scheme="", netloc="").geturl() or "/")
    return HttpResponse(headers={"HX-Redirect": back.url})


def accounts_of_user(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: request.account (the one last looked at) and request.accounts on pages of no account, asked for when used."""

    def answer(request: HttpRequest) -> HttpResponse:
        request.accounts = SimpleLazyObject(lambda: account_links(request))  # type: ignore[attr-defined]
        request.account = SimpleLazyObject(lambda: last_account(request))  # type: ignore[attr-defined]
        return get_response(request)

    return answer


def memberships_of(user: Any) -> list[Membership]:
    """All memberships of a user with their accounts, by the account's name."""
    with transaction.atomic(), connection.cursor() as cursor:
        tenancy.enter_user(cursor, user.pk)
        found = _own_memberships(user)
        tenancy.leave_user(cursor)
        return found


def account_links(request: HttpRequest) -> list[AccountLink]:
    """The accounts of who asks, for the switcher; none before the sign-in."""
    return _links(_asked_once(request))


def last_account(request: HttpRequest) -> Account | None:
    """The account that was last looked at in this session, or the first one; None where there is none."""
    accounts = [membership.account for membership in _asked_once(request)]
    last = request.session.get(LAST_ACCOUNT)
    return next((account for account in accounts if account.pk == last), accounts[0] if accounts else None)


def _asked_once(request: HttpRequest) -> list[Membership]:
    if not request.user.is_authenticated:
        return []
    if not hasattr(request, "_memberships"):
        request._memberships = memberships_of(request.user)  # type: ignore[attr-defined]
    return request._memberships  # type: ignore[attr-defined,no-any-return]


def _admit(request: HttpRequest, account_id: int) -> None:
    """Enter the account, or raise Http404 for a stranger. Only the person's own memberships are seen until then."""
    with connection.cursor() as cursor:
        tenancy.enter_user(cursor, request.user.pk)  # type: ignore[arg-type]
        memberships = _own_memberships(request.user)
        membership = next((one for one in memberships if one.account_id == account_id), None)
        if membership is None:
            raise Http404
        # Left at once, or the person's memberships in other accounts would be seen by the view's queries.
        tenancy.leave_user(cursor)
        tenancy.enter(cursor, account_id)
    request.membership = membership  # type: ignore[attr-defined]
    request.role = Role(membership.role)  # type: ignore[attr-defined]
    request.account = membership.account  # type: ignore[attr-defined]
    request.accounts = _links(memberships)  # type: ignore[attr-defined]


def _own_memberships(user: Any) -> list[Membership]:
    return list(Membership.objects.filter(user=user).select_related("account").order_by("account__name", "account_id"))


def _links(memberships: list[Membership]) -> list[AccountLink]:
    return [AccountLink(m.account.pk, m.account.name, f"/accounts/{m.account.pk}/") for m in memberships]


def _check_role(request: HttpRequest, needed: Any) -> None:
    if not may(request, needed):
        has = request.role.label.lower()  # type: ignore[attr-defined]
        raise PermissionDenied(
            f"Your role here is “{has}”; this needs “{needed.label.lower()}”. Ask an administrator of the account."
        )


def _refuse_late_reading(response: HttpResponseBase) -> None:
    if response.streaming and not isinstance(response, FileResponse) and not hasattr(response, "opens_its_own_scope"):
        raise RuntimeError(
            "A streaming answer is read after the account's scope has ended. Make it with accounts.api.stream()."
        )
