"""Whom an address is counted under."""

from ipaddress import IPv6Address, IPv6Network

SUBSCRIBER = 64  # bits of an IPv6 address that are given out; the rest anybody picks at will


def network_of(address: str) -> str:
    """The address, or of IPv6 the network of whoever has it: else each of its 2**64 addresses could
    try anew (RFC 6177; RFC 8981 changes them every day by itself).
    """
    if ":" not in address:
        return address
    try:
        ip = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(IPv6Network((int(ip), SUBSCRIBER), strict=False))
