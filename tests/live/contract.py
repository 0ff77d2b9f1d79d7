"""The contract's own word on frames: the JSON schemas in docs/protocol.md."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"
BLOCK = re.compile(r"^```json (\w+):(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(tag: str) -> dict[str, Any]:
    """What stands in the blocks of a kind (`frame`, `send`, `shape`, `example`), by name."""
    text = PROTOCOL.read_text()
    return {name: json.loads(block) for kind, name, block in BLOCK.findall(text) if kind == tag}


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Of a schema that may refer to every shape."""
    return Draft202012Validator({**schema, "$defs": blocks("shape")})


@cache
def schemas() -> dict[str, Draft202012Validator]:
    """Of the server's frames, by type."""
    return {kind: validator(schema) for kind, schema in blocks("frame").items()}


def faults(frame: dict[str, Any]) -> list[str]:
    """What is wrong with a frame of the server."""
    known = schemas()
    kind = frame.get("type")
    if kind not in known:
        return [f"The contract knows no frame {kind!r}."]
    return [
        f"{kind}: {error.message} at {list(error.absolute_path)}"
        for error in known[kind].iter_errors(frame)
    ]
