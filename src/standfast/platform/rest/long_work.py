"""What takes long is answered with 202 and `Location`: a resource that says, in one shape under `job`, how far the work is."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from django.http import HttpResponse
from ninja import Field

from standfast.platform.rest.operation import Schema

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"


class Job(Schema):
    """Long work of any kind. Ask again while it is waiting or running."""

    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    done: int = Field(description="How much of `total` is done.")
    total: int
    unit: str
    problem: str = Field(description="Why it failed, and what to do.")
    finished_at: dt.datetime | None


def told(response: HttpResponse, where: str) -> None:
    """Say in the answer where its status is, and how soon to look."""
    response.headers["Location"] = f"/api/v1{where}"
    response.headers["Retry-After"] = "1"
