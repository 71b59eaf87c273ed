"""Where a context's token comes from: its file, another file, or a program that prints it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from novasphere_client.contexts import Context, SettingsError

# For a program that asks its user for something, and not for ever.
COMMAND_SECONDS = 30.0


def of(context: Context, folder: Path, *, within: float = COMMAND_SECONDS) -> tuple[str, str]:
    """Returns the token, empty where the context names none, and where it came from.

    `folder` is what a relative token_file starts from. Raises SettingsError.
    """
    whose = f"context {context.name!r}"
    if context.token_file:
        file = folder / os.path.expanduser(context.token_file)  # noqa: PTH111 - leaves ~nobody alone
        return _from_file(file, whose), f"{file} ({whose})"
    if context.token_command:
        return _from_command(context.token_command, whose, within), f"the token_command of {whose}"
    return context.token, whose


def _from_file(file: Path, whose: str) -> str:
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is not text"
        raise SettingsError(f"the token_file of {whose}, {file}, cannot be read: {said}") from None
    if not token:
        raise SettingsError(f"the token_file of {whose}, {file}, is empty")
    return token


def _from_command(command: tuple[str, ...], whose: str, within: float) -> str:
    # Its arguments are not repeated in errors: they may hold a secret.
    what = f"the token_command of {whose}, {command[0]!r},"
    try:
        # What it says on standard error goes to the user, who may have to do something for it.
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=within, check=False
        )
    except subprocess.TimeoutExpired:
        raise SettingsError(f"{what} printed no token within {within:g} s and was killed") from None
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "it holds a zero byte"
        raise SettingsError(f"{what} cannot be run: {said}") from None
    if ended.returncode != 0:
        raise SettingsError(f"{what} failed with exit code {ended.returncode}; run it to see why")
    token = ended.stdout.decode("utf-8", "replace").strip()
    if not token:
        raise SettingsError(f"{what} printed nothing; it must print the token")
    return token
