"""Errors in one sentence, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping

from novasphere_client import errors
from novasphere_client.settings import DEFAULT_SERVER, Settings

_NEXT = {
    "NODE_NOT_FOUND": "List the nodes: novasphere node list",
    "COMMAND_NOT_FOUND": "List the commands: novasphere command list",
    "TASK_NOT_FOUND": "List the tasks: novasphere task list",
    "TASK_FINISHED": "See how it ended: novasphere task describe ID",
    "TASK_INSTANCE_NOT_FOUND": "List the attempts: novasphere instance list",
    "JOB_NOT_FOUND": "List the jobs: novasphere job list",
    "JOB_DISABLED": "Enable it: novasphere job enable JOB",
    "SCHEDULE_ENDED": "See when and why: novasphere schedule explain NAME",
    "SCHEDULE_NOT_FOUND": "List the schedules: novasphere schedule list",
    "KEY_NOT_FOUND": "List the keys: novasphere key list",
    "KEY_REVOKED": "Make another: novasphere key create NAME",
    "JOIN_TOKEN_NOT_FOUND": "List the join tokens: novasphere token list",
    "NO_METRICS_DATA": "Its agent sends the first sample soon after joining: novasphere node list",
    "ETAG_MISMATCH": "Read it again, then repeat the change.",
    "COMMAND_FINISHED": "See how it ended: novasphere command get ID",
    "IDEMPOTENCY_KEY_REUSED": "Choose another --request-id, or leave it out.",
    "CURSOR_EXPIRED": "Start again without a cursor.",
    "EPOCH_CHANGED": "Start again without a cursor.",
    "DATABASE_UNAVAILABLE": "Try again shortly; the server's log says what is wrong with its database.",
    "OVERLOADED": "Try again shortly.",
    "DRAINING": "Try again once the server is back.",
}


def explain(error: errors.NovasphereError, settings: Settings | None) -> str:
    """Returns what went wrong and the next step, as text for standard error."""
    server = settings.server if settings is not None else error.metadata.get("server", "")
    if isinstance(error, errors.Unreachable):
        if settings is not None and settings.context:
            return (
                f"cannot reach the server at {server}, of context {settings.context!r}.\n"
                f"If it is elsewhere: novasphere config set {settings.context} --server HOST:PORT"
            )
        return (
            f"cannot reach the server at {server}.\n"
            f"Start one with `novasphere up`, or set NOVASPHERE_SERVER to the HOST:PORT of yours "
            f"(gRPC; {DEFAULT_SERVER} unless set)."
        )
    if isinstance(error, errors.Unauthenticated):
        return _unauthenticated(error, settings)
    if isinstance(error, errors.DeadlineExceeded):
        return f"the server at {server} did not answer in time. Try again; its log may tell why."
    if isinstance(error, errors.Unimplemented):
        return (
            f"the server at {server} does not know this call: {error.message}.\n"
            "Compare the versions: novasphere version --remote"
        )
    if isinstance(error, errors.InvalidArgument) and error.violations:
        said = "; ".join(f"{v.field}: {v.description}" for v in error.violations)
    else:
        said = error.message
    lines = [said]
    if error.reason == "PERMISSION_DENIED":
        lines.append(_another_token(error.metadata))
    elif isinstance(error, errors.Internal):
        lines.append("The server's log tells more.")
    elif step := _NEXT.get(error.reason):
        lines.append(step)
    if error.request_id and isinstance(error, errors.Internal | errors.Unavailable):
        lines.append(f"Request id: {error.request_id}")
    return "\n".join(lines)


def _another_token(metadata: Mapping[str, str]) -> str:
    if scope := metadata.get("scope"):
        return f"Use a token with that scope: novasphere key create NAME --scope {scope}"
    if namespace := metadata.get("namespace"):
        return f"Use a token that is not bound to namespaces, or one that is bound to {namespace!r}."
    return "Use a token that is not bound to namespaces."


def _unauthenticated(error: errors.NovasphereError, settings: Settings | None) -> str:
    where = (
        "`novasphere up` writes an admin token to admin.token in its data directory, "
        "and `novasphere key create` makes tokens for programs."
    )
    if settings is None or settings.token is None:
        looked = f" ({settings.token_source} holds none)" if settings is not None else ""
        return (
            f"the server wants a token, and there is none{looked}.\n"
            f"Set NOVASPHERE_TOKEN or pass --token: {where}"
        )
    refused = (
        f"the server at {settings.server} does not accept the token from {settings.token_source}: "
        f"{error.message}.\n"
    )
    if settings.context and settings.context in settings.token_source:
        return f"{refused}Give the context another: novasphere config set {settings.context} --token -"
    return f"{refused}Set NOVASPHERE_TOKEN or pass --token: {where}"
