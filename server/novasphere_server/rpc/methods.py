"""What a method needs before and around its servicer, read from its descriptor when the server starts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from urllib.parse import unquote

from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from novasphere.api.v1 import options_pb2

from novasphere_server.rpc.validation import Validate, Validators
from novasphere_server.telemetry import Endpoint

_VARIABLE = re.compile(r"{([a-z_.]+)(?:=[^}]*)?}")
_RESOURCE = re.compile(r"/api/v1/([a-z-]+)/(?:item/)?{([a-z_]+)}.*")


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """One RPC: what its descriptor says, and what serves it."""

    path: str  # "/package.Service/Method"
    request_type: type[Message]
    handler: Callable[..., Any]
    is_client_stream: bool
    is_server_stream: bool
    is_unary: bool
    scopes: frozenset[options_pb2.Scope.ValueType]  # any of these will do; none: any credential
    is_public: bool
    validate: Validate | None
    has_request_id: bool
    has_validate_only: bool
    paths: tuple[str, ...]  # in REST, as the proto spells them
    collection: str  # in which the REST path names one: "nodes"; empty: it names nothing that is known
    resource: str  # the request's field that names it
    endpoint: Endpoint

    def has_path(self, path: str, message: Any) -> bool:
        """Returns whether a call with this request has this path in REST, percent-encoded or not. One with
        a stream of requests has only the paths without variables.
        """
        wanted = unquote(path)
        return any(wanted == _filled(template, message) for template in self.paths)

    def fingerprint(self, message: Any) -> bytes:
        """Digests what the request asks for. How it asks (its id, a dry run) is no part of that."""
        bare = type(message)()
        bare.CopyFrom(message)
        bare.ClearField("request_id")
        if self.has_validate_only:
            bare.ClearField("validate_only")
        digest = hashlib.sha256(self.path.encode())
        digest.update(b"\0")
        digest.update(bare.SerializeToString(deterministic=True))
        return digest.digest()


def method(
    path: str,
    rpc: MethodDescriptor,
    handler: Callable[..., Any],
    *,
    is_public: bool,
    resources: Container[str],
    validators: Validators,
    endpoint: Endpoint,
) -> Method:
    """Returns what the RPC's descriptor says. `resources` are the collections whose members can be looked up."""
    rules = rpc.GetOptions().Extensions[options_pb2.method]
    request_type = GetMessageClass(rpc.input_type)
    fields = rpc.input_type.fields_by_name
    collection, resource = _resource(rpc, resources)
    return Method(
        path=path,
        request_type=request_type,
        handler=handler,
        is_client_stream=rpc.client_streaming,
        is_server_stream=rpc.server_streaming,
        is_unary=not (rpc.client_streaming or rpc.server_streaming),
        scopes=frozenset(scope for scope in (rules.scope, rules.or_scope) if scope),
        is_public=is_public or rules.public,
        # A stream of requests is a protocol; its servicer judges each frame.
        validate=None if rpc.client_streaming else validators.of(request_type),
        has_request_id="request_id" in fields,
        has_validate_only="validate_only" in fields,
        paths=tuple(_paths(rpc)),
        collection=collection,
        resource=resource,
        endpoint=endpoint,
    )


def _paths(rpc: MethodDescriptor) -> Iterator[str]:
    rule = rpc.GetOptions().Extensions[annotations_pb2.http]
    for binding in (rule, *rule.additional_bindings):
        pattern = binding.WhichOneof("pattern")
        if pattern not in (None, "custom"):
            yield getattr(binding, pattern)


def _filled(template: str, message: Any) -> str | None:
    """Returns the path with the request's values in it; None if they are not there."""
    try:
        return _VARIABLE.sub(lambda found: str(attrgetter(found[1])(message)), template)
    except AttributeError:
        return None


def _resource(rpc: MethodDescriptor, known: Container[str]) -> tuple[str, str]:
    """Returns the collection of what the method's REST path names, and the variable that names it; nothing for a
    collection that is not known.
    """
    found = _RESOURCE.fullmatch(next(_paths(rpc), ""))
    return (found[1], found[2]) if found and found[1] in known else ("", "")
