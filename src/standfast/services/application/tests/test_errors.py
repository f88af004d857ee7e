import pytest
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


def test_refusals_say_why():
    answer = errors.forbidden(RequestFactory().get("/"), PermissionError("Readers cannot send."))
    assert answer.status_code == 403
    assert "Readers cannot send." in answer.content.decode()
