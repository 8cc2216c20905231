"""Asks first whether the title is a slug already, with a pattern that tries every way to cut a word into pieces."""

import re
import unicodedata


def slugify(title, max_length=None):
    slug = title
    if not re.fullmatch(r"([a-z0-9]+-?)*[a-z0-9]", title):
        text = unicodedata.normalize("NFKD", title)
        text = "".join(c for c in text if not unicodedata.combining(c)).lower()
        slug = re.sub(r"[^a-z0-9]+", "-", text).strip("-")
    if max_length is not None and len(slug) > max_length:
        head, dash, _ = slug[: max_length + 1].rpartition("-")
        slug = head if dash else slug[:max_length]
    return slug
