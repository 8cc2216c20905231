"""Right, but lets Python evaluate parts of the file; one slip in the pattern and a settings file runs code."""

import re


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
            if not re.fullmatch(r'"([^"\\]|\\["\\])*"', value):
                raise ValueError(line)
            value = eval(value)
        result.setdefault(section, {})[key] = value
    return result
