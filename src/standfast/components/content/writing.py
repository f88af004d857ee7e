"""What every door does to a saved content: which version it is, copies under a free name, deletion."""

from __future__ import annotations

from django.db import transaction
from django.db.models import RestrictedError

from standfast.components.content.models import Content

SOURCE_CHARS_MAX = 500_000


class ContentInUse(ValueError):
    """The content cannot be deleted; the text says why."""


def version_of(content: Content) -> str:
    """Which version somebody looked at: two that are the same hold the same."""
    return content.updated_at.isoformat()


def locked(*, account_id: int, content_id: int) -> Content:
    """The content, locked for a change. Raises Content.DoesNotExist. In the account's scope."""
    return Content.objects.select_for_update(of=("self",)).get(account_id=account_id, pk=content_id)


def free_name(*, account_id: int, name: str) -> str:
    """The name, or the name with the next number."""
    name = name[:240]
    taken = set(Content.objects.filter(account_id=account_id, name__startswith=name).values_list("name", flat=True))
    return next(each for each in (name, *(f"{name} {n}" for n in range(2, len(taken) + 3))) if each not in taken)


def copy_of(content: Content, *, name: str) -> Content:
    """Save what `content` holds, saved or not, as a new one under a name like this. In the account's scope."""
    content.pk, content._state.adding = None, True
    content.name = free_name(account_id=content.account_id, name=name)
    content.save()
    return content


def delete_content(content: Content) -> None:
    """Delete a content; sends have copies of their own. Raises ContentInUse while transactional mail is made from it."""
    try:
        with transaction.atomic():
            content.delete()
    except RestrictedError:
        raise ContentInUse(
            f"A transactional campaign is made from “{content.name}”. Give that campaign another content first."
        ) from None
