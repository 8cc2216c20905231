import re

SECTION = re.compile(r"\[\s*(.*\S)\s*\]")
SETTING = re.compile(r"([^=]*[^=\s])\s*=\s*(.*)")
QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')


def parse_ini(text):
    result = {}
    section = ""
    for line in map(str.strip, text.split("\n")):
        if line == "" or line.startswith(("#", ";")):
            continue
        if line.startswith("["):
            match = SECTION.fullmatch(line)
            if match is None:
                raise ValueError(f"bad section: {line}")
            section = match[1]
            result.setdefault(section, {})
            continue
        match = SETTING.fullmatch(line)
        if match is None:
            raise ValueError(f"bad line: {line}")
        key, value = match.groups()
        if value.startswith('"'):
            quoted = QUOTED.fullmatch(value)
            if quoted is None:
                raise ValueError(f"bad value: {value}")
            value = re.sub(r"\\(.)", r"\1", quoted[1])
        result.setdefault(section, {})[key] = value
    return result
