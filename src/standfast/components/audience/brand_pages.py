"""Pages of brands and of secure lists."""

from __future__ import annotations

from django.contrib import messages
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from standfast.components.accounts.api import Role, account_page, may
from standfast.components.audience import brands, secure_lists
from standfast.components.audience.forms import BrandForm, HashesForm, SecureListForm
from standfast.components.audience.models import Brand, SecureList
from standfast.components.audience.queries import QUERIES

FILE_BYTES_MAX = 40 * 1024 * 1024
TOO_LARGE = f"The file is larger than {FILE_BYTES_MAX // 1024**2} MB. Split it, and upload one part after the other."


@account_page
def brands_page(request: HttpRequest, account_id: int) -> HttpResponse:
    form = BrandForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        if Brand.objects.filter(account_id=account_id).count() >= brands.BRANDS_MAX:
            form.add_error("name", f"There are {brands.BRANDS_MAX} brands, which is as many as there can be.")
        else:
            brands.brand_named(account_id=account_id, name=name)
            messages.success(request, f"“{name}” is a brand now. Campaigns and lists can belong to it.")
            return redirect("audience:brands", account_id)
    rows = list(Brand.objects.filter(account_id=account_id).order_by("name")[: brands.BRANDS_MAX])
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.count_brand_do_not_mail.sql, {"account_id": account_id})
        kept = dict(cursor.fetchall())
    context = {
        "rows": [(one, kept.get(one.pk, 0)) for one in rows], "form": form, "may_write": may(request, Role.MEMBER),
        "may_delete": may(request, Role.ADMIN),
    }  # fmt: skip
    return render(request, "audience/brands.html", context)


@account_page(role=Role.ADMIN)
@require_POST
def delete_brand(request: HttpRequest, account_id: int, brand_id: int) -> HttpResponse:
    """Only one that nothing bears."""
    get_object_or_404(Brand.objects.only("pk"), account_id=account_id, pk=brand_id)
    try:
        one = brands.delete_brand(account_id=account_id, brand_id=brand_id)
    except brands.BrandInUse as error:
        messages.error(request, f"Not deleted. {error}")
    else:
        messages.success(request, f"“{one.name}” is deleted.")
    return redirect("audience:brands", account_id)


@account_page
def lists(request: HttpRequest, account_id: int) -> HttpResponse:
    form = SecureListForm(request.POST or None, instance=SecureList(account_id=account_id))
    if request.method == "POST" and form.is_valid():
        if SecureList.objects.filter(account_id=account_id).count() >= secure_lists.LISTS_MAX:
            form.add_error(
                "name", f"There are {secure_lists.LISTS_MAX} secure lists, which is as many as there can be."
            )
        else:
            try:
                with transaction.atomic():
                    one = form.save()
            except IntegrityError:
                form.add_error("name", "There is a secure list of this name.")
            else:
                return redirect("audience:secure_list", account_id, one.pk)
    rows = list(SecureList.objects.filter(account_id=account_id).order_by("name")[: secure_lists.LISTS_MAX])
    context = {"rows": rows, "form": form, "may_write": may(request, Role.MEMBER)}
    return render(request, "audience/secure_lists.html", context)


@account_page
def secure_list(request: HttpRequest, account_id: int, secure_list_id: int) -> HttpResponse:
    """How many are on it, and a file with more. Nobody can be shown: hashes alone are kept."""
    one = get_object_or_404(SecureList, account_id=account_id, pk=secure_list_id)
    form = HashesForm(request.POST or None, request.FILES or None)
    too_large = getattr(request, "upload_too_large", False)
    if too_large:
        form.fields["file"].error_messages["required"] = TOO_LARGE
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        if file.size > FILE_BYTES_MAX:
            too_large = True
            form.add_error("file", TOO_LARGE)
        elif _added(request, one, form):
            return redirect("audience:secure_list", account_id, one.pk)
    context = {"one": one, "form": form, "may_write": may(request, Role.MEMBER), "may_delete": may(request, Role.ADMIN)}
    return render(request, "audience/secure_list.html", context, status=413 if too_large else 200)


def _added(request: HttpRequest, one: SecureList, form: HashesForm) -> bool:
    try:
        with transaction.atomic():
            done = secure_lists.add_entries(
                account_id=one.account_id, secure_list_id=one.pk,
                entries=secure_lists.entries_of_file(form.cleaned_data["file"]),
            )  # fmt: skip
    except secure_lists.TooLong as error:
        form.add_error("file", str(error))
        return False
    messages.success(request, f"{done.added:,} added.")
    if done.foreign:
        messages.error(request, f"{done.foreign:,} lines are hashes that cannot be compared. Use MD5 or SHA-256.")
    if done.refused > done.foreign:
        messages.error(request, f"{done.refused - done.foreign:,} lines are neither hashes nor addresses.")
    return True


@account_page(role=Role.ADMIN)
@require_POST
def delete_secure_list(request: HttpRequest, account_id: int, secure_list_id: int) -> HttpResponse:
    """A campaign that was to leave it out waits for a person."""
    one = get_object_or_404(SecureList, account_id=account_id, pk=secure_list_id)
    secure_lists.delete_secure_list(account_id=account_id, secure_list_id=secure_list_id)
    messages.success(request, f"“{one.name}” is deleted.")
    return redirect("audience:secure_lists", account_id)
