"""Which language a client reads."""

from __future__ import annotations


def prefers_english(accept_language: str) -> bool:
    """Returns whether the header ranks English above Chinese, in which the nodes face speaks."""
    return _quality(accept_language, "en") > _quality(accept_language, "zh")


def _quality(accept_language: str, language: str) -> float:
    """Returns how much of a language is wanted, from 0 to 1; the first of equals a trifle more."""
    best = 0.0
    for place, part in enumerate(accept_language.split(",")):
        tag, _, rest = part.strip().partition(";")
        if tag.strip().lower().partition("-")[0] != language:
            continue
        name, _, value = rest.strip().partition("=")
        try:
            quality = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        if 0 < quality <= 1:
            best = max(best, quality - place * 1e-6)
    return best
