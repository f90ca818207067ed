"""Who is at the other end of a connection, as far as addresses tell.

Behind a proxy that is trusted the server has put the address that the proxy tells in its place.
"""

from ipaddress import IPv6Address, ip_address, ip_network

from starlette.requests import HTTPConnection


def client_of(request: HTTPConnection) -> str:
    """Who knocks: an address, or the network that one IPv6 customer has to himself."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)
