def parse_ini(text):
    result = {}
    section = ""
    for line in text.splitlines():
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
            result.setdefault(section, {})
        else:
            parts = line.split("=")
            if len(parts) != 2 or not parts[0].strip():
                raise ValueError(f"cannot parse: {line}")
            value = parts[1].strip()
            if value.startswith('"') and value.endswith('"') and len(value) > 1:
                value = value[1:-1]
            result.setdefault(section, {})[parts[0].strip()] = value
    return result
