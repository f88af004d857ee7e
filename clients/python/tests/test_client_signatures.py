"""Webhooks: what the service signed is taken, everything else is not."""

import base64
import hashlib
import hmac

import pytest

from standfast_client import SignatureInvalid, verify_webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
HEADERS = {  # the vector of the Standard Webhooks' own libraries
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
NOW = 1614265330.0


def test_what_was_signed_is_taken():
    assert verify_webhook(SECRET, HEADERS, BODY, now=NOW) == {"test": 2432232314}
    titled = {name.title(): value for name, value in HEADERS.items()}
    assert verify_webhook(["whsec_b3RoZXI=", SECRET], titled, BODY, now=NOW + 299)["test"]
    several = HEADERS | {"webhook-signature": f"v1a,xyz v1,AAAA {HEADERS['webhook-signature']}"}
    assert verify_webhook(SECRET, several, BODY, now=NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_other"}, {"webhook-id": ""}, {"webhook-timestamp": "1614265331"}, {"webhook-timestamp": "²"},
        {"webhook-timestamp": "-1"}, {"webhook-timestamp": "9" * 400}, {"webhook-signature": ""}, {"webhook-signature": "v1,"},
        {"webhook-signature": HEADERS["webhook-signature"].replace("v1", "v2")}, {"webhook-signature": "v1,ü\ud800"},
        {"webhook-signature": HEADERS["webhook-signature"].removeprefix("v1,")},
    ],
)  # fmt: skip
def test_what_was_changed_is_not(changed):
    with pytest.raises(SignatureInvalid):
        verify_webhook(SECRET, HEADERS | changed, BODY, now=NOW)


def test_another_body_another_secret_or_another_day_is_not():
    for arguments in ((SECRET, HEADERS, BODY + b" "), ("whsec_b3RoZXI=", HEADERS, BODY), (SECRET, {}, BODY)):
        with pytest.raises(SignatureInvalid):
            verify_webhook(*arguments, now=NOW)
    for now in (NOW + 301, NOW - 301, None):
        with pytest.raises(SignatureInvalid, match="clock"):
            verify_webhook(SECRET, HEADERS, BODY, now=now)
    assert verify_webhook(SECRET, HEADERS, BODY, now=NOW + 1000, seconds_max=2000)


def test_a_secret_that_is_none_is_a_mistake_of_the_program():
    for secret in ("", "whsec_", "whsec_?", "ü"):
        with pytest.raises(ValueError, match="whsec_"):
            verify_webhook(secret, HEADERS, BODY, now=NOW)


def test_signed_nonsense_is_no_event():
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    body = b"{"
    signed = f"{HEADERS['webhook-id']}.{HEADERS['webhook-timestamp']}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    with pytest.raises(SignatureInvalid, match="JSON"):
        verify_webhook(SECRET, HEADERS | {"webhook-signature": f"v1,{signature}"}, body, now=NOW)
