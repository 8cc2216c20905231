"""docs/reference/http-api.md, made from the OpenAPI document: `python -m service.http.reference > docs/reference/http-api.md`."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from service.http.routes import api_app

_PREFACE = """\
# HTTP API

Made by `python -m service.http.reference` from the OpenAPI document, which a running service gives under
`/openapi.json`. JSON in, JSON out. Programs send `Authorization: Bearer TOKEN` (`assay token` makes one). Errors are
problem documents ([problems.md](problems.md)). Ids in answers are opaque.
"""


def render(document: Mapping[str, Any]) -> str:
    """The OpenAPI document as Markdown: the addresses, then the objects."""
    lines = [_PREFACE]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            lines += _operation(f"{method.upper()} {path}", operation)
    lines.append("# Objects\n")
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += _object(name, schema)
    return "\n".join(lines).rstrip() + "\n"


def _operation(title: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"## `{title}`\n"
    yield f"{operation.get('description', operation['summary'])}\n"
    for parameter in operation.get("parameters", ()):
        described = _sentence(parameter.get("description", ""))
        default = _default(parameter["schema"])
        yield f"* `{parameter['name']}` ({parameter['in']}, {_type(parameter['schema'])}{default}){described}"
    if "requestBody" in operation:
        yield f"* body: {_content(operation['requestBody'])}"
    for status, response in sorted(operation["responses"].items()):
        yield f"* {status}: {_sentence(response['description']).removeprefix(': ')} {_content(response)}".rstrip()
    yield ""


def _object(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name}\n"
    if "description" in schema:
        yield f"{schema['description']}\n"
    required = schema.get("required", ())
    for field, about in schema.get("properties", {}).items():
        note = ", required" if field in required else _default(about)
        yield f"* `{field}` ({_type(about)}{note}){_sentence(about.get('description', ''))}"
    yield ""


def _content(holder: Mapping[str, Any]) -> str:
    kinds = [_type(content["schema"]) for content in holder.get("content", {}).values() if content.get("schema")]
    return " or ".join(dict.fromkeys(kinds))


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    match schema.get("type"):
        case "array":
            return f"list of {_type(schema['items'])}"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return f"object of {_type(schema['additionalProperties'])}"
    return " ".join([schema.get("format", schema.get("type", "anything")), *_bounds(schema)])


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    words = {
        "minimum": "from",
        "exclusiveMinimum": "above",
        "maximum": "to",
        "minLength": "of at least",
        "maxLength": "up to",
    }
    for key, word in words.items():
        if key in schema:
            yield f"{word} {schema[key]:g}" + (" characters" if key.endswith("Length") else "")


def _default(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    return f", default {default}" if default not in (None, "", [], {}) else ""


def _sentence(text: str) -> str:
    return f": {text}" if text else ""


if __name__ == "__main__":
    sys.stdout.write(render(api_app().openapi()))
