import re
import unicodedata


def slugify(title, max_length=None):
    """Turn a title into a URL slug."""
    text = unicodedata.normalize("NFKD", title)
    text = "".join(c for c in text if not unicodedata.combining(c)).lower()
    # \w also knows other alphabets, and the underscore
    slug = "-".join(re.findall(r"\w+", text))
    if max_length is not None and len(slug) > max_length:
        head, dash, _ = slug[: max_length + 1].rpartition("-")
        slug = head if dash else slug[:max_length]
    return slug
