"""What goes into a spool comes back, and what is no event says so."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.protocols.event_record import RecordError, decode_event, encode_event

small_json = st.dictionaries(st.text(max_size=5), st.one_of(st.none(), st.booleans(), st.integers(), st.text()))


def test_round_trip() -> None:
    payload = encode_event(
        account_id=7, at_us=1_700_000_000_123_456, kind="clicked", contact_id=9, send_id=3, seq=5, data={"link": 2}
    )
    event = decode_event(payload)
    assert event == (7, datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC), "clicked", 9, 3, 5, {"link": 2})


@given(small_json)
def test_data_comes_back_without_what_the_database_refuses(data: dict[str, Any]) -> None:
    found = decode_event(encode_event(account_id=1, at_us=0, kind="opened", data=data)).data
    assert found == {key.replace("\0", ""): v.replace("\0", "") if isinstance(v, str) else v for key, v in data.items()}


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert decode_event(encode_event(account_id=1, at_us=0, kind="x", data={"ua": "a\ud800b\0"})).data == {"ua": "a?b"}
    pair = encode_event(account_id=1, at_us=0, kind="x", data={"ua": "\U0001f600"})
    assert decode_event(pair).data == {"ua": "\U0001f600"}


@given(st.binary(max_size=40))
def test_other_bytes_are_refused(payload: bytes) -> None:
    with pytest.raises(RecordError):
        decode_event(payload)


@pytest.mark.parametrize(
    "payload",
    [b"[]", b"[2,1,0,\"x\",null,null,null,{}]", b'[1,"1",0,"x",null,null,null,{}]', b'[1,1,0,"",null,null,null,{}]',
     b'[1,1,1e300,"x",null,null,null,{}]', b'[1,1,99999999999999999999999,"x",null,null,null,{}]',
     b'[1,1,0,"x",1.5,null,null,{}]', b'[1,1,0,"x",null,null,2147483648,{}]', b'[1,-1,0,"x",null,null,1,{}]',
     b'[1,9223372036854775808,0,"x",null,null,1,{}]'],
)  # fmt: skip
def test_near_misses_are_refused(payload: bytes) -> None:
    with pytest.raises(RecordError):
        decode_event(payload)
