"""Whatever the schema allows, and much it does not: the API never fails, and answers as it says."""

import os
from typing import Any

import pytest
import requests
import schemathesis
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import response_schema_conformance

from messages.models import Message
from robots.models import Robot, RobotSeat
from rooms.models import Invitation
from tests.callers import Caller
from tests.world import World
from threads.models import Sidebar

EXAMPLES = 15
SCHEMA = SchemaGenerator().get_schema(request=None, public=True)
CALLS = schemathesis.openapi.from_dict(SCHEMA)
METHODS = {"get", "put", "post", "patch", "delete"}
OPERATIONS = [
    pytest.param(method, path, id=described["operationId"])
    for path, item in SCHEMA["paths"].items()
    for method, described in item.items()
    if method in METHODS
]


@pytest.fixture(autouse=True)
def _no_throttles(settings: Any) -> None:
    settings.CHAT_THROTTLES = False


@pytest.fixture
def real(world: World) -> dict[str, list[int]]:
    """Ids of things that are there, for the places of an address: else all would be 404."""
    said = world.say(world.team, world.ben, "hello")
    said.edit("hello again", by=world.ben)
    echo = Robot.objects.add("echo", "Echo", by=world.root, model="builtin/parrot")
    RobotSeat.objects.seat(echo, world.team, by=world.ben)
    world.say(world.team, world.ben, "@echo hello")
    world.whisper(world.team, world.cleo, world.ben)
    sidebar = Sidebar.objects.open(said, by=world.ben)
    world.say(sidebar.room, world.ben)
    world.public.close(by=world.ben)
    return {
        "room": [*(room.pk for room in world.rooms.values()), sidebar.pk],
        "sidebar": [sidebar.pk],
        "message": list(Message.objects.values_list("pk", flat=True)),
        "user": [user.pk for user in world.people.values()],
        "robot": [echo.pk],
        "invitation": list(Invitation.objects.values_list("pk", flat=True)),
    }


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_call_fails(world: World, real: dict[str, list[int]], method: str, path: str) -> None:
    operation = CALLS[path][method.upper()]
    callers = [Caller(world.ben), Caller(world.root)]

    @given(data=st.data())
    @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
    def call(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy())
        caller = data.draw(st.sampled_from(callers))
        for name in case.path_parameters or {}:
            if name in real and data.draw(st.integers(0, 3)):
                case.path_parameters[name] = data.draw(st.sampled_from(real[name]))
        response = send(caller, case)
        if response.status_code >= 400:
            assert set(response.json()["error"]) == {"code", "message", "retryable", "details"}
        case.validate_response(response, checks=[not_a_server_error, response_schema_conformance])

    call()


def send(caller: Caller, case: schemathesis.Case) -> Response:
    """By Django's own client, within the transaction of the test."""
    sent = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    caller.client.raise_request_exception = False
    answer = caller.client.generic(
        sent.method,
        sent.path_url,
        sent.body or b"",
        content_type=sent.headers.get("Content-Type", "application/octet-stream"),
    )
    headers = {name.lower(): [value] for name, value in answer.headers.items()}
    return Response(answer.status_code, headers, answer.content, sent, elapsed=0.0, verify=False)


def test_the_schema_knows_every_call() -> None:
    assert len(OPERATIONS) == len({param.id for param in OPERATIONS})
    assert len(OPERATIONS) > 40


def test_the_schema_is_made_without_a_warning() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=os.devnull)


def test_the_schema_is_served_and_can_be_browsed(world: World) -> None:
    ben = Caller(world.ben)
    assert ben.get("schema/").status_code == 200
    assert ben.get("docs/").status_code == 200
