from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import Cli
from novasphere_client import settings, yaml_edits
from novasphere_client.contexts import Contexts
from novasphere_client.settings import SettingsError
from scripted_server import TOKEN, ScriptedServer

FILE = """\
# Ours.
current-context: prod  # since May
contexts:
  # The fleet.
  prod:
    server: fleet.example:9090  # behind the VPN
    token: prods-token-0123456
    namespace: web
  # A laptop.
  dev:
    server: 127.0.0.1:7
    colour: green
theme: {dark: true}
"""


def config(folder: Path, text: str = FILE) -> dict[str, str]:
    """Returns an environment whose contexts are these."""
    file = folder / "novasphere" / "config.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return {"XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}


def test_the_current_context_says_where_and_as_whom(tmp_path: Path) -> None:
    found = settings.resolve(environment=config(tmp_path))
    assert (found.server, found.token) == ("fleet.example:9090", "prods-token-0123456")
    assert (found.context, found.namespace) == ("prod", "web")
    assert found.token_source == "context 'prod'"
    assert "prods-token" not in repr(found)


def test_arguments_win_over_the_environment_and_that_over_the_context(tmp_path: Path) -> None:
    environment = config(tmp_path) | {"NOVASPHERE_TOKEN": "theirs"}
    assert settings.resolve(environment=environment).token == "theirs"
    assert settings.resolve(token="ours", environment=environment).token == "ours"
    environment |= {"NOVASPHERE_CONTEXT": "dev"}
    assert settings.resolve(environment=environment).server == "127.0.0.1:7"
    # --context is an argument.
    found = settings.resolve(context="prod", environment=environment)
    assert (found.server, found.token) == ("fleet.example:9090", "prods-token-0123456")
    environment |= {"NOVASPHERE_SERVER": "there:1"}
    assert settings.resolve(environment=environment).server == "there:1"
    assert settings.resolve(context="prod", environment=environment).server == "fleet.example:9090"


def test_a_token_goes_to_the_server_of_its_context_alone(tmp_path: Path) -> None:
    environment = config(tmp_path)
    for found in (
        settings.resolve("there:1", environment=environment),
        settings.resolve(environment=environment | {"NOVASPHERE_SERVER": "there:1"}),
    ):
        assert (found.server, found.token) == ("there:1", None)
        assert (found.context, found.namespace) == ("", "")
    same = settings.resolve("fleet.example", environment=environment)
    assert same.token == "prods-token-0123456"
    # Whoever names both means both: as through a tunnel.
    both = settings.resolve("127.0.0.1:5", context="prod", environment=environment)
    assert (both.server, both.token) == ("127.0.0.1:5", "prods-token-0123456")


def test_a_context_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    environment = config(tmp_path)
    with pytest.raises(SettingsError, match="did you mean 'prod'\\? It has: dev, prod"):
        settings.resolve(context="pord", environment=environment)
    with pytest.raises(SettingsError, match="It has: dev, prod"):
        settings.resolve(environment=environment | {"NOVASPHERE_CONTEXT": "else"})
    with pytest.raises(SettingsError, match="novasphere config set prod --server"):
        settings.resolve(context="prod", environment=config(tmp_path, ""))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("contexts: [a", "line 1: this is not YAML"),
        ("contexts: [a]", "`contexts` must map names"),
        ("just words", "`contexts` must map names"),
        ("contexts: {prod: 5}", "contexts.prod must map"),
        ("contexts: {prod: {server: 5}}", "contexts.prod.server must be a text"),
        ("contexts: {prod: {token_command: pass}}", "token_command must be a list"),
        ("contexts: {prod: {token: a, token_file: b}}", "has token and token_file; keep one"),
        ("contexts: {prod: {server: 'http://a'}}", "the server of context 'prod'.*HOST:PORT"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        settings.resolve(context="prod", environment=config(tmp_path, text))


def test_a_token_comes_from_a_file_or_a_program(tmp_path: Path) -> None:
    (tmp_path / "novasphere").mkdir()
    (tmp_path / "novasphere" / "secret").write_text("from-a-file-0123\n")
    program = [sys.executable, "-c", "print('from-a-program-01')"]
    text = yaml.safe_dump(
        {
            "contexts": {
                "file": {"server": "a:1", "token_file": "secret"},
                "program": {"server": "a:1", "token_command": program},
            }
        }
    )
    environment = config(tmp_path, text)
    assert settings.resolve(context="file", environment=environment).token == "from-a-file-0123"
    assert settings.resolve(context="program", environment=environment).token == "from-a-program-01"
    # Nothing is run or read for a token that somebody gave.
    (tmp_path / "novasphere" / "secret").unlink()
    assert settings.resolve(token="mine", context="file", environment=environment).token == "mine"
    with pytest.raises(SettingsError, match="secret, cannot be read: No such file"):
        settings.resolve(context="file", environment=environment)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["/nowhere/pass"], "cannot be run: No such file"),
        (["sh", "-c", "echo hush; exit 3"], "failed with exit code 3"),
        (["true"], "printed nothing"),
        (["sleep", "600"], "printed no token within 2 s and was killed"),
    ],
)
def test_a_program_that_prints_no_token_is_an_error_in_words(
    tmp_path: Path, command: list[str], said: str
) -> None:
    entry = {"server": "a:1", "token_command": command}
    environment = config(tmp_path, yaml.safe_dump({"contexts": {"c": entry}}))
    seconds = 2 if command[0] == "sleep" else 60  # which none of the others needs
    with pytest.raises(SettingsError, match=said) as caught:
        settings.resolve(context="c", environment=environment, token_seconds=seconds)
    assert "hush" not in str(caught.value)


def changed(text: str, change: Any, folder: Path) -> str:
    file = folder / "config.yaml"
    file.write_text(text)
    known = Contexts.read(file)
    change(known)
    known.write()
    written = file.read_text()
    assert yaml.safe_load(written) == known.data
    return written


def test_changes_keep_comments_and_what_a_newer_version_wrote(tmp_path: Path) -> None:
    def change(known: Contexts) -> None:
        known.use("dev")
        known.put("prod", {"server": "new:1", "namespace": "", "token_file": "/t"})
        known.put("third", {"server": "c:1"})

    assert (
        changed(FILE, change, tmp_path)
        == """\
# Ours.
current-context: dev  # since May
contexts:
  # The fleet.
  prod:
    server: new:1  # behind the VPN
    token_file: /t
  # A laptop.
  dev:
    server: 127.0.0.1:7
    colour: green
  third:
    server: c:1
theme: {dark: true}
"""
    )


def test_a_context_is_removed_with_its_lines_alone(tmp_path: Path) -> None:
    text = changed(FILE, lambda known: known.delete("prod"), tmp_path)
    assert "current-context" not in text
    assert "# A laptop.\n  dev:\n    server: 127.0.0.1:7\n    colour: green\n" in text
    text = changed(text, lambda known: known.delete("dev"), tmp_path)
    assert yaml.safe_load(text) == {"contexts": {}, "theme": {"dark": True}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "contexts:\n",
        "contexts: {}\n",
        "{contexts: {a: {server: x}}}\n",
        "a: &x\n  server: y\ncontexts:\n  a: *x\n",
        "contexts:\n  a:\n    server: >\n      folded\n      text",
        "1: one\ncontexts:\n  a: {server: x}  # flow\n",
        "contexts:\n  a:\n    token_command:\n    - pass\n    - show # it\n",
    ],
)
def test_any_shape_of_file_can_be_changed(tmp_path: Path, text: str) -> None:
    def change(known: Contexts) -> None:
        known.put("a", {"server": "new:1", "token_command": ["a", "b c"]})
        known.put("b", {"token": "'# : -"})

    data = yaml.safe_load(changed(text, change, tmp_path))
    assert data["contexts"]["a"]["server"] == "new:1"
    assert data["contexts"]["b"] == {"token": "'# : -"}


def test_a_revised_document_is_the_wanted_one_even_where_edits_fail() -> None:
    assert yaml.safe_load(yaml_edits.revised("a: 1\n# c\n", {"b": [1, {"c": None}]})) == {
        "b": [1, {"c": None}]
    }


async def test_contexts_are_made_shown_used_and_removed(cli: Cli, tmp_path: Path) -> None:
    first = await cli("config", "set", "prod", "--server", "fleet.example:9090", "-n", "web")
    assert (first.code, first.err) == (
        0,
        "novasphere: context 'prod' saved; it is the current one\n",
    )
    process = await cli.start("config", "set", "prod", "--token", "-", stdin=-1)
    assert process.stdin is not None
    process.stdin.write(b"a-secret-0123456\n")
    assert (await cli.finish(process)).code == 0
    assert (await cli("config", "set", "dev", "--url", "http://127.0.0.1:8080")).code == 0
    file = tmp_path / ".config" / "novasphere" / "config.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["config.yaml"]

    masked = await cli("config", "view")
    assert "a-secret" not in masked.text
    assert "token: (masked)" in masked.text
    bare = await cli("config", "view", "--raw", "--minify", "-o", "json")
    assert json.loads(bare.text) == {
        "current-context": "prod",
        "contexts": {
            "prod": {"server": "fleet.example:9090", "namespace": "web", "token": "a-secret-0123456"}
        },
    }
    listed = await cli("config", "get-contexts")
    assert [line.split() for line in listed.text.splitlines()] == [
        ["CURRENT", "NAME", "SERVER", "URL", "NAMESPACE", "TOKEN"],
        ["-", "dev", "-", "http://127.0.0.1:8080", "-", "-"],
        ["*", "prod", "fleet.example:9090", "-", "web", "token"],
    ]
    assert (await cli("config", "use-context", "dev")).code == 0
    assert (await cli("config", "view", "--minify")).text.startswith("current-context: dev\n")
    wrong = await cli("config", "use-context", "deb")
    assert wrong.code == 2
    assert "did you mean 'dev'? It has: dev, prod" in wrong.err
    gone = await cli("config", "delete-context", "dev")
    assert "there is no current one now" in gone.err
    assert (await cli("config", "get-contexts", "-o", "name")).text == "prod\n"


async def test_wrong_settings_of_a_context_are_refused_in_words(cli: Cli) -> None:
    for arguments, said in [
        (["--server", "http://a:1"], "HOST:PORT"),
        (["--url", "a:1"], "not a base such as"),
        (["--url", "http://me:pass@a:1"], "takes no credentials"),
        (["--token", "a", "--token-file", "b"], "give one of --token and --token-file"),
        (["--token-command", "a 'b"], "No closing quotation"),
        ([], "nothing to set"),
    ]:
        wrong = await cli("config", "set", "prod", *arguments)
        assert (wrong.code, wrong.out) == (2, b"")
        assert said in " ".join(wrong.err.replace("│", " ").split()), wrong.err
        assert ":pass@" not in wrong.err


async def test_a_context_is_enough_to_be_served(cli: Cli, server: ScriptedServer) -> None:
    server.add_node("n1")
    del cli.environment["NOVASPHERE_SERVER"], cli.environment["NOVASPHERE_TOKEN"]
    await cli("config", "set", "here", "--server", server.address, "--token", TOKEN, "-n", "team")
    await cli("config", "set", "away", "--server", "127.0.0.1:1")
    assert (await cli("node", "list", "-o", "name")).text == "n1\n"
    assert (await cli("exec", "n1", "--no-wait", "--", "true")).code == 0
    assert server.requests("CreateCommand")[0].namespace == "team"
    for arguments, namespace in ([[], "team"], [["-n", "b"], "b"], [["-A"], ""]):
        assert (await cli("command", "list", *arguments)).code == 0
        assert server.requests("ListCommands")[-1].namespace == namespace
    away = await cli("node", "list", "--context", "away")
    assert away.code == 1
    assert "127.0.0.1:1, of context 'away'" in away.err
    cli.environment["NOVASPHERE_CONTEXT"] = "away"
    assert (await cli("--context=here", "node", "list", "-o", "name")).text == "n1\n"
    await cli("config", "set", "here", "--token", "of-yesterday-0123")
    refused = await cli("node", "list", "--context", "here")
    assert refused.code == 1
    assert "does not accept the token from context 'here'" in refused.err
    assert "novasphere config set here --token -" in refused.err
    assert "of-yesterday" not in refused.err
    unknown = await cli("node", "list", "--context", "her")
    assert unknown.code == 2
    assert "did you mean 'here'?" in unknown.err
