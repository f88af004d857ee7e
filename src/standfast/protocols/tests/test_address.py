"""Addresses: however typed, one key; whatever is no address, a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.protocols.address import AddressError, parse_address


@pytest.mark.parametrize(
    ("text", "email", "key"),
    [
        ("alice@example.com", "alice@example.com", "alice@example.com"),
        ("  Alice.B+tag@Example.COM \r\n", "Alice.B+tag@example.com", "alice.b+tag@example.com"),
        ("\ufeffalice@example.com\xa0", "alice@example.com", "alice@example.com"),
        ("mailto:alice@example.com?subject=x", "alice@example.com", "alice@example.com"),
        ("Alice <alice@example.com>", "alice@example.com", "alice@example.com"),
        ('"Smith, A" <alice@example.com>', "alice@example.com", "alice@example.com"),
        ("<alice@example.com>", "alice@example.com", "alice@example.com"),
        ("alice@example.com.", "alice@example.com", "alice@example.com"),
        ("'alice@example.com'", "alice@example.com", "alice@example.com"),
        ('"alice"@example.com', "alice@example.com", "alice@example.com"),
        ('"al ice"@example.com', '"al ice"@example.com', '"al ice"@example.com'),
        ('"a@b"@example.com', '"a@b"@example.com', '"a@b"@example.com'),
        ("o'neil@example.co.uk", "o'neil@example.co.uk", "o'neil@example.co.uk"),
        ("a@bücher.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a@例え.テスト", "a@xn--r8jz45g.xn--zckzah", "a@xn--r8jz45g.xn--zckzah"),
        ("a@mail-1.example.com", "a@mail-1.example.com", "a@mail-1.example.com"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)
def test_accepted(text, email, key) -> None:
    address = parse_address(text)
    assert (address.email, address.key) == (email, key)
    assert address.domain == email.rpartition("@")[2]
    assert parse_address(address.email) == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \ufeff ", "empty"),
        ("alice", "no @"),
        ("@example.com", "nothing before"),
        ("alice@", "nothing after"),
        ("a@b@example.com", "more than one @"),
        ("alice@example", "no ending"),
        ("alice@example.c", "ending"),
        ("alice@example.123", "ending"),
        ("alice@1.2.3.4", "IP address"),
        ("alice@[1.2.3.4]", "IP address"),
        ("al ice@example.com", "space"),
        ("a@example.com, b@example.com", "more than one @"),
        ("a@exam ple.com", "space"),
        ("a..b@example.com", "dot"),
        (".a@example.com", "dot"),
        ("a@example..com", "dot"),
        ("a@-example.com", "characters"),
        ("jürgen@example.com", "SMTPUTF8"),
        ("😀@example.com", "SMTPUTF8"),
        ("a" * 65 + "@example.com", "64"),
        ("a@" + "b" * 64 + ".com", "too long"),
        ("a@" + "b." * 130 + "com", "too long"),
        ("x" * 5000, "too long"),
        ("a(b)@example.com", "not allowed"),
        ("a\0@example.com", "not allowed"),
    ],
)
def test_refused_with_a_reason(text, reason) -> None:
    with pytest.raises(AddressError) as error:
        parse_address(text)
    assert reason in error.value.reason and len(error.value.reason) < 80


@given(text=st.text(max_size=100) | st.text(st.sampled_from("aé😀.@\"<> -\\[]'\0"), max_size=40).map("a@".__add__))
def test_nothing_but_the_own_error(text) -> None:
    try:
        address = parse_address(text)
    except AddressError:
        return
    assert address.email.isascii() and len(address.email) <= 254 and "\n" not in address.email
    assert parse_address(address.email) == address
