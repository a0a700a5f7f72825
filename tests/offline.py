"""No network: whatever is run while it is blocked may talk to this machine alone."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class NetworkUsedError(AssertionError):
    """Something wanted to leave the machine."""


def _addresses() -> set[object]:
    """Of this machine, by its own name."""
    try:
        return {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None)}
    except OSError:
        return set()


@contextmanager
def blocked() -> Iterator[None]:
    """Names of other machines are not looked up and their addresses not connected to: an error that nothing catches."""
    connect, connect_ex, lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
    own = {"localhost", socket.gethostname(), "", None, *_addresses()}

    def expect_own(host: Any) -> None:
        text = host.decode() if isinstance(host, bytes) else host
        try:
            address = None if text in own else ipaddress.ip_address(str(text).partition("%")[0])
            stays = address is None or address.is_loopback or address.is_unspecified
        except ValueError:
            stays = False
        if not stays:
            raise NetworkUsedError(f"the network is used: {host!r}")

    def guarded(plain: Any) -> Any:
        def call(self: socket.socket, address: Any) -> Any:
            if self.family != socket.AF_UNIX:
                expect_own(address[0])
            return plain(self, address)

        return call

    def looked_up(host: Any, *args: Any, **options: Any) -> Any:
        expect_own(host)
        return lookup(host, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(connect))
        patch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
        patch.setattr(socket, "getaddrinfo", looked_up)
        yield
