"""Private side-bars, looked for by those who are not in them: by guessed ids at every address of
the pages and the API, and by traces in whatever they are shown.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from messages.models import Attachment, Message
from rooms.models import Participant, Room
from tests.callers import Caller
from tests.messages.files import upload
from tests.threads.beside import beside, private
from tests.world import World, again
from threads.models import Sidebar

HIDDEN = ("room", "message", "sidebar", "attachment")
NOTHING = 987_654_321
WORD = "zebra"


@dataclass
class Secret:
    """A private side-bar, and what is in it."""

    sidebar: Sidebar
    message: Message
    file: Attachment

    @property
    def ids(self) -> dict[str, int]:
        room = self.sidebar.pk
        return {
            "room": room,
            "sidebar": room,
            "message": self.message.pk,
            "attachment": self.file.pk,
        }


def hide(world: World, mode: str) -> Secret:
    """Something is said between two, beside what all of their room see."""
    by, other = (world.ben, world.gus) if mode == "team" else (world.ada, world.sue)
    asking = world.carl if mode == "support" else by
    said = world.say(again(world.rooms[mode]), asking, "what now?")
    sidebar = private(said, by, other, title=f"{WORD} plans")
    file = upload(again(sidebar.room), by, name=f"{WORD}.txt")
    message = world.say(again(sidebar.room), by, f"a {WORD}", attachments=[file])
    message.react("👍", by=other)
    world.whisper(again(sidebar.room), by, other, body=f"another {WORD}")
    again(sidebar.room).update(by=by, description=f"about the {WORD}")
    return Secret(sidebar, message, file)


STRANGERS = [
    *(("team", name) for name in ("cleo", "vic", "otto", "amy", "root", "carl")),
    *(("support", name) for name in ("carl", "dora", "amy", "root", "ben", "otto")),
]
"""People of the room who are not invited, customers, and people from outside."""


METHODS = ("get", "post", "patch", "put", "delete")


def routes() -> Iterator[tuple[str, Collection[str]]]:
    """The addresses that take one of those ids (`rooms/{room}/people/`), and what they offer."""

    def below(patterns: Any, before: str) -> Iterator[tuple[str, Collection[str]]]:
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver) and not route.startswith("admin"):
                yield from below(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern):
                yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route), offered(pattern.callback)

    for route, methods in below(get_resolver().url_patterns, ""):
        if any(f"{{{name}}}" in route for name in HIDDEN):
            yield route, methods


def offered(view: Any) -> Collection[str]:
    """By the API as its class has them; a page is a function, and asked both ways."""
    cls = getattr(view, "cls", None)
    return [method for method in METHODS if hasattr(cls, method)] if cls else METHODS[:2]


OFFERED = dict(sorted(routes()))
ROUTES = list(OFFERED)
CALLS = [(method, route) for route in ROUTES for method in OFFERED[route]]
OTHERS = [
    (method, route)
    for route in ROUTES
    for method in METHODS
    if "api/" in route and method not in OFFERED[route]
]


def body(world: World, ids: dict[str, int]) -> dict[str, Any]:
    """Enough for every call to be a good one, if only one were let."""
    return {
        "client_id": str(uuid4()),
        "body": "let me in",
        "audience": "everyone",
        "user": world.ben.pk,
        "role": "member",
        "name": "mine",
        "outcome": "success",
        "muted": True,
        "message": ids["message"],
        "messages": [ids["message"]],
        "action": "reopen",
        "version": 1,
        "data": {},
        "robot": 1,
        "strategy": "relay",
        "robots": [1, 2],
        "when_busy": "queue",
    }


def known(answer: Any, ids: dict[str, int]) -> tuple[int, str]:
    """Status and content, without what differs from call to call, and without the ids asked for."""
    text = answer.content.decode(errors="replace") if not answer.streaming else "a file"
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"|nonce="[^"]+"', "", text)
    text = re.sub(r'"(?:csrf|csrfToken)": ?"\w+"|"cursor": ?"[^"]+"|data-cursor="[^"]+"', "", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "", text)
    for pk in sorted(ids.values(), reverse=True):
        text = re.sub(rf"/{pk}(?=/)", "/#", text)
    return answer.status_code, text


class Stranger:
    """Somebody with a browser and a token."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.user = world, world.people[name]
        self.caller = Caller(self.user)
        self.browser = Client()
        self.browser.force_login(self.user, backend="django.contrib.auth.backends.ModelBackend")

    def asks(self, method: str, route: str, ids: dict[str, int]) -> tuple[int, str]:
        names = {"emoji": "x", "handle": "parrot", "name": f"{WORD}.txt", "robot": 1}
        path = "/" + route.format(user=self.world.ben.pk, **{**names, **ids})
        given = body(self.world, ids)
        if route.startswith("api/"):
            raw = json.dumps(given).encode()
            call = self.caller.client.generic
            return known(call(method.upper(), path, raw, content_type="application/json"), ids)
        if method == "post":
            return known(self.browser.post(path, given), ids)
        return known(getattr(self.browser, method)(path), ids)


@pytest.fixture(autouse=True)
def _no_throttles(settings: Any) -> None:
    settings.CHAT_THROTTLES = False


def test_there_are_addresses_to_try() -> None:
    for route in (
        "rooms/{room}/",
        "api/v1/rooms/{room}/messages/",
        "api/v1/messages/{message}/share/",
        "api/v1/sidebars/{sidebar}/conclude/",
        "sidebars/{sidebar}/share/",
        "attachments/{attachment}/{name}",
    ):
        assert route in ROUTES


def test_what_an_address_does_not_offer_is_refused_whatever_is_there(world: World) -> None:
    """Of methods it is thus enough to try those that are offered."""
    secret, stranger = hide(world, "team"), Stranger(world, "cleo")
    assert len(OTHERS) > len(CALLS)
    for method, route in OTHERS:
        found = stranger.asks(method, route, secret.ids)
        assert found[0] == 405, (method, route)
        assert found == stranger.asks(method, route, dict.fromkeys(HIDDEN, NOTHING))


@pytest.mark.parametrize(("mode", "name"), STRANGERS)
def test_every_address_answers_as_if_there_were_nothing(world: World, mode: str, name: str) -> None:
    secret = hide(world, mode)
    stranger, nothing = Stranger(world, name), dict.fromkeys(HIDDEN, NOTHING)
    before, hidden = _state(secret), set()
    for method, route in CALLS:
        found = stranger.asks(method, route, secret.ids)
        assert found == stranger.asks(method, route, nothing), (method, route)
        assert found[0] in (404, 405, 400, 403), (method, route)
        if found[0] == 404:
            hidden.add(route)
    assert hidden == set(ROUTES)
    assert _state(secret) == before


def _state(secret: Secret) -> list[Any]:
    room = Room.objects.get(pk=secret.sidebar.pk)
    return [
        (room.revision, room.people_revision, room.state, room.name),
        list(Participant.objects.filter(room=room).values_list("user", "role", "last_read")),
        list(Message.objects.filter(room=room).values_list("pk", "version")),
        Room.objects.filter(parent__isnull=False).count(),
    ]


@pytest.mark.parametrize(("mode", "name"), STRANGERS)
def test_no_body_names_what_is_hidden(world: World, mode: str, name: str) -> None:
    """Ids within calls that are otherwise one's own to make."""
    secret, stranger = hide(world, mode), Stranger(world, name)
    mine = next((seat.room for seat in stranger.user.participations.all()), None)
    if mine is None:
        mine = Room.objects.open("Mine", by=stranger.user)
    own = Message.objects.visible_to(stranger.user).filter(room=mine, kind="text").first()
    own = own or (world.say(mine, stranger.user) if name != "vic" else None)
    api = stranger.caller

    def answers(ids: dict[str, int]) -> list[tuple[int, str]]:
        post, new = {"body": "hi", "audience": "everyone"}, lambda: {"client_id": str(uuid4())}
        calls = [
            (f"rooms/{mine.pk}/messages/", {**post, **new(), "reply_to": ids["message"]}),
            (f"rooms/{mine.pk}/messages/", {**post, **new(), "attachments": [ids["attachment"]]}),
            (f"rooms/{mine.pk}/read/", {"message": ids["message"]}),
            (f"rooms/{mine.pk}/unread/", {"message": ids["message"]}),
            (f"sidebars/{ids['sidebar']}/share/", {**post, **new(), "messages": [ids["message"]]}),
            ("robots/route/", {"question": "who?", "room": ids["room"]}),
        ]
        if own is not None:
            share = {"audience": "everyone", **new(), "room": ids["room"]}
            calls.append((f"messages/{own.pk}/share/", share))
        return [known(api.post(path, **given), ids) for path, given in calls]

    hidden, nothing = answers(secret.ids), answers(dict.fromkeys(HIDDEN, NOTHING))
    assert hidden == nothing
    assert {status for status, _ in hidden} <= {400, 403, 404}


@pytest.mark.parametrize(("mode", "name"), STRANGERS)
def test_what_they_are_shown_is_as_if_nothing_were_said(world: World, mode: str, name: str) -> None:
    """Everything that lists, counts or finds, before and after."""
    room = world.rooms[mode].pk
    by = world.ben if mode == "team" else world.carl
    anchor = world.say(again(world.rooms[mode]), by, "what now?")
    stranger = Stranger(world, name)
    pages = [
        *("/", "/rooms/browse/", "/desk/", f"/rooms/{room}/", f"/rooms/{room}/people/"),
        *(f"/messages/{anchor.pk}/", f"/rooms/{room}/?q={WORD}", f"/messages/{anchor.pk}/share/"),
    ]
    calls = [
        *("rooms/?scope=mine", "rooms/?scope=public", "rooms/?scope=desk", f"rooms/?q={WORD}"),
        *(f"rooms/?scope=desk&q={WORD}", f"rooms/{room}/", f"rooms/{room}/messages/"),
        *(f"rooms/{room}/sidebars/", f"rooms/{room}/sidebars/?anchor={anchor.pk}"),
        *(f"rooms/{room}/participants/", f"messages/{anchor.pk}/", "users/", f"users/?q={WORD}"),
    ]

    def shown() -> dict[str, tuple[int, str]]:
        found = {path: known(stranger.browser.get(path), {}) for path in pages}
        return found | {
            path: known(stranger.caller.client.get(f"/api/v1/{path}"), {}) for path in calls
        }

    before = shown()
    by, other = (world.ben, world.gus) if mode == "team" else (world.ada, world.sue)
    sidebar = private(anchor, by, other, title=f"{WORD} plans")
    message = world.say(again(sidebar.room), by, f"a {WORD} for @{other.handle}")
    world.whisper(again(sidebar.room), other, by, body=WORD)
    message.react("👍", by=other)
    again(sidebar.room).update(by=by, description=WORD)
    again(sidebar.room).remove(other, by=by)
    again(sidebar.room).close(by=by)
    again(sidebar.room).reopen(by=by)
    sidebar.conclude(by=by)
    assert shown() == before


def test_those_in_it_find_it(world: World) -> None:
    """Or the tests above would prove nothing."""
    secret, gus = hide(world, "team"), Stranger(world, "gus")
    nothing = dict.fromkeys(HIDDEN, NOTHING)
    for route in (
        "rooms/{room}/",
        "api/v1/rooms/{room}/messages/",
        "api/v1/messages/{message}/",
        "attachments/{attachment}/{name}",
        "sidebars/{sidebar}/conclude/",
    ):
        found = gus.asks("get", route, secret.ids)
        assert found[0] == 200, route
        assert found != gus.asks("get", route, nothing)
    assert WORD in gus.caller.get(f"rooms/{world.team.pk}/sidebars/").content.decode()


def test_people_of_a_side_bar_are_found_by_nobody_new(world: World) -> None:
    """Who may look for users finds those of rooms they share: a side-bar brings none together."""
    sidebar = beside(world.say(world.support, world.carl), world.ada)
    found = Caller(world.carl).get("users/").json()["results"]
    again(sidebar.room).join(by=world.sue)
    assert Caller(world.carl).get("users/").json()["results"] == found


@pytest.mark.parametrize("how", ["leaves", "is removed", "is made customer"])
def test_who_is_out_of_the_room_is_out_of_its_side_bars(world: World, how: str) -> None:
    secret, sue = hide(world, "support"), Stranger(world, "sue")
    assert sue.asks("get", "api/v1/messages/{message}/", secret.ids)[0] == 200
    if how == "leaves":
        again(world.support).leave(by=world.sue)
    elif how == "is removed":
        again(world.support).remove(world.sue, by=world.ada)
    else:
        again(world.support).change_role(world.sue, "customer", by=world.ada)
    nothing = dict.fromkeys(HIDDEN, NOTHING)
    for method, route in CALLS:
        hidden = sue.asks(method, route, secret.ids)
        assert hidden == sue.asks(method, route, nothing), (method, route)


@pytest.mark.parametrize("name", ["carl", "otto", "amy", "root", "ben"])
def test_open_ones_are_hidden_from_customers_and_from_outside(world: World, name: str) -> None:
    anchor = world.say(world.support, world.carl, "what now?")
    sidebar = beside(anchor, world.ada, world.sue, title=WORD)
    file = upload(again(sidebar.room), world.ada)
    message = world.say(again(sidebar.room), world.ada, attachments=[file])
    secret, stranger = Secret(sidebar, message, file), Stranger(world, name)
    nothing = dict.fromkeys(HIDDEN, NOTHING)
    before = _state(secret)
    for method, route in CALLS:
        hidden = stranger.asks(method, route, secret.ids)
        assert hidden == stranger.asks(method, route, nothing), (method, route)
    assert _state(secret) == before
