import pytest
from allauth.core.ratelimit import respond_429
from django.db import OperationalError
from django.test import RequestFactory

from standfast.services.application import errors


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (ValueError(), 500, "Something went wrong on our side"),
        (OperationalError(), 503, "The database cannot be reached"),
    ],
)
def test_a_failure_says_what_happened(error, status, says):
    try:
        raise error
    except type(error):
        answer = errors.failed(RequestFactory().get("/"))
    assert answer.status_code == status
    assert says in answer.content.decode()


def test_a_limit_of_the_sign_in_is_a_page_of_ours():
    answer = respond_429(RequestFactory().get("/"))
    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()


def test_refusals_say_why():
    answer = errors.forbidden(RequestFactory().get("/"), PermissionError("Readers cannot send."))
    assert answer.status_code == 403
    assert "Readers cannot send." in answer.content.decode()
