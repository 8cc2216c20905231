import unicodedata

KEPT = set("abcdefghijklmnopqrstuvwxyz0123456789")


def slugify(title, max_length=None):
    words = [""]
    for character in unicodedata.normalize("NFD", title):
        if unicodedata.category(character) == "Mn":
            continue
        lower = character.lower()
        if lower in KEPT:
            words[-1] += lower
        elif words[-1]:
            words.append("")
    words = [word for word in words if word]
    if max_length is None:
        return "-".join(words)
    if words and len(words[0]) > max_length:
        return words[0][:max_length]
    while len("-".join(words)) > max_length:
        words.pop()
    return "-".join(words)
