"""Ports that are bound and not listened at yet."""

import socket
from typing import Any


def bind_port(made: socket.socket, address: Any) -> None:
    """As `socket.create_server` does, but for the listening. Raises OSError."""
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(address)
