"""Pages of people: all of them, one with everything known, a new one, and their deletion."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from standfast.components.accounts.api import Role, account_page, may, stream
from standfast.components.audience import editing, erasing, exporting, searching, subscribing, suppressing
from standfast.components.audience.forms import TEXTS, ContactForm
from standfast.components.audience.models import (
    Contact,
    ContactSummary,
    CustomField,
    DoNotMail,
    List,
    Subscription,
    Tag,
)
from standfast.components.audience.timeline import contact_timeline
from standfast.components.audience.upsert import ContactRow, upsert_contacts

CHOICES_MAX = 500
TIMELINE = 50


def number(text: str | None) -> int | None:
    """A number of an address line, None where it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


@account_page
@require_GET
def contacts(request: HttpRequest, account_id: int) -> HttpResponse:
    q, before = request.GET.get("q", "").strip(), number(request.GET.get("before"))
    total = searching.count_up_to("audience_contact", "account_id = %s", [account_id])
    if q:
        found = searching.Found(searching.search(account_id=account_id, text=q), None, None)
    else:
        found = searching.newest(account_id=account_id, before=before)
    context = {
        "people": found.people, "q": q, "total": min(total, searching.COUNT_MAX), "more": total > searching.COUNT_MAX,
        "older": f"?before={found.older}" if found.older else "", "newer": "?" if before else "",
        "blocked": blocked_keys(account_id, found.people), "may_write": may(request, Role.MEMBER),
        "cut": bool(q) and len(found.people) == searching.PAGE,
    }  # fmt: skip
    return render(request, "audience/contacts.html", context)


def blocked_keys(account_id: int, people: list[Contact]) -> set[str]:
    """Which of some people are on do-not-mail."""
    keys = [one.email_key for one in people]
    return set(DoNotMail.objects.filter(account_id=account_id, email_key__in=keys).values_list("email_key", flat=True))


def _form(account_id: int, *args: Any, lists: bool = False, **kwargs: Any) -> ContactForm:
    return ContactForm(
        *args, customs=list(CustomField.objects.filter(account_id=account_id).order_by("label")[:CHOICES_MAX]),
        tags=Tag.objects.filter(account_id=account_id).order_by("name")[:CHOICES_MAX],
        lists=List.objects.filter(account_id=account_id).order_by("name")[:CHOICES_MAX] if lists else (), **kwargs,
    )  # fmt: skip


@account_page(role=Role.MEMBER)
def new_contact(request: HttpRequest, account_id: int) -> HttpResponse:
    form = _form(account_id, request.POST or None, lists=True)
    if request.method == "POST" and form.is_valid():
        texts = {name: form.cleaned_data[name] or None for name in TEXTS}
        row = ContactRow(form.cleaned_data["email"], fields=form.typed, tag_ids=form.tag_ids(), **texts)
        with connection.cursor() as cursor:
            (landed,) = upsert_contacts(cursor, account_id=account_id, rows=[row])
        if landed.contact_id is None:
            form.add_error(None, f"Not saved: {landed.reason}.")
        else:
            for list_id in form.cleaned_data.get("lists", ()):
                subscribing.subscribe(account_id=account_id, list_id=int(list_id), contact_ids=[landed.contact_id])
            known = landed.outcome != "created"
            messages.success(request, "This person was known already; they are up to date now." if known else "Added.")
            return redirect("audience:contact", account_id, landed.contact_id)
    return render(request, "audience/contact_form.html", {"form": form, "contact": None})


@account_page
@require_GET
def contact(request: HttpRequest, account_id: int, contact_id: int) -> HttpResponse:
    one = get_object_or_404(Contact, account_id=account_id, id=contact_id)
    labels = dict(CustomField.objects.filter(account_id=account_id).values_list("key", "label"))
    subscriptions = list(Subscription.objects.filter(account_id=account_id, contact_id=contact_id).order_by("list_id"))
    lists = List.objects.filter(account_id=account_id).order_by("name")[:CHOICES_MAX]
    names = {each.pk: each.name for each in lists}
    items = contact_timeline(
        account_id=account_id, contact_id=contact_id, limit=TIMELINE + 1, before=number(request.GET.get("before"))
    )
    context = {
        "contact": one, "name": f"{one.first_name} {one.last_name}".strip() or one.email,
        "fields": [(labels.get(key, key), value) for key, value in one.fields.items()],
        "tags": Tag.objects.filter(account_id=account_id, pk__in=one.tag_ids).order_by("name"),
        "subscriptions": [(names.get(each.list_id, "A deleted list"), each) for each in subscriptions],
        "free_lists": [each for each in lists if not any(s.list_id == each.pk and s.status == "subscribed" for s in subscriptions)],
        "blocked": DoNotMail.objects.filter(account_id=account_id, email_key=one.email_key).first(),
        "summary": ContactSummary.objects.filter(account_id=account_id, contact_id=contact_id).first(),
        "items": items[:TIMELINE], "older": f"?before={items[TIMELINE - 1].position}" if len(items) > TIMELINE else "",
        "newer": "?" if "before" in request.GET else "",
        "may_write": may(request, Role.MEMBER), "may_lift": may(request, Role.ADMIN),
    }  # fmt: skip
    return render(request, "audience/contact.html", context)


@account_page(role=Role.MEMBER)
def edit_contact(request: HttpRequest, account_id: int, contact_id: int) -> HttpResponse:
    one = get_object_or_404(Contact, account_id=account_id, id=contact_id)
    form = _form(account_id, request.POST or None, initial=ContactForm.initial_of(one))
    if request.method == "POST" and form.is_valid():
        keys = {custom.key for custom in form.customs}
        kept = {key: value for key, value in one.fields.items() if key not in keys}
        values = {name: form.cleaned_data[name] for name in ("email", *TEXTS)}
        values |= {"fields": {**kept, **form.typed}, "tag_ids": form.tag_ids()}
        try:
            editing.edit_contact(
                account_id=account_id, contact_id=contact_id, values=values, by_user_id=request.user.pk
            )
        except editing.Taken as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("audience:contact", account_id, contact_id)
    return render(request, "audience/contact_form.html", {"form": form, "contact": one})


@account_page(role=Role.MEMBER)
@require_POST
def move_contact(request: HttpRequest, account_id: int, contact_id: int) -> HttpResponse:
    """Subscribe to a list, or unsubscribe from it."""
    get_object_or_404(Contact.objects.only("id"), account_id=account_id, id=contact_id)
    place = get_object_or_404(List, account_id=account_id, pk=number(request.POST.get("list")) or 0)
    act = subscribing.unsubscribe if request.POST.get("leave") else subscribing.subscribe
    act(account_id=account_id, list_id=place.pk, contact_ids=[contact_id])
    messages.success(
        request, f"{'Unsubscribed from' if request.POST.get('leave') else 'Subscribed to'} “{place.name}”."
    )
    return redirect("audience:contact", account_id, contact_id)


@account_page(role=Role.MEMBER)
@require_POST
def block_contact(request: HttpRequest, account_id: int, contact_id: int) -> HttpResponse:
    one = get_object_or_404(Contact, account_id=account_id, id=contact_id)
    suppressing.add_do_not_mail(account_id=account_id, entries=[one.email])
    messages.success(request, "On do-not-mail now: no campaign goes to this address.")
    return redirect("audience:contact", account_id, contact_id)


@account_page(role=Role.ADMIN)
@require_POST
def lift_contact(request: HttpRequest, account_id: int, contact_id: int) -> HttpResponse:
    one = get_object_or_404(Contact, account_id=account_id, id=contact_id)
    suppressing.lift_do_not_mail(account_id=account_id, email=one.email, by_user_id=request.user.pk)
    messages.success(request, "Taken off do-not-mail.")
    return redirect("audience:contact", account_id, contact_id)


@account_page(role=Role.ADMIN)
@require_POST
def delete_contact(request: HttpRequest, account_id: int, contact_id: int) -> HttpResponse:
    if not erasing.delete_contact(account_id=account_id, contact_id=contact_id, by_user_id=request.user.pk):
        raise Http404
    messages.success(
        request, "Erased. An entry on do-not-mail stays, so that no import brings the person back into mailings."
    )
    return redirect("audience:contacts", account_id)


@account_page(role=Role.MEMBER)
@require_GET
def export_contacts(request: HttpRequest, account_id: int) -> HttpResponseBase:
    return csv_download(request, account_id, None, "people.csv")


def csv_download(request: HttpRequest, account_id: int, list_id: int | None, name: str) -> HttpResponseBase:
    """People as a streamed file."""
    answer = stream(
        request,
        lambda: exporting.contacts_csv(account_id=account_id, list_id=list_id),
        content_type="text/csv; charset=utf-8",
    )
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
