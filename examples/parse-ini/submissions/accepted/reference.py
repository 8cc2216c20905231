def parse_ini(text):
    sections = {}
    current = ""
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            current = section_name(line, number)
            sections.setdefault(current, {})
            continue
        key, equals, value = line.partition("=")
        key = key.strip()
        if not equals or not key:
            raise ValueError(f"line {number}: expected `key = value`")
        sections.setdefault(current, {})[key] = plain_value(value.strip(), number)
    return sections


def section_name(line, number):
    name = line[1:-1].strip()
    if line[-1] != "]" or not name:
        raise ValueError(f"line {number}: expected `[name]`")
    return name


def plain_value(value, number):
    if not value.startswith('"'):
        return value
    plain = []
    characters = iter(value[1:])
    for character in characters:
        if character == '"':
            if next(characters, None) is not None:
                raise ValueError(f"line {number}: text after the closing quote")
            return "".join(plain)
        if character == "\\":
            character = next(characters, "")
            if character not in ('"', "\\"):
                raise ValueError(f"line {number}: unknown escape")
        plain.append(character)
    raise ValueError(f"line {number}: the quote is not closed")
