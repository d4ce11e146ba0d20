"""Texts as they are compared: by searches and by tags."""

import unicodedata


def folded(text: str) -> str:
    """Return a text in which case and the ways to write one character make no difference."""
    return unicodedata.normalize("NFKC", text.strip()).casefold()


def split_tags(tags: str) -> list[str]:
    """Return the tags of a comma separated text, each once, as they are written."""
    written = (tag.strip() for tag in tags.split(","))
    return list({folded(tag): tag for tag in written if tag}.values())
