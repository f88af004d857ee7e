"""Who may log in. There is no default password: a person chooses theirs by a link that works once, for a day."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from django.contrib import messages
from django.contrib.auth import authenticate, get_user_model, login, logout
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from standfast.operations.desk import ground, security, settings

LINK_SECONDS = 86400
TRIES = 5  # of one name from one address, in a quarter of an hour
TRIES_OF_ADDRESS = 20
TRIES_OF_NAME = 60
WINDOW_SECONDS = 900.0
_SALT = "desk-link"
NAME_MAX = 60


def _model() -> Any:
    return get_user_model()


def _people() -> Any:
    return _model()._default_manager


def first_link() -> str | None:
    """The link for the first person; None when somebody can log in already."""
    return None if _people().exists() else _link({"first": True})


def link_for(name: str) -> str | None:
    """A link with which a known person chooses a new password; it dies with the old one."""
    person = _people().filter(username=name).first()
    return _link({"name": name, "was": person.password[-16:]}) if person else None


def _link(what: dict[str, Any]) -> str:
    return f"{settings.DESK_URL}/welcome/{signing.dumps(what, salt=_SALT)}"


def _invited(token: str) -> dict[str, Any] | None:
    """What a link says while it works: for the first person, an invited one, or one who forgot."""
    try:
        what = signing.loads(token, salt=_SALT, max_age=LINK_SECONDS)
    except signing.BadSignature:
        return None
    if what.get("first"):
        return what if not _people().exists() else None
    person = _people().filter(username=what.get("name")).first()
    if "was" not in what:
        # Also when the person's way in was taken since: the link they came by must not bring them back.
        spent = security.too_often(_spending(token), most=1, seconds=LINK_SECONDS)
        return what if person is None and not spent else None
    return what if person is not None and person.password[-16:] == what["was"] else None


def _spending(token: str) -> str:
    return f"link {hashlib.sha256(token.encode()).hexdigest()}"


@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a name (the first person) and a password."""
    what = _invited(token)
    if what is None:
        return render(request, "desk/expired.html", status=410)
    name = str(what.get("name") or request.POST.get("name", "")).strip()
    errors: list[str] = []
    if request.method == "POST":
        errors = _problems(name, request.POST.get("password", ""), request.POST.get("again", ""))
        person = None if errors else _enrol(name, request.POST["password"], known="was" in what)
        if person is not None:
            security.tried(_spending(token))
            login(request, person)
            return HttpResponseRedirect("/")
        errors = errors or ["There is a person of that name already."]
    context = {"name": what.get("name"), "typed": name, "errors": errors}
    return render(request, "desk/welcome.html", context, status=422 if errors else 200)


def _problems(name: str, password: str, again: str) -> list[str]:
    found = []
    if not 2 <= len(name) <= NAME_MAX or not name.isprintable():
        found.append(f"The name has 2 to {NAME_MAX} characters.")
    if password != again:
        found.append("The two passwords differ.")
    try:
        validate_password(password, _model()(username=name))
    except ValidationError as error:
        found += error.messages
    return found


def _enrol(name: str, password: str, *, known: bool) -> Any:
    """The person with the new password; None when the name was taken meanwhile."""
    if known:
        person = _people().get(username=name)
        person.set_password(password)
        person.save()
        return person
    try:
        return _people().create_user(username=name, password=password)
    except IntegrityError:
        return None


@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Log in; after a few wrong passwords nobody is let in from there for a while, right password or not."""
    error, status = "", 200
    if request.method == "POST":
        name, address = request.POST.get("name", "").strip()[:NAME_MAX], security.client(request)
        keys = {
            f"login {name} {address}": TRIES,
            f"login from {address}": TRIES_OF_ADDRESS,
            f"login of {name}": TRIES_OF_NAME,
        }
        if any(security.too_often(key, most=most, seconds=WINDOW_SECONDS) for key, most in keys.items()):
            error, status = "Too many wrong passwords. Try again in a quarter of an hour.", 429
        else:
            person = authenticate(request, username=name, password=request.POST.get("password", ""))
            if person is not None:
                login(request, person)
                return HttpResponseRedirect(_onward(request))
            security.tried(*keys)
            error, status = "Name and password do not match.", 403
    return render(request, "desk/login.html", {"error": error, "typed": request.POST.get("name", "")}, status=status)


def _onward(request: HttpRequest) -> str:
    to = request.GET.get("next", "/")
    return to if url_has_allowed_host_and_scheme(to, {request.get_host()}) else "/"


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponseRedirect("/login")


@ground.page
def team(request: HttpRequest) -> HttpResponse:
    """Who can log in; a link to invite another; taking somebody's way in."""
    link = None
    if request.method == "POST" and "invite" in request.POST:
        name = request.POST.get("name", "").strip()
        if not 2 <= len(name) <= NAME_MAX or not name.isprintable() or _people().filter(username=name).exists():
            messages.error(request, "Give a name of 2 to 60 characters that nobody has yet.")
        else:
            link = _link({"name": name, "unique": secrets.token_hex(4)})
    elif request.method == "POST" and "remove" in request.POST:
        if request.POST["remove"] == ground.by(request):
            messages.error(request, "You cannot take your own way in: somebody else can.")
        else:
            _people().filter(username=request.POST["remove"]).delete()
            messages.success(request, f"{request.POST['remove']} cannot log in any more.")
            return HttpResponseRedirect("/team")
    people = _people().order_by("username").values("username", "last_login")
    return render(request, "desk/team.html", {"people": people, "link": link})
