"""What the inbox does with a recipient: what mailbox providers do, by a seed or by a script.

Seeded: "seed:42,defer=0.02,refuse=0.01,throttle=0.001,drop_after_dot=0.001,slow=0.01,slow_seconds=0.5". The decision is
a function of seed, recipient and attempt number, so a run can be repeated; an address that is refused once is refused
for ever, everything else is decided anew at each attempt. drop_at_connect is decided by the number of the connection.

Scripted: a TOML or JSON file with `rule` tables, the first that matches decides:

    [[rule]]
    recipient = "*@slow.example"
    action = "defer"        # or accept refuse throttle drop_at_rcpt drop_in_data drop_after_dot drop_after_accept
    stage = "rcpt"          # or "dot"
    text = "4.2.2 mailbox full"
    code = 452
    attempts = 2            # only the first two attempts
    delay_seconds = 0.5

Both take `per_connection` and `per_second`: above that many messages the answer is 421, as providers throttle.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

ATTEMPTS_REMEMBERED_MAX = 2_000_000


class Action(StrEnum):
    """What happens to a message."""

    ACCEPT = "accept"
    DEFER = "defer"
    REFUSE = "refuse"
    THROTTLE = "throttle"
    DROP_AT_CONNECT = "drop_at_connect"
    DROP_AT_RCPT = "drop_at_rcpt"
    DROP_IN_DATA = "drop_in_data"
    DROP_AFTER_DOT = "drop_after_dot"  # not kept
    DROP_AFTER_ACCEPT = "drop_after_accept"  # kept, and the sender does not hear of it


@dataclass(frozen=True, slots=True)
class Decision:
    """code and text are the reply of defer, refuse and throttle, given at stage "rcpt" or "dot"."""

    action: Action
    code: int = 250
    text: str = "2.0.0 ok"
    stage: str = "rcpt"
    delay_seconds: float = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a script."""

    recipient: str
    decision: Decision
    attempts: int = 0  # 0: all


@dataclass(slots=True)
class Plan:
    """A parsed plan, with the attempts seen so far."""

    seed: str = ""
    rates: dict[Action, float] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    slow: float = 0
    slow_seconds: float = 0.5
    per_connection: int = 0
    per_second: int = 0
    attempts: dict[str, int] = field(default_factory=dict)

    def next_decision(self, recipient: str) -> Decision:
        """Decide on one more attempt to deliver to this recipient."""
        if len(self.attempts) > ATTEMPTS_REMEMBERED_MAX:
            self.attempts.clear()
        attempt = self.attempts.get(recipient, 0) + 1
        if self.rates or self.rules or self.slow:
            self.attempts[recipient] = attempt
        return self.decide(recipient, attempt)

    def drops_connection(self, number: int) -> bool:
        """Whether the number-th connection is cut before a word is said."""
        rate = self.rates.get(Action.DROP_AT_CONNECT, 0)
        return bool(rate) and self._draw("", number, "connection") < rate

    def decide(self, recipient: str, attempt: int) -> Decision:
        """What happens at this attempt (the first is 1); the same answer every time."""
        recipient = recipient.lower()
        for rule in self.rules:
            if fnmatch.fnmatchcase(recipient, rule.recipient) and (not rule.attempts or attempt <= rule.attempts):
                return rule.decision
        delay = self.slow_seconds if self.slow and self._draw(recipient, attempt, "slow") < self.slow else 0.0
        action = self._draw_action(recipient, attempt)
        if action in (Action.DEFER, Action.REFUSE, Action.THROTTLE):
            texts = provider_texts(recipient)[action]
            code, text = texts[int(self._draw(recipient, attempt, "text") * len(texts))]
            stage = "dot" if self._draw(recipient, attempt, "stage") < 0.3 else "rcpt"
            return Decision(action, code, text, stage, delay)
        return Decision(action, delay_seconds=delay)

    def _draw_action(self, recipient: str, attempt: int) -> Action:
        refuse = self.rates.get(Action.REFUSE, 0)
        if refuse and self._draw(recipient, 0, "refuse") < refuse:
            return Action.REFUSE
        draw = self._draw(recipient, attempt, "action")
        for action, rate in self.rates.items():
            if action in (Action.REFUSE, Action.DROP_AT_CONNECT):
                continue
            if draw < rate:
                return action
            draw -= rate
        return Action.ACCEPT

    def _draw(self, recipient: str, attempt: int, question: str) -> float:
        """A number in [0, 1) that depends on nothing but its arguments and the seed."""
        text = f"{self.seed}\n{recipient}\n{attempt}\n{question}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56


def parse_plan(spec: str) -> Plan:
    """A plan from "" or "accept", "seed:...", or the path of a TOML or JSON file. Raises ValueError with the reason."""
    spec = spec.strip()
    if spec in ("", "accept"):
        return Plan()
    if spec.startswith("seed:"):
        return _parse_seeded(spec.removeprefix("seed:"))
    path = Path(spec)
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ValueError(f"the plan {spec!r} is neither accept, seed:... nor a readable file: {error}") from error
    return _parse_script(data)


def _parse_seeded(text: str) -> Plan:
    seed, *settings = text.split(",")
    plan = Plan(seed=seed.strip())
    for setting in settings:
        name, _, value = (part.strip() for part in setting.partition("="))
        try:
            number = float(value)
            if name in ("slow", "slow_seconds"):
                setattr(plan, name, number)
            elif name in ("per_connection", "per_second"):
                setattr(plan, name, int(number))
            else:
                plan.rates[Action(name)] = number
        except ValueError as error:
            raise ValueError(f"the plan's {setting.strip()!r} is not understood: {error}") from error
    return plan


def _parse_script(data: dict[str, object]) -> Plan:
    plan = Plan()
    rules = data.get("rule", [])
    if not isinstance(rules, list):
        raise ValueError("the plan's rules must be a list of tables")
    for number, table in enumerate(rules, start=1):
        try:
            plan.rules.append(_parse_rule(table))
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"rule {number} of the plan: {error!r}") from error
    plan.per_connection = int(str(data.get("per_connection", 0)))
    plan.per_second = int(str(data.get("per_second", 0)))
    return plan


def _parse_rule(table: dict[str, str | int | float]) -> Rule:
    action = Action(str(table["action"]))
    pattern = str(table.get("recipient", "*")).lower()
    usual = provider_texts(pattern).get(action, ((250, "2.0.0 ok"),))[0]
    decision = Decision(
        action,
        code=int(table.get("code", usual[0])),
        text=str(table.get("text", usual[1])),
        stage=str(table.get("stage", "rcpt")),
        delay_seconds=float(table.get("delay_seconds", 0)),
    )
    return Rule(pattern, decision, int(table.get("attempts", 0)))


# What the providers really say.
_GMAIL = {
    Action.DEFER: (
        (450, "4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages"),
        (452, "4.2.2 The recipient's inbox is out of storage space. Please direct the recipient to free space"),
        (451, "4.3.0 Mail server temporarily rejected message. For more information, go to Gmail help - gsmtp"),
    ),
    Action.REFUSE: (
        (550, "5.1.1 The email account that you tried to reach does not exist. Please try double-checking it - gsmtp"),
        (550, "5.2.1 The email account that you tried to reach is inactive - gsmtp"),
        (550, "5.7.26 Your email has been blocked because the sender is unauthenticated - gsmtp"),
    ),
    Action.THROTTLE: (
        (421, "4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address - gsmtp"),
    ),
}
_YAHOO = {
    Action.DEFER: (
        (421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints"),
        (451, "4.3.2 Internal error reading data"),
    ),
    Action.REFUSE: (
        (554, "delivery error: dd This user doesn't have a yahoo.com account (5.1.1)"),
        (554, "5.7.9 Message not accepted for policy reasons"),
    ),
    Action.THROTTLE: ((421, "4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred"),),
}
_MICROSOFT = {
    Action.DEFER: (
        (451, "4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation"),
        (452, "4.5.3 Too many recipients (AS780090)"),
    ),
    Action.REFUSE: (
        (550, "5.5.0 Requested action not taken: mailbox unavailable (S2017062302)"),
        (
            550,
            "5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent; their network is on our block list",
        ),
    ),
    Action.THROTTLE: ((421, "4.3.2 Service not available; too many concurrent connections"),),
}
_OTHERS = {
    Action.DEFER: (
        (450, "4.2.0 Recipient address rejected: Greylisted, try again later"),
        (452, "4.2.2 Mailbox full"),
        (451, "4.7.1 Service unavailable - try again later"),
    ),
    Action.REFUSE: (
        (550, "5.1.1 Recipient address rejected: User unknown in virtual mailbox table"),
        (552, "5.2.2 Quota exceeded (mailbox for user is full)"),
        (554, "5.7.1 Message rejected due to content restrictions"),
    ),
    Action.THROTTLE: ((421, "4.7.0 Too many messages from your address, slow down"),),
}
_PROVIDERS = {
    "gmail.com": _GMAIL,
    "googlemail.com": _GMAIL,
    "yahoo.com": _YAHOO,
    "aol.com": _YAHOO,
    "outlook.com": _MICROSOFT,
    "hotmail.com": _MICROSOFT,
    "live.com": _MICROSOFT,
    "msn.com": _MICROSOFT,
}


def provider_texts(recipient: str) -> dict[Action, tuple[tuple[int, str], ...]]:
    """How the provider of an address words its deferrals, refusals and throttling: (code, text) by action."""
    domain = recipient.rpartition("@")[2]
    return _PROVIDERS.get(domain) or _PROVIDERS.get(domain.split(".")[0] + ".com", _OTHERS)
