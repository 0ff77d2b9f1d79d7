"""The contract's own word on frames: the JSON schemas in docs/protocol.md."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"
BLOCK = re.compile(r"^```json frame:(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@cache
def schemas() -> dict[str, Draft202012Validator]:
    """By the type of the frame; empty where the document is not there."""
    text = PROTOCOL.read_text() if PROTOCOL.exists() else ""
    return {kind: Draft202012Validator(json.loads(block)) for kind, block in BLOCK.findall(text)}


def faults(frame: dict[str, Any]) -> list[str]:
    """What is wrong with a frame of the server."""
    known = schemas()
    if not known:
        return []
    kind = frame.get("type")
    if kind not in known:
        return [f"The contract knows no frame {kind!r}."]
    return [
        f"{kind}: {error.message} at {list(error.absolute_path)}"
        for error in known[kind].iter_errors(frame)
    ]
