def parse_ini(text):
    result = {}
    section = ""
    for line in text.split("\n"):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("["):
            if not line.endswith("]") or not line[1:-1].strip():
                raise ValueError(line)
            section = line[1:-1].strip()
            result.setdefault(section, {})
            continue
        if "=" not in line:
            raise ValueError(line)
        key, value = (part.strip() for part in line.split("=", 1))
        if not key:
            raise ValueError(line)
        if value.startswith('"'):
            value = value.strip('"').replace('\\"', '"').replace("\\\\", "\\")
        result.setdefault(section, {})[key] = value
    return result
