"""The messages of the link.

betterproto2 imports pydantic wherever that is installed, for a kind of message that the agent does not
use; it would add a third to the agent's memory. So pydantic is hidden while betterproto2 is imported.

It also looks every default up with Python's warnings switched off and on again, in case a field is deprecated:
half of what a frame costs. None of ours is.
"""

from __future__ import annotations

from typing import Any

from novasphere_agent import hiding

with hiding.hidden("pydantic"):
    import betterproto2
    from novasphere_lite.novasphere.link.v1 import (
        AttemptPhase,
        AttemptReport,
        AttemptState,
        AttemptVerdict,
        CancelAttempt,
        Closing,
        ConnectRequest,
        ConnectResponse,
        Dispatch,
        Goodbye,
        Heartbeat,
        Hello,
        OutputAck,
        OutputChunk,
        Profile,
        ReportAck,
        ResourceUsage,
        Sample,
        Stream,
        Verdict,
        Welcome,
    )


def _default(self: betterproto2.Message, field_name: str) -> Any:
    return self._betterproto.default_gen[field_name]()  # type: ignore[arg-type]  # of its descriptor


betterproto2.Message._get_field_default = _default  # type: ignore[method-assign]  # noqa: SLF001

__all__ = [
    "AttemptPhase",
    "AttemptReport",
    "AttemptState",
    "AttemptVerdict",
    "CancelAttempt",
    "Closing",
    "ConnectRequest",
    "ConnectResponse",
    "Dispatch",
    "Goodbye",
    "Heartbeat",
    "Hello",
    "OutputAck",
    "OutputChunk",
    "Profile",
    "ReportAck",
    "ResourceUsage",
    "Sample",
    "Stream",
    "Verdict",
    "Welcome",
]
