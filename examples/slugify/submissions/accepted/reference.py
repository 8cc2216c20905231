import re
import unicodedata


def slugify(title, max_length=None):
    decomposed = unicodedata.normalize("NFKD", title)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    words = re.findall("[a-z0-9]+", plain.lower())
    slug = "-".join(words)
    if max_length is None or len(slug) <= max_length:
        return slug
    if slug[max_length] == "-":
        return slug[:max_length]
    whole, _, _ = slug[:max_length].rpartition("-")
    return whole or slug[:max_length]
