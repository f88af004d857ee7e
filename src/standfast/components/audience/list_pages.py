"""Pages of lists, custom fields, tags and do-not-mail."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from standfast.components.accounts.api import Role, account_page, may
from standfast.components.audience import searching, subscribing, suppressing
from standfast.components.audience.forms import DoNotMailForm, FieldForm, ListForm, TagForm
from standfast.components.audience.models import CustomField, DoNotMail, List, Subscription, Tag
from standfast.components.audience.pages import blocked_keys, csv_download, number
from standfast.components.audience.starting import new_field

LISTS_MAX = 500


@account_page
@require_GET
def lists(request: HttpRequest, account_id: int) -> HttpResponse:
    found = list(List.objects.filter(account_id=account_id).order_by("name")[:LISTS_MAX])
    sizes = searching.list_sizes(account_id=account_id, list_ids=[one.pk for one in found])
    rows = [(one, *sizes[one.pk]) for one in found]
    context = {"rows": rows, "most": searching.COUNT_MAX, "may_write": may(request, Role.MEMBER)}
    return render(request, "audience/lists.html", context)


@account_page(role=Role.MEMBER)
def edit_list(request: HttpRequest, account_id: int, list_id: int | None = None) -> HttpResponse:
    one = get_object_or_404(List, account_id=account_id, pk=list_id) if list_id else List(account_id=account_id)
    form = ListForm(request.POST or None, instance=one)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                form.save()
        except IntegrityError:
            form.add_error("name", "There is a list of this name.")
        else:
            messages.success(request, "Saved.")
            return redirect("audience:list", account_id, one.pk)
    return render(request, "audience/list_form.html", {"form": form, "one": one if list_id else None})


@account_page
@require_GET
def show_list(request: HttpRequest, account_id: int, list_id: int) -> HttpResponse:
    one = get_object_or_404(List, account_id=account_id, pk=list_id)
    before = number(request.GET.get("before"))
    found = searching.newest(account_id=account_id, before=before, list_id=list_id)
    subscribed, left = searching.list_sizes(account_id=account_id, list_ids=[list_id])[list_id]
    states = dict(
        Subscription.objects.filter(
            account_id=account_id, list_id=list_id, contact_id__in=[person.id for person in found.people]
        ).values_list("contact_id", "status")
    )
    context = {
        "one": one, "subscribed": subscribed, "left": left, "most": searching.COUNT_MAX,
        "rows": [(person, states.get(person.id, "")) for person in found.people],
        "blocked": blocked_keys(account_id, found.people),
        "older": f"?before={found.older}" if found.older else "", "newer": "?" if before else "",
        "may_write": may(request, Role.MEMBER),
    }  # fmt: skip
    return render(request, "audience/list.html", context)


@account_page(role=Role.ADMIN)
@require_POST
def delete_list(request: HttpRequest, account_id: int, list_id: int) -> HttpResponse:
    """The people stay; that they unsubscribed from this list goes with it."""
    one = get_object_or_404(List, account_id=account_id, pk=list_id)
    subscribing.delete_list(account_id=account_id, list_id=list_id)
    messages.success(request, f"“{one.name}” is deleted. Its people stay.")
    return redirect("audience:lists", account_id)


@account_page(role=Role.MEMBER)
@require_GET
def export_list(request: HttpRequest, account_id: int, list_id: int) -> HttpResponseBase:
    get_object_or_404(List.objects.only("pk"), account_id=account_id, pk=list_id)
    return csv_download(request, account_id, list_id, f"list-{list_id}.csv")


@account_page
def fields(request: HttpRequest, account_id: int) -> HttpResponse:
    """Custom fields and tags on one page, each with its small form."""
    tagging = request.method == "POST" and "name" in request.POST
    field_form = FieldForm(None if tagging else request.POST or None)
    tag_form = TagForm(request.POST if tagging else None)
    if request.method == "POST":
        form: Any = tag_form if tagging else field_form
        if form.is_valid():
            if tagging:
                Tag.objects.get_or_create(account_id=account_id, name=form.cleaned_data["name"].strip())
            else:
                new_field(account_id=account_id, **form.cleaned_data)
            messages.success(request, "Added.")
            return redirect("audience:fields", account_id)
    context = {
        "fields": CustomField.objects.filter(account_id=account_id).order_by("label"),
        "tags": Tag.objects.filter(account_id=account_id).order_by("name"), "field_form": field_form, "tag_form": tag_form,
        "may_write": may(request, Role.MEMBER), "may_delete": may(request, Role.ADMIN),
    }  # fmt: skip
    return render(request, "audience/fields.html", context)


@account_page(role=Role.ADMIN)
@require_POST
def delete_field(request: HttpRequest, account_id: int, field_id: int) -> HttpResponse:
    """The values stay in the contacts and are shown by their key; a field of the same key brings them back."""
    get_object_or_404(CustomField, account_id=account_id, pk=field_id).delete()
    messages.success(request, "The field is deleted.")
    return redirect("audience:fields", account_id)


@account_page(role=Role.ADMIN)
@require_POST
def delete_tag(request: HttpRequest, account_id: int, tag_id: int) -> HttpResponse:
    get_object_or_404(Tag, account_id=account_id, pk=tag_id).delete()
    messages.success(request, "The tag is deleted.")
    return redirect("audience:fields", account_id)


@account_page
def do_not_mail(request: HttpRequest, account_id: int) -> HttpResponse:
    form = DoNotMailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        entries = [line for line in form.cleaned_data["addresses"].splitlines() if line.strip()]
        done = suppressing.add_do_not_mail(account_id=account_id, entries=entries, detail=form.cleaned_data["detail"])
        messages.success(request, f"{done.added} added.")
        for text, why in done.refused[:5]:
            messages.error(request, f"“{text}” was left out: {why}.")
        return redirect("audience:do_not_mail", account_id)
    q, after = request.GET.get("q", "").strip().lower(), request.GET.get("after", "")
    found = DoNotMail.objects.filter(account_id=account_id, email_key__gt=after).order_by("email_key")
    if q:
        found = found.filter(email_key__gte=q, email_key__lt=q + "\U0010ffff")
    rows = list(found[: searching.PAGE + 1])
    total = searching.count_up_to("audience_donotmail", "account_id = %s", [account_id])
    context = {
        "rows": rows[: searching.PAGE], "q": q, "form": form, "total": total,
        "older_after": rows[searching.PAGE - 1].email_key if len(rows) > searching.PAGE else "", "newer": bool(after),
        "may_write": may(request, Role.MEMBER), "may_lift": may(request, Role.ADMIN),
    }  # fmt: skip
    return render(request, "audience/do_not_mail.html", context)


@account_page(role=Role.ADMIN)
@require_POST
def lift(request: HttpRequest, account_id: int) -> HttpResponse:
    email = request.POST.get("email", "")
    if suppressing.lift_do_not_mail(account_id=account_id, email=email, by_user_id=request.user.pk):
        messages.success(request, f"{email} is taken off do-not-mail.")
    return redirect("audience:do_not_mail", account_id)
