"""The plugin as protoc meets it: what it refuses, and what it makes do without."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from novasphere_gateway.codegen import resolver, testing
from novasphere_gateway.codegen.schema import GenerationError

PROTO = Path(__file__).parent.parent.parent / "proto"

SERVICE = """
syntax = "proto3";
package {package}.v1;
import "google/api/annotations.proto";
import "google/protobuf/any.proto";
import "novasphere/api/v1/options.proto";
service S {{
  rpc Do(Request) returns ({response}) {{
    option (google.api.http) = {{ {http} }};
    option (novasphere.api.v1.method) = {{ {method} }};
  }}
  {more}
}}
message Request {{
  string id = 1;
  repeated string names = 2;
  Inner inner = 3;
  {field}
}}
message Response {{
  string id = 1;
}}
message Inner {{
  string id = 1;
}}
"""


def compile_service(
    folder: Path,
    http: str,
    *,
    package: str = "refused",
    method: str = "",
    more: str = "",
    field: str = "",
    response: str = "Response",
) -> None:
    protos = folder / "protos" / package
    protos.mkdir(parents=True)
    text = SERVICE.format(
        package=package, http=http, method=method, more=more, field=field, response=response
    )
    (protos / "s.proto").write_text(text)
    testing.compile_protos(folder / "protos", folder / "out", imports=[PROTO])


@pytest.mark.parametrize(
    ("http", "more", "complaint"),
    [
        ('get: "/v1/{nothing}"', {}, 'v1.S.Do: path: refused.v1.Request has no field "nothing"'),
        ('get: "/v1/{names}"', {}, 'path: "names" cannot be read from text'),
        ('get: "/v1/{id.x}"', {}, 'path: "id" holds no fields'),
        ('get: "v1/x"', {}, 'must begin with "/"'),
        ('get: "/v1/x:"', {}, 'must not end with ":"'),
        ('get: "/v1/x{id}"', {}, "a segment that cannot be read"),
        ('get: "/v1/{id=**}/x"', {}, "** may only stand at the end"),
        ('get: "/v1/x" body: "*"', {}, "a GET cannot take a body"),
        ('post: "/v1/x" body: "names"', {}, 'must be a single message field or "*"'),
        ('get: "/v1/x" response_body: "nothing"', {}, "response_body: "),
        ('post: "/v1/x"', {"method": 'action: "a"'}, "an action is read from the body"),
        ('get: "/v1/x"', {"method": 'stream: {rows: "id"}'}, "has stream rules but does not stream"),
        ('get: "/v1/x"', {"response": "stream Response", "method": 'stream: {rows: "id"}'}, "no list"),
        ('get: "/v1/x"', {"method": "example: {response: '{'}"}, "its example is not JSON"),
        (
            'get: "/v1/{id}"',
            {
                "more": "rpc Also(Request) returns (Response) "
                '{ option (google.api.http) = {get: "/v1/{id}"}; }'
            },
            "both answer GET /v1/{id}",
        ),
        (
            'get: "/v1/x"',
            {
                "more": "rpc In(stream Request) returns (Response) "
                '{ option (google.api.http) = {post: "/v1/y" body: "*"}; }'
            },
            "takes a stream and answers once",
        ),
        (
            'get: "/v1/x"',
            {
                "more": "rpc In(stream Request) returns (stream Response) "
                '{ option (google.api.http) = {post: "/v1/y" body: "*"}; }'
            },
            "its route is a GET",
        ),
        (
            'post: "/v1/x" body: "*"',
            {"field": 'string other = 4 [(novasphere.api.v1.key) = "id"];'},
            'in JSON, "id" names both id and other',
        ),
        (
            'post: "/v1/x" body: "*"',
            {"field": "int32 number = 4 [(novasphere.api.v1.json_text) = true];"},
            "only strings can hold JSON text",
        ),
        (
            'post: "/v1/x" body: "*"',
            {"field": "google.protobuf.Any any = 4;"},
            "a type of Google's that has none here",
        ),
    ],
)
def test_what_cannot_work_is_refused_by_name(
    tmp_path: Path, http: str, more: dict[str, str], complaint: str
) -> None:
    with pytest.raises(testing.CompileError) as caught:
        compile_service(tmp_path, http, **more)
    assert complaint in str(caught.value)


def test_an_unknown_option_is_refused(tmp_path: Path) -> None:
    (tmp_path / "protos").mkdir()
    (tmp_path / "protos" / "a.proto").write_text('syntax = "proto3"; message A {}')
    with pytest.raises(testing.CompileError, match="unknown option titel"):
        testing.compile_protos(tmp_path / "protos", tmp_path / "out", options="titel=x")


def test_a_proto_that_knows_nothing_of_our_options_is_fine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "protos").mkdir()
    (tmp_path / "protos" / "bare_alone.proto").write_text(
        'syntax = "proto3"; message Bare { optional int64 n = 1; Bare bare = 2; }'
        "service BareService { rpc Get(Bare) returns (Bare); }"
    )
    testing.compile_protos(tmp_path / "protos", tmp_path / "out")
    monkeypatch.syspath_prepend(str(tmp_path / "out"))
    codecs = importlib.import_module("bare_alone_gateway")
    assert codecs.encode_Bare(codecs.decode_Bare({"n": 5, "bare": {}})) == {"n": 5, "bare": {}}
    assert (tmp_path / "out" / "gateway.py").exists()


def test_an_annotated_rpc_is_all_that_a_new_route_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_service(
        tmp_path,
        'post: "/v1/inner/{inner.id}:do" body: "*" additional_bindings { get: "/v1/do/{id}" }',
        package="brandnew",
        method="scope: SCOPE_ADMIN",
    )
    monkeypatch.syspath_prepend(str(tmp_path / "out"))
    routes = importlib.import_module("brandnew.gateway").ROUTES
    assert [(r.label, r.method, r.scope) for r in routes] == [
        ("GET /v1/do/{id}", "/brandnew.v1.S/Do", 3),
        ("POST /v1/inner/{inner.id}:do", "/brandnew.v1.S/Do", 3),
    ]


def test_the_same_protos_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        compile_service(tmp_path / name, 'post: "/v1/x/{id}" body: "*"')
    one, two = (
        {p.relative_to(tmp_path / name / "out"): p.read_bytes() for p in (tmp_path / name).rglob("*.*")
         if "out" in p.parts}
        for name in ("one", "two")
    )  # fmt: skip
    assert one == two
    assert one


def test_the_plugin_reads_no_module_that_it_generates() -> None:
    code = (
        "import sys; from novasphere_gateway.codegen import plugin; "
        "print([m for m in sys.modules if m == 'novasphere' or m.startswith('novasphere.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("path", "segments", "verb"),
    [
        ("/v1/things", ("v1", "things"), ""),
        ("/v1/things/{id}", ("v1", "things", "*"), ""),
        ("/v1/things/{id}:stop", ("v1", "things", "*"), "stop"),
        ("/v1/{name=a/*/b/**}:get", ("v1", "a", "*", "b", "**"), "get"),
        ("/", (), ""),
    ],
)
def test_paths_are_taken_apart(path: str, segments: tuple[str, ...], verb: str) -> None:
    template = resolver.parse_template(path)
    assert (template.segments, template.verb) == (segments, verb)


@pytest.mark.parametrize("path", ["things", "/things:", "/a//b", "/a{b}", "/{a}b", "/{a=**}/b"])
def test_paths_that_cannot_be_matched_are_refused(path: str) -> None:
    with pytest.raises(GenerationError, match="path"):
        resolver.parse_template(path)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("(novasphere.api.v1.published_number) = 1", "1 stands for two values"),
        ('(novasphere.api.v1.other_spellings) = "ON"', '"ON" stands for two values'),
    ],
)
def test_a_word_or_number_for_two_values_of_an_enum_is_refused(
    tmp_path: Path, options: str, told: str
) -> None:
    more = f"}} enum Mode {{ MODE_UNSPECIFIED = 0; MODE_ON = 1; MODE_OFF = 2 [{options}];"
    with pytest.raises(testing.CompileError, match=told):
        compile_service(tmp_path, 'get: "/api/v1/x"', more=more)
