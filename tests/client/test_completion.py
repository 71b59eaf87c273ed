"""Completion as bash asks for it, by the script that bash is given."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from command_line import Cli
from scripted_server import ScriptedServer

# Calls the completion function as bash does when Tab is pressed, and prints what it offers.
_TAB = """
source <(novasphere completion bash)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_novasphere_completion novasphere
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def program(tmp_path: Path, cli: Cli) -> Path:
    """Puts a `novasphere` of this interpreter into the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "novasphere"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m novasphere_client "$@"\n')
    script.chmod(0o755)
    cli.environment["PATH"] = f"{folder}:{cli.environment['PATH']}"
    return script


async def tab(cli: Cli, *words: str) -> list[str]:
    """Returns what bash offers for the last word. Nothing may be said beside it."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    process = await asyncio.create_subprocess_exec(
        *(bash, "--norc", "-c", _TAB, "bash", "novasphere", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=cli.environment,
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert err == b""
    return out.decode().split()


@pytest.mark.usefixtures("program")
async def test_bash_completes_words_and_names(cli: Cli, server: ScriptedServer) -> None:
    for name in ("web-1", "web-2", "db-1"):
        server.add_node(name)
    command_id = server.add_command("web-1").command.command_id
    assert (await cli("config", "set", "prod", "--server", server.address)).code == 0
    cases: list[tuple[list[str], list[str]]] = [
        (["no"], ["node"]),
        (["node", "m"], ["metrics"]),
        (["node", "list", "--sel"], ["--selector"]),
        (["node", "get", "web"], ["web-1", "web-2"]),
        (["exec", "db"], ["db-1"]),
        (["exec", "db-1", "--", "we"], []),
        (["command", "get", "cmd"], [command_id]),
        (["wait", "--for=online", "n"], ["nodes/"]),
        (["wait", "--for=online", "nodes/d"], ["nodes/db-1"]),
        (["config", "use-context", ""], ["prod"]),
        (["node", "list", "--context", "p"], ["prod"]),
        (["u"], ["up"]),
    ]
    offered = await asyncio.gather(*(tab(cli, *words) for words, _ in cases))
    for (words, wanted), found in zip(cases, offered, strict=True):
        assert found == wanted, words


@pytest.mark.usefixtures("program")
async def test_a_server_that_cannot_be_asked_is_no_word_and_no_wait(
    cli: Cli, server: ScriptedServer
) -> None:
    async def silence(*_: Any) -> None:
        await asyncio.Event().wait()

    server.enter = silence  # type: ignore[method-assign]
    started = time.monotonic()
    # Its deadline is a second; the rest is bash, which starts the interpreter twice.
    assert await tab(cli, "node", "get", "w") == []
    assert time.monotonic() - started < 25  # and not after the half minute that a call usually has
    cli.environment["NOVASPHERE_SERVER"] = "127.0.0.1:1"
    assert await tab(cli, "node", "get", "w") == []
    cli.environment["NOVASPHERE_SERVER"] = "http://what"
    assert await tab(cli, "node", "get", "w") == []


async def test_every_shell_has_a_script(cli: Cli) -> None:
    shells = {"bash": "complete -o", "zsh": "#compdef", "fish": "complete --command"}
    shells["powershell"] = "Register-ArgumentCompleter"
    scripts = await asyncio.gather(*(cli("completion", shell) for shell in shells))
    for script, said in zip(scripts, shells.values(), strict=True):
        assert script.code == 0
        assert said in script.text
        assert "_NOVASPHERE_COMPLETE" in script.text
    assert (await cli("completion", "tcsh")).code == 2
