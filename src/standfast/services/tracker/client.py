"""Who is at the other end: the address to record, behind proxies that we know."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import unquote

Networks = tuple[IPv4Network | IPv6Network, ...]
FORWARDED_CHARS_MAX = 512


def parse_networks(text: str) -> Networks:
    """Networks from a comma-separated list, as in "10.0.0.0/8, 192.0.2.7". Raises ValueError for what is none."""
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


@lru_cache(maxsize=4096)
def is_within(address: str, networks: Networks) -> bool:
    """Whether the address lies in one of the networks; False for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def decoded(path: str) -> str:
    """A path with its percent-encoding undone; what is no UTF-8 becomes a character that no token has."""
    return unquote(path)


def client_address(peer: str, forwarded: str | None, *, trusted: Networks) -> str:
    """The person's address: of X-Forwarded-For the last that is not a trusted proxy, if a trusted proxy says so.

    Whatever stands left of that was written by somebody we do not know.
    """
    if not forwarded or not trusted or not is_within(peer, trusted):
        return peer
    address = peer
    for part in reversed(forwarded[-FORWARDED_CHARS_MAX:].split(",")):
        candidate = part.strip()
        if not is_address(candidate):
            break
        address = candidate
        if not is_within(candidate, trusted):
            break
    return address


@lru_cache(maxsize=4096)
def is_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def anonymised(address: str) -> str:
    """The network of the address: the last 8 bits of IPv4 and 80 bits of IPv6 cut off; "" for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False).network_address)
