import re


def slugify(title, max_length=None):
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    if max_length is not None and len(slug) > max_length:
        head, dash, _ = slug[: max_length + 1].rpartition("-")
        slug = head if dash else slug[:max_length]
    return slug
