"""One client of the SMTP API: let in by AUTH or by a header, its message read, its order carried out."""

from __future__ import annotations

import asyncio
import functools
import re

from django.db import InterfaceError, OperationalError

from standfast.components.accounts.api import KeyHolder, KeyRefused, Refusal
from standfast.protocols.mime_rewrite import LetterError, read_letter
from standfast.protocols.smtp_outcome import Reply
from standfast.protocols.smtp_session import Envelope, SessionHooks
from standfast.services.smtp_api.acceptance import AGAIN_LATER, Acceptance
from standfast.services.smtp_api.order import Dialect, Order, OrderRefused, read_order, sender_of
from standfast.services.smtp_api.personal import messages_of

_KEY = re.compile(r"sf_([0-9]{1,18})_[A-Za-z0-9_-]{20,100}")
WRONG_KEY_SECONDS = 1.0  # before a message with a key that is none is answered, as AUTH waits: nobody guesses fast
ENDED = Reply(421, "4.7.0 the API key has ended since the session began, or may not be used from here: sign in again")
NOT_IN = Reply(535, "5.7.8 there is no such API key")


def failed(text: str) -> Reply:
    return Reply(554, f"5.6.0 Transaction failed[{text}]")


class Submission(SessionHooks):
    """The hooks of a session. `dialects` read other vendors' headers."""

    def __init__(self, acceptance: Acceptance, dialects: tuple[Dialect, ...] = ()) -> None:
        super().__init__()
        self.acceptance, self.dialects = acceptance, dialects
        self.holder: KeyHolder | None = None
        self._key = ""  # the holder's

    async def on_auth(self, username: str, password: str) -> Reply | None:  # type: ignore[override]
        """The key is the password, whatever the name; or the name, for clients that know it the other way round."""
        for text in (password, username):
            match = _KEY.fullmatch(text.strip())
            if match is not None:
                holder = await self._let_in(int(match.group(1)), text.strip())
                if isinstance(holder, Reply):
                    return holder
                self.holder, self._key = holder, text.strip()
                return None
        return NOT_IN

    async def on_message(self, envelope: Envelope, raw: bytes) -> Reply | None:  # type: ignore[override]
        try:
            letter = read_letter(raw)
            order, letter = read_order(letter, dialects=self.dialects, authenticated=self.holder is not None)
            name, sender = sender_of(letter)
        except LetterError as error:
            return Reply(554, f"5.6.0 {error}")
        except OrderRefused as refused:
            return failed(str(refused))
        holder = await self._holder_of(order)
        if isinstance(holder, Reply):
            return holder
        if order.drop:
            return Reply(250, "2.0.0 taken as a test: it is not sent")
        try:
            make = functools.partial(messages_of, order, letter, envelope.recipients, sender=sender, name=name)
            # Filling in tags for many people takes its time, which is not the other sessions'.
            messages = await asyncio.to_thread(make) if order.personal or order.to else make()
        except OrderRefused as refused:
            return failed(str(refused))
        return await self.acceptance.hand_in(holder, order, messages)

    async def _holder_of(self, order: Order) -> KeyHolder | Reply:
        """Who submits: the session's key, or the message's, which must then be bound to source addresses."""
        if self.holder is not None:
            if order.account_id not in (None, self.holder.account_id):
                return failed("Invalid Header X-AccountID")
            # Anew for each message (it is remembered for seconds): a session may last for days, a key that was ended may not.
            known = await self._let_in(self.holder.account_id, self._key)
            return known if isinstance(known, KeyHolder) or known is AGAIN_LATER else ENDED
        assert order.account_id is not None
        holder = await self._let_in(order.account_id, order.key)
        if isinstance(holder, Reply):
            if holder is AGAIN_LATER:
                return holder
            await asyncio.sleep(WRONG_KEY_SECONDS)
            return failed("Invalid Header X-AccountID" if holder is NOT_IN else holder.text.partition(" ")[2])
        if not holder.is_bound:
            return Reply(
                554, "5.7.1 Transaction failed[Name the addresses that this API key may be used from, or use AUTH]"
            )
        return holder

    async def _let_in(self, account_id: int, key: str) -> KeyHolder | Reply:
        try:
            return await self.acceptance.let_in(account_id, key, self.peer[0])
        except KeyRefused as refused:
            if refused.refusal in (Refusal.ADDRESS, Refusal.SCOPE):
                return Reply(535, f"5.7.1 {refused.text}")
            return NOT_IN
        except (OperationalError, InterfaceError):
            return AGAIN_LATER
