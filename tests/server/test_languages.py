"""In which language clients are answered."""

from __future__ import annotations

import pytest
from novasphere_gateway.runtime import requests
from novasphere_server.rpc import languages


@pytest.mark.parametrize(
    ("accepted", "is_english"),
    [
        ("", False),
        ("en", True),
        ("EN-gb", True),
        ("zh", False),
        ("*", False),
        ("fr", False),
        ("fr, en;q=0.8", True),
        ("fr, zh;q=0.9, en;q=0.8", False),
        ("en-US,en;q=0.9,zh;q=0.8", True),
        ("zh-CN,zh;q=0.9,en;q=0.8", False),
        ("en;q=0.5, zh;q=0.7, en-US;q=0.9", True),
        ("zh, en", False),
        ("en, zh", True),
        ("en;q=0", False),
        ("zh;q=0, en;q=0.1", True),
        ("en;q=much, zh;q=0.1", False),
        ("en;q=5, zh;q=0.1", False),
        ("en;q=nan, zh;q=0.1", False),
        ("zh;q=0.5, en ; Q = 0.8", True),
        ("zh;q=0.5, en;level=1;q=0.4", False),
    ],
)
def test_the_gateway_and_the_server_read_one_header_in_one_way(accepted: str, is_english: bool):
    assert (requests.preferred_language(accepted) == "en") is is_english
    assert languages.prefers_english(accepted) is is_english
