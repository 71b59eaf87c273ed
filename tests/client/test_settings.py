from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from novasphere_client import settings


def resolve(environment: dict[str, str], **given: str) -> settings.Settings:
    return settings.resolve(**given, environment=environment)


def test_a_fresh_machine_talks_to_itself(tmp_path: Path) -> None:
    found = resolve({"XDG_DATA_HOME": str(tmp_path)})
    assert found.server == "127.0.0.1:9090"
    assert found.token is None


def test_arguments_win_over_the_environment() -> None:
    environment = {"NOVASPHERE_SERVER": "there:1", "NOVASPHERE_TOKEN": "theirs"}
    found = resolve(environment, server="here:2", token="ours")
    assert (found.server, found.token) == ("here:2", "ours")
    found = resolve(environment)
    assert (found.server, found.token, found.token_source) == ("there:1", "theirs", "NOVASPHERE_TOKEN")


@pytest.mark.parametrize("variable", ["NOVASPHERE_DATA_DIR", "XDG_DATA_HOME"])
def test_the_admin_token_of_this_machine_is_read(tmp_path: Path, variable: str) -> None:
    folder = tmp_path if variable == "NOVASPHERE_DATA_DIR" else tmp_path / "novasphere"
    folder.mkdir(exist_ok=True)
    (folder / "admin.token").write_text("0123456789abcdef\n")
    assert resolve({variable: str(tmp_path)}).token == "0123456789abcdef"


def test_the_admin_token_of_this_machine_is_not_sent_to_another(tmp_path: Path) -> None:
    (tmp_path / "novasphere").mkdir()
    (tmp_path / "novasphere" / "admin.token").write_text("0123456789abcdef")
    environment = {"XDG_DATA_HOME": str(tmp_path), "NOVASPHERE_SERVER": "fleet.example:9090"}
    assert resolve(environment).token is None
    assert resolve(environment, server="localhost:9090").token == "0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("there", "there:9090"),
        ("there:7", "there:7"),
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("[::1]:7", "[::1]:7"),
        ("[::1]", "[::1]:9090"),
        ("::1", "[::1]:9090"),
    ],
)
def test_an_address_may_leave_out_its_port(text: str, address: str) -> None:
    assert resolve({}, server=text, token="x").server == address


@pytest.mark.parametrize(
    "text", ["http://there:8080", "there:http", "there:0", "there:70000", ":9090", "a@b", "\udcff:9090"]
)
def test_an_address_that_cannot_be_one_is_refused_in_words(text: str) -> None:
    with pytest.raises(settings.SettingsError, match=r"HOST:PORT|number from 1"):
        resolve({}, server=text, token="x")


def test_a_token_with_a_newline_inside_is_refused() -> None:
    with pytest.raises(settings.SettingsError, match="copy it again"):
        resolve({"NOVASPHERE_TOKEN": "abc\ndef"})


async def test_reading_settings_does_not_block_the_loop(tmp_path: Path) -> None:
    found = await asyncio.to_thread(settings.resolve, environment={"NOVASPHERE_DATA_DIR": str(tmp_path)})
    assert found.token_source == str(tmp_path / "admin.token")
