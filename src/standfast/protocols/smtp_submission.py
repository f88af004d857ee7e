"""What a submission server speaks beyond a mail exchanger: AUTH PLAIN and LOGIN, and addresses beyond ASCII.

    server = await serve(host=..., port=587, hooks=MyHooks, ssl_context=context, session=SubmissionSession)

RFC 6409 (submission), RFC 4954 (AUTH), RFC 4616 (PLAIN), RFC 6531 (SMTPUTF8). Credentials are taken only over TLS, or from
the machine itself.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any

from .smtp_dialogue import Session
from .smtp_outcome import Reply
from .smtp_server import Answer, Server

_CANCELLED = Reply(501, "5.7.0 authentication cancelled")
_NOT_BASE64 = Reply(501, "5.5.2 not base64")
_LOCAL = ("127.0.0.1", "::1")


class SubmissionSession(Session):
    """One client of a submission server. `authenticated` once the hooks let it in."""

    bad_path = Reply(501, "5.5.2 syntax error in the address")

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.authenticated = False
        self._failures = 0
        self._said_all = False
        self._verbs[b"AUTH"] = self._auth

    def eof_received(self) -> bool:
        """A client that closed its side still hears what became of its message (TLS has no half-close)."""
        self._said_all = True
        return self._waiting

    async def _answer_later(self, asked: Awaitable[Answer], then: Callable[[Any], None]) -> None:
        await super()._answer_later(asked, then)
        if self._said_all and not self._waiting and not self._closing:
            self._close_politely()

    def _extensions(self) -> list[str]:
        names = [*super()._extensions(), "SMTPUTF8"]
        return [*names, "AUTH PLAIN LOGIN"] if self._may_authenticate() else names

    def _may_authenticate(self) -> bool:
        return self.encrypted or self.hooks.peer[0] in _LOCAL

    def _unreadable(self, line: bytes) -> Reply | None:
        try:
            line.decode()
        except UnicodeDecodeError:
            return Reply(500, "5.5.2 the line is not UTF-8")
        return None

    def _parameters_of_mail(self, parameters: dict[str, str]) -> None:
        parameters.pop("SMTPUTF8", None)
        parameters.pop("AUTH", None)  # RFC 4954 section 5: who else is named is of no interest here

    def _auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        if not self.hooks.helo or self._envelope is not None or self.authenticated:
            self._say(Reply(503, "5.5.1 bad sequence of commands"))
        elif not self._may_authenticate():
            self._say(Reply(538, "5.7.11 encryption is needed: say STARTTLS first"))
        elif mechanism.upper() == "PLAIN":
            self._plain(initial) if initial else self._challenge("", self._plain)
        elif mechanism.upper() == "LOGIN":
            if initial:
                self._login_name(initial)
            else:
                self._challenge("VXNlcm5hbWU6", self._login_name)
        else:
            self._say(Reply(504, "5.5.4 AUTH knows PLAIN and LOGIN"))

    def _challenge(self, text: str, taker: Callable[[str], None]) -> None:
        self._next_line = taker
        self._say(Reply(334, text))

    def _plain(self, line: str) -> None:
        decoded = self._decoded(line)
        if decoded is None:
            return
        parts = decoded.split("\0")
        if len(parts) != 3:
            self._say(_NOT_BASE64)
            return
        self._let_in(parts[1], parts[2])

    def _login_name(self, line: str) -> None:
        name = self._decoded(line)
        if name is not None:
            self._challenge("UGFzc3dvcmQ6", lambda password: self._login_password(name, password))

    def _login_password(self, name: str, line: str) -> None:
        password = self._decoded(line)
        if password is not None:
            self._let_in(name, password)

    def _decoded(self, line: str) -> str | None:
        if line == "*":
            self._say(_CANCELLED)
            return None
        try:
            return base64.b64decode("" if line == "=" else line, validate=True).decode()
        except (binascii.Error, ValueError):
            self._say(_NOT_BASE64)
            return None

    def _let_in(self, username: str, password: str) -> None:
        def then(answer: Any) -> None:
            if answer is None or answer.code == 235:
                self.authenticated = True
                self._say(answer or Reply(235, "2.7.0 let in"))
            elif answer.code < 500:
                self._say(answer)
            else:
                self._ask(lambda: self._later(answer), self._refuse)

        self._ask(lambda: self.hooks.on_auth(username, password), then)

    async def _later(self, reply: Reply) -> Reply:
        """Who guesses waits for every answer."""
        await asyncio.sleep(self.limits.auth_delay_seconds)
        return reply

    def _refuse(self, reply: Reply) -> None:
        self._failures += 1
        self._say(reply)
        if self._failures >= self.limits.auth_failures:
            self._say(Reply(421, "4.7.0 too many tries"))
