"""The gateway's behaviour: HTTP in, RPCs out, driven by generated routes."""

from __future__ import annotations

from novasphere_gateway.runtime.app import Gateway
from novasphere_gateway.runtime.settings import GatewaySettings

__all__ = ["Gateway", "GatewaySettings"]
