"""For tests of the agent's attempts without a link."""

from __future__ import annotations

from novasphere_agent.messages import Dispatch


def dispatch(text: str) -> Dispatch:
    return Dispatch(
        run_id="cmd-1",
        attempt=1,
        fencing_token=1,
        kind="shell",
        command_text=text,
        max_output_bytes=1000,
    )
