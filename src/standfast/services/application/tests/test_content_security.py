import os
import subprocess
import sys

from django.http import HttpResponse
from django.test import RequestFactory

from standfast.services.application.content_security import content_security


def test_every_answer_has_its_own_nonce():
    seen = []

    def view(request):
        seen.append(request.csp_nonce)
        return HttpResponse("")

    answers = [content_security(view)(RequestFactory().get("/")) for _ in range(2)]
    assert seen[0] != seen[1]
    for nonce, answer in zip(seen, answers, strict=True):
        assert f"'nonce-{nonce}'" in answer.headers["Content-Security-Policy"]
        assert "'unsafe-eval'" not in answer.headers["Content-Security-Policy"]


def test_a_view_may_set_a_stricter_policy():
    def view(request):
        return HttpResponse("", headers={"Content-Security-Policy": "sandbox"})

    assert content_security(view)(RequestFactory().get("/")).headers["Content-Security-Policy"] == "sandbox"


def test_the_installation_answers_to_the_host_of_its_own_address():
    shown = subprocess.run(
        [sys.executable, "-c", "from django.conf import settings; print(settings.ALLOWED_HOSTS)"],
        env={**os.environ, "STANDFAST_URL": "https://mail.example.com"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "'mail.example.com'" in shown.stdout
