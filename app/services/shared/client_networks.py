"""The network under which a client's requests are counted."""

from ipaddress import IPv6Address, IPv6Network

SUBSCRIBER = 64  # bits of an IPv6 address that identify the subscriber, who chooses the rest


def network_of(address: str) -> str:
    """Return the IPv4 address, or the network of an IPv6 address: else a subscriber could use 2**64
    addresses (RFC 6177; RFC 8981 changes the address every day by itself).
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
