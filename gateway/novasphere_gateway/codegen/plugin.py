"""protoc-gen-novasphere: a CodeGeneratorRequest on stdin, a CodeGeneratorResponse on stdout.

    protoc -Iproto --novasphere_out=gen FILES...

writes, for every file given, its codecs and routes (`x.proto` becomes `x_gateway.py`), and into the
folder that all files share, `gateway.py` with every route and error, and `openapi.json`. Options, with
--novasphere_opt=NAME=VALUE: `folder` names another folder for these two; `title` and `version` stand in
the OpenAPI document.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from google.protobuf.compiler import plugin_pb2

from novasphere_gateway.codegen import codecs, errors, names, openapi, reader, resolver, routes, schema

_KNOWN_OPTIONS = frozenset({"folder", "title", "version"})


def generate(request: plugin_pb2.CodeGeneratorRequest) -> plugin_pb2.CodeGeneratorResponse:
    """Returns the files for a request, or its error where a proto asks for what cannot be done."""
    response = plugin_pb2.CodeGeneratorResponse(
        supported_features=plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    try:
        for name, text in _outputs(reader.read(request)).items():
            response.file.add(name=name, content=text)
    except schema.GenerationError as error:
        response.ClearField("file")
        response.error = str(error)
    return response


def _outputs(protos: schema.Schema) -> dict[str, str]:
    unknown = protos.parameter.keys() - _KNOWN_OPTIONS
    if unknown:
        raise schema.GenerationError(f"unknown option {', '.join(sorted(unknown))}")
    table = resolver.resolve(protos)
    outputs = {
        f"{f.module.replace('.', '/')}{names.GATEWAY_SUFFIX}.py": _module(protos, f, table)
        for f in protos.files
    }
    folder = protos.parameter.get("folder", resolver.shared_folder([f.name for f in protos.files]))
    prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
    outputs[f"{prefix}gateway.py"] = _aggregate(protos)
    # The document comes with the routes: what serves the one serves the other.
    outputs[f"{prefix}openapi.json"] = openapi.emit(
        protos,
        table,
        title=protos.parameter.get("title", "API"),
        version=protos.parameter.get("version", "v1"),
    )
    return outputs


def _module(protos: schema.Schema, file: schema.File, table: Sequence[resolver.Route]) -> str:
    imports = names.Imports(protos, file.name)
    code = [*codecs.emit(protos, file, imports), *routes.emit(protos, file, table, imports)]
    return _text(
        names.generated_by(file.name),
        "",
        "from __future__ import annotations",
        "",
        "from typing import Any",
        "",
        "import orjson",
        "from novasphere_gateway import codec, model",
        "",
        *imports.lines(),
        "",
        "",
        *code,
    )


def _aggregate(protos: schema.Schema) -> str:
    """Returns the module that joins the tables of all files."""
    modules = [
        f"{file.module}{names.GATEWAY_SUFFIX}"
        for file in protos.files
        if any(method.bindings for service in file.services for method in service.methods)
    ]
    split = [(m.rpartition(".")[0], m.rpartition(".")[2], m.replace(".", "_")) for m in modules]
    return _text(
        names.generated_by("all protos"),
        "",
        "from __future__ import annotations",
        "",
        "from novasphere_gateway import model",
        "",
        *(
            f"from {package} import {name} as {alias}" if package else f"import {name}"
            for package, name, alias in split
        ),
        "",
        "",
        "ROUTES: tuple[model.Route, ...] = model.ordered(",
        *(f"    {alias}.ROUTES," for _, _, alias in split),
        ")",
        "",
        *errors.emit(protos),
    )


def _text(*lines: str) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"


def main() -> None:
    request = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(generate(request).SerializeToString())


if __name__ == "__main__":
    main()
