"""People and what belongs to them, for programs: the part of /api/v1 that is the audience's, one file a noun."""

from ninja import Router

from standfast.components.audience.endpoints import (
    brands,
    contact_details,
    contacts,
    do_not_mail,
    events,
    imports,
    lists,
    secure_lists,
    tags_and_fields,
)

router = Router()
for _part in (contacts, contact_details, lists, tags_and_fields, do_not_mail, secure_lists, brands, imports, events):
    router.add_router("", _part.router)
