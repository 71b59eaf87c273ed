"""Which language a client reads."""

from __future__ import annotations


def prefers_english(accept_language: str) -> bool:
    """Returns whether the header ranks English above Chinese, in which the nodes face speaks.

    The gateway, which knows no server, has the same rule; a test compares the two.
    """
    return _quality(accept_language, "en") > _quality(accept_language, "zh")


def prefers_chinese(accept_language: str) -> bool:
    """Returns whether the header ranks Chinese above English, in which the native face speaks."""
    return _quality(accept_language, "zh") > _quality(accept_language, "en")


def _quality(accept_language: str, language: str) -> float:
    """Returns how much of a language is wanted, from 0 to 1; the first of equals a trifle more."""
    best = 0.0
    for place, part in enumerate(accept_language.split(",")):
        tag, *parameters = part.split(";")
        if tag.strip().lower().partition("-")[0] != language:
            continue
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        if 0 < quality <= 1:
            best = max(best, quality - place * 1e-6)
    return best
