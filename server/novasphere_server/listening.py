"""What every process of ours that serves HTTP does to listen."""

from __future__ import annotations

import errno
import importlib.resources

from novasphere_gateway.runtime import Gateway

from novasphere_server.settings import Address, CannotStart


class CannotListen(CannotStart):
    """An address cannot be listened on; the text says why and what to do."""


def openapi() -> bytes:
    """Returns the API's OpenAPI document."""
    return importlib.resources.files("novasphere").joinpath("openapi.json").read_bytes()


async def serve_http(gateway: Gateway, address: Address) -> Address:
    """Starts the gateway and returns where it listens. Raises CannotListen."""
    try:
        port = await gateway.start(address.host, address.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise taken("HTTP", address, "http") from None
        raise CannotListen(
            f"HTTP cannot listen on {address} ({error.strerror}): "
            "choose another address with --http HOST:PORT"
        ) from None
    return Address(address.host, port)


def taken(protocol: str, address: Address, flag: str) -> CannotListen:
    """Returns the error that somebody else listens there."""
    return CannotListen(
        f"{protocol} cannot listen on {address}: another program does, or the address is not this "
        f"machine's; stop that program, or choose another with --{flag} HOST:PORT"
    )
