"""The messages of the link.

betterproto2 imports pydantic wherever that is installed, for a kind of message that the agent does not
use; it would add a third to the agent's memory. So pydantic is hidden while betterproto2 is imported.
"""

from __future__ import annotations

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
    "betterproto2",
]
