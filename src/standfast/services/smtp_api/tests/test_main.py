"""The process itself: it starts as `standfast up` starts it, and greets."""

import smtplib

from benchmarks.installation import free_ports, service


def test_it_starts_and_greets(database, monkeypatch):
    port = free_ports(1)[0]
    monkeypatch.setenv("STANDFAST_SUBMISSION_PORT", str(port))
    with service("smtp_api", port=port), smtplib.SMTP("127.0.0.1", port, timeout=10) as session:
        assert session.noop()[0] == 250
