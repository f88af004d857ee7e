"""A webhook's address may not lead into a private network, whatever it is called."""

import pytest

from standfast.operations.desk.confirmations import _answers, _refuse_literal


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "[fd00::1]"]
)
def test_private_addresses_are_refused(host):
    with pytest.raises(OSError, match="private"):
        _refuse_literal(f"https://{host}/hook")


def test_the_challenge_must_come_back_alone():
    assert _answers(b"abc\n", "abc") and _answers(b'{"challenge": "abc"}', "abc")
    for answer in (b"", b"abcd", b'{"data": {"challenge": "abc"}}', b'{"challenge": "abc", "type": "x"}', b"\xff"):
        assert not _answers(answer, "abc")
