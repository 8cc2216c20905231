"""Its pattern for quoted values has a repetition inside a repetition: one that is not closed takes for ever."""

import re

QUOTED = re.compile(r'"((?:[^"\\]+|\\["\\])*)*"')


def parse_ini(text):
    result = {}
    section = ""
    for line in text.split("\n"):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("["):
            section = line[1:-1].strip()
            if not line.endswith("]") or not section:
                raise ValueError(line)
            result.setdefault(section, {})
            continue
        key, equals, value = line.partition("=")
        key, value = key.strip(), value.strip()
        if not equals or not key:
            raise ValueError(line)
        if value.startswith('"'):
            if not QUOTED.fullmatch(value):
                raise ValueError(line)
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        result.setdefault(section, {})[key] = value
    return result
