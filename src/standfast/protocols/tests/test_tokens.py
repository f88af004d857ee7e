"""Tokens: what was sealed opens, whatever else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.protocols.tokens import (
    RecipientRef,
    TokenError,
    open_recipient,
    seal_recipient,
    sign_link,
    verify_link,
)

KEY = b"k" * 32
ALICE = RecipientRef(account_id=12, send_id=3456, seq=99_999, contact_id=1_000_042, sent_at=1_790_000_000)
PURPOSES = ["track", "bounce"]

small = st.integers(0, 2**31)
refs = st.builds(RecipientRef, small, small, small, small, st.integers(0, 2**32))


@given(ref=st.builds(RecipientRef, *[st.integers(0, 2**63 - 1)] * 5))
def test_a_track_token_of_any_numbers_opens(ref: RecipientRef) -> None:
    assert open_recipient(KEY, seal_recipient(KEY, ref)) == ref


@given(ref=st.builds(RecipientRef, st.integers(0, 2**20), small, small, small, st.integers(0, 2**32)))
def test_a_bounce_token_survives_any_case(ref: RecipientRef) -> None:
    token = seal_recipient(KEY, ref, purpose="bounce")
    assert token == token.lower() and len("b-" + token) <= 64
    for spelled in (token, token.upper(), token.title(), token.swapcase()):
        assert open_recipient(KEY, spelled, purpose="bounce") == ref


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_truncation_and_every_flipped_bit_is_refused(purpose) -> None:
    token = seal_recipient(KEY, ALICE, purpose=purpose)
    changed = [token[:end] for end in range(len(token))] + [token[start:] for start in range(1, len(token))]
    for place, char in enumerate(token):
        changed += [token[:place] + chr(ord(char) ^ 1 << bit) + token[place + 1 :] for bit in range(8)]
    if purpose == "bounce":
        changed = [text for text in changed if text.lower() != token]
    for text in changed:
        with pytest.raises(TokenError):
            open_recipient(KEY, text, purpose=purpose)


@given(ref=refs, place=st.integers(0, 60), char=st.characters())
def test_no_changed_or_added_character_passes(ref, place, char) -> None:
    token = seal_recipient(KEY, ref)
    for text in (token[:place] + char + token[place + 1 :], token[:place] + char + token[place:]):
        if text != token:
            with pytest.raises(TokenError):
                open_recipient(KEY, text)


@given(text=st.text(max_size=200), purpose=st.sampled_from(PURPOSES))
def test_garbage_is_refused(text, purpose) -> None:
    with pytest.raises(TokenError):
        open_recipient(KEY, text, purpose=purpose)


def test_a_token_is_good_for_its_key_and_purpose_only() -> None:
    track, bounce = (seal_recipient(KEY, ALICE, purpose=purpose) for purpose in PURPOSES)
    for key, token, purpose in [(b"x" * 32, track, "track"), (KEY, bounce, "track"), (KEY, track, "bounce")]:
        with pytest.raises(TokenError):
            open_recipient(key, token, purpose=purpose)
    with pytest.raises(TokenError):
        open_recipient(KEY, "t" + bounce[1:])


def test_a_token_is_short_and_safe_in_addresses_and_links() -> None:
    track, bounce = (seal_recipient(KEY, ALICE, purpose=purpose) for purpose in PURPOSES)
    assert len(track) < 50 and len(bounce) < 55
    assert set(track) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    assert bounce.isalnum() and track[-1].isalnum()


def test_a_weak_key_and_impossible_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        seal_recipient(b"short", ALICE)
    with pytest.raises(ValueError, match="negative"):
        seal_recipient(KEY, ALICE._replace(seq=-1))
    with pytest.raises(ValueError, match="too long"):
        seal_recipient(KEY, RecipientRef(*[2**63] * 5), purpose="bounce")
    assert open_recipient(b"k" * 200, seal_recipient(b"k" * 200, ALICE)) == ALICE


@given(url=st.text(max_size=80), other=st.text(max_size=80))
def test_a_link_signature_holds_for_its_destination_only(url, other) -> None:
    given_values = {"account_id": 1, "send_id": 2, "link_id": 3, "url": url}
    try:
        signature = sign_link(KEY, **given_values)
    except ValueError:
        assert not verify_link(KEY, **given_values, signature="x")
        return
    assert len(signature) == 16 and verify_link(KEY, **given_values, signature=signature)
    assert not verify_link(KEY, **{**given_values, "url": other}, signature=signature) or other == url
    for name in ("account_id", "send_id", "link_id"):
        assert not verify_link(KEY, **{**given_values, name: 23}, signature=signature)
    assert not verify_link(KEY, **given_values, signature=other)
