"""docs/protocol.md says what the code does, and all of it."""

import re
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from accounts.api import PublicUser
from live.frames import FRAMES
from live.socket import CLOSE_CODES
from messages.api import shapes
from robots import llm
from robots.api.robots import RobotSerializer
from robots.api.seats import SeatSerializer
from robots.outcome import SENTENCES
from rooms.api.people import Person
from rooms.api.rooms import MySeat, RoomSerializer
from tests.live.contract import PROTOCOL, blocks, faults, validator
from tests.test_house import FLOORS, ROOT, modules
from threads.api import LastSaid, StubSerializer

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def test_every_call_of_the_schema_is_told_and_no_other() -> None:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    known = {
        (method.upper(), path.removeprefix("/api/v1/"))
        for path, item in paths.items()
        for method in item
        if method.upper() in METHODS
    }
    told = re.findall(rf"^\| `({'|'.join(METHODS)}) (\S+)` \|", PROTOCOL.read_text(), re.MULTILINE)
    assert set(told) == known
    assert len(told) == len(known)


def test_every_code_is_told() -> None:
    declared = re.compile(r'^ {4,8}code(?:: ClassVar\[str\])? = "(\w+)"', re.MULTILINE)
    codes = {
        code
        for app in FLOORS
        for path in modules(app)
        for code in declared.findall(path.read_text())
    }
    assert {"room_closed", "invalid", "unknown_type"} <= codes
    codes.discard("error")  # of the class that all others are made of
    table = PROTOCOL.read_text().split("## Errors")[1].split("## Signing in")[0]
    assert {code for code in codes if f"`{code}`" not in table} == set()


def test_what_goes_wrong_with_an_answer_is_told() -> None:
    table = (ROOT / "docs" / "robots.md").read_text().split("## When something goes wrong")[1]
    told = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(told) == sorted({*llm.KINDS, *SENTENCES})


@pytest.mark.parametrize("kind", ["shape", "frame", "send"])
def test_every_schema_is_one(kind: str) -> None:
    schemas = blocks(kind)
    assert schemas
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
        for name in re.findall(r"#/\$defs/(\w+)", str(schema)):
            assert name in blocks("shape")


@pytest.mark.parametrize(
    ("shape", "serializer"),
    [
        ("user", PublicUser),
        ("person", Person),
        ("seat", MySeat),
        ("room", RoomSerializer),
        ("message", shapes.MessageSerializer),
        ("author", shapes.Author),
        ("quote", shapes.Quote),
        ("origin", shapes.ShareOrigin),
        ("attachment", shapes.AttachmentSerializer),
        ("reaction", shapes.ReactionSerializer),
        ("robot", RobotSerializer),
        ("room_robot", SeatSerializer),
        ("sidebar", StubSerializer),
        ("last_said", LastSaid),
    ],
)
def test_shapes_have_the_fields_of_the_api(shape: str, serializer: Any) -> None:
    told = blocks("shape")[shape]
    fields = serializer().fields
    assert told["required"] == [name for name, field in fields.items() if field.required]
    assert set(told["properties"]) - {"article"} == set(fields)
    for name, field in serializer().fields.items():
        if choices := getattr(field, "choices", None):
            schema = told["properties"][name]
            known = schema.get("enum") or blocks("shape")["role"]["enum"]
            assert set(known) - {None} == set(choices), name


def test_examples_are_right() -> None:
    examples = blocks("example")
    assert {"message", "room", "person", "robot", "sidebar"} <= set(examples)
    for name, example in examples.items():
        assert list(validator(blocks("shape")[name]).iter_errors(example)) == []


def test_what_a_client_may_send_is_what_is_read() -> None:
    told = blocks("send")
    assert set(told) == set(FRAMES)
    for kind, fields in FRAMES.items():
        assert set(told[kind]["properties"]) == {"type", *fields}
        required = {name for name, field in fields.items() if field.required}
        assert set(told[kind]["required"]) == {"type", *required}


def test_every_frame_the_code_writes_is_told() -> None:
    written = set()
    for path in (path for app in FLOORS for path in modules(app)):
        written.update(re.findall(r'frames\.write\(\s*"(\w+)"', path.read_text()))
    assert {"joined", "bye", "sidebar"} <= written
    assert written | {"messages"} == set(blocks("frame"))
    assert set(blocks("frame")["bye"]["properties"]["reason"]["enum"]) == set(CLOSE_CODES)


def test_a_frame_that_is_wrong_is_found() -> None:
    assert faults({"type": "reset", "room": 5}) == []
    assert faults({"type": "reset", "room": "5"})
    assert faults({"type": "reset", "room": 5, "secret": 1})
    assert faults({"type": "surprise"})
    assert faults({"type": "messages", "room": 5, "messages": [{"id": 1}], "cursor": ""})
