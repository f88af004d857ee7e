"""`POST campaigns`: an ordinary campaign or, as a public client sends it, a transactional one."""

from __future__ import annotations

from standfast.components.campaigns import compatible as campaigns
from standfast.components.transactional import compatible as transactional
from standfast.platform.rest.answers import Answer
from standfast.platform.rest.call import Call, CallError
from standfast.platform.rest.routes import route

ORDINARY = frozenset(("status", "send_at", "send_type", "list_ids", "segment_ids", "suppressed_list_ids", "recurring"))


@route("POST", "campaigns", scope="campaigns:write", section="2.6")
def created(call: Call) -> Answer:
    """What names tags and nothing of a time, a status or lists is a transactional campaign (section 2.8)."""
    given = call.wrapped("campaign").params
    if "add_ctags" not in given or ORDINARY & given.keys():
        return campaigns.created(call)
    if not call.holder.may("transactional:write"):
        raise CallError(403, {"error": "This API key lacks the right “transactional:write”."})
    return transactional.created(call)
