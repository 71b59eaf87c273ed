"""Emits the table of error reasons, from enum values that carry the `error` option."""

from __future__ import annotations

from collections.abc import Iterator

from novasphere_gateway.codegen import schema


def reasons(protos: schema.Schema) -> tuple[schema.EnumValue, ...]:
    """Returns every error reason, of imported files too. Raises GenerationError for one said twice."""
    found: dict[str, schema.EnumValue] = {}
    for enum in protos.enums.values():
        for value in enum.values:
            if value.error is None:
                continue
            if value.short_name in found:
                raise schema.GenerationError(f"two error reasons are called {value.short_name}")
            found[value.short_name] = value
    return tuple(found.values())


def status(error: schema.ErrorReason, face: int) -> int:
    """Returns the HTTP status that a face gives an error."""
    return next(
        (f.http_status for f in error.faces if f.face == face and f.http_status), error.http_status
    )


def emit(protos: schema.Schema) -> Iterator[str]:
    """Yields ERRORS."""
    yield "ERRORS: dict[str, model.ErrorRule] = {"
    for value in reasons(protos):
        assert value.error is not None  # noqa: S101 - `reasons` returns no other
        faces = ", ".join(
            f"{f.face}: model.FaceError({f.code or value.short_name!r}, {status(value.error, f.face)})"
            for f in value.error.faces
        )
        yield (
            f"    {value.short_name!r}: model.ErrorRule({value.short_name!r}, {value.error.grpc_code}, "
            f"{value.error.http_status}, {value.error.meaning!r}, {value.error.retriable}, {{{faces}}}, "
            f"{value.error.meaning_zh!r}),"
        )
    yield "}"
