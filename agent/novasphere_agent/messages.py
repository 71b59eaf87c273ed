"""The messages of the link.

betterproto2 imports pydantic wherever that is installed, for a kind of message that the agent does not
use; it would add a third to the agent's memory. So pydantic is hidden while betterproto2 is imported.
"""

from __future__ import annotations

import sys

_hides_pydantic = "betterproto2" not in sys.modules and "pydantic" not in sys.modules
if _hides_pydantic:
    sys.modules["pydantic"] = None  # type: ignore[assignment]  # makes the import fail, as documented
try:
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
        Sample,
        Stream,
        Verdict,
        Welcome,
    )
finally:
    if _hides_pydantic:
        del sys.modules["pydantic"]

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
    "Sample",
    "Stream",
    "Verdict",
    "Welcome",
]
