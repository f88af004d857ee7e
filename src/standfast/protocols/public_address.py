"""Whether an IP address belongs to the public Internet: the guard of every connection whose target a user chose."""

from __future__ import annotations

import ipaddress

# RFC 6052, 8215 and 2765: addresses that a translator turns into the IPv4 address in their last 32 bits; RFC 4291 section
# 2.5.5.1: IPv4 addresses written as IPv6 ones, which tunnels understand.
_TRANSLATED = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96"))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public Internet, also when it wraps an IPv4 address (RFC 4291, 6052, 3056)."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour
        if wrapped is None and any(ip in net for net in _TRANSLATED):
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            ip = wrapped
    return ip.is_global and not ip.is_multicast and not (isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local)
