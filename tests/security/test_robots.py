"""Robots hold keys and send words away: who may decide where to, and what never shows."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client
from django.urls import reverse

from accounts.errors import DomainError, Forbidden, Invalid
from accounts.models import AuditEntry, Login, User
from messages.models import Message
from robots.models import Reply, Robot, RobotSeat
from rooms.models import Participant
from tests.callers import Caller, answered
from tests.rooms.test_api_rooms import SIGNING_IN
from tests.world import World, again

SECRET = "sk-of-the-sea-5f1c9e"
PLACES = {"api_base": "https://evil.example/v1", "key_env": "OTHER_KEY"}
NEW = {"handle": "muse", "name": "Muse", "model": "openai/gpt-4o-mini"}
FORM = {
    **NEW,
    "style": "default",
    "trigger": "mention",
    "max_tokens": "512",
    "context_window": "8192",
    "enabled": "on",
}
BELOW_ADMIN = [name for name in SIGNING_IN if name != "root"]


@pytest.fixture
def admin(world: World) -> Client:
    client = Client()
    client.force_login(world.root)
    return client


@pytest.fixture
def sailor(world: World, monkeypatch: pytest.MonkeyPatch) -> Robot:
    """A robot with a key, in the team's room."""
    monkeypatch.setenv("SEA_API_KEY", SECRET)
    robot = Robot.objects.add(
        "sailor",
        "Sailor",
        by=world.root,
        model="openai/gpt-4o-mini",
        api_base="https://llm.example.org/v1",
        key_env="SEA_API_KEY",
    )
    RobotSeat.objects.seat(robot, world.team, by=world.ben)
    return robot


def places(robot: Robot) -> tuple[str, str]:
    robot = again(robot)
    return robot.api_base, robot.key_env


class TestWhereWordsGo:
    """`api_base` and `key_env` are for site admins alone, and each change is written down."""

    @pytest.mark.parametrize("field", PLACES)
    @pytest.mark.parametrize("who", BELOW_ADMIN)
    def test_nobody_below_an_admin_sets_them(
        self, world: World, sailor: Robot, who: str, field: str
    ) -> None:
        before = places(sailor)
        caller = Caller(world.people[who])
        # Not even to nothing, which would have another key sent, or the key sent elsewhere.
        for value in (PLACES[field], "", getattr(sailor, field)):
            refused = {(403, "forbidden"), (404, "not_found")}
            assert answered(caller.patch(f"robots/{sailor.pk}/", **{field: value})) in refused
            assert answered(caller.post("robots/", **NEW, **{field: value})) in refused
        assert places(sailor) == before
        assert Robot.objects.count() == 1
        assert not AuditEntry.objects.filter(action="robot.changed").exists()

    @pytest.mark.parametrize("field", PLACES)
    @pytest.mark.parametrize("who", ["sue", "ada", "ben", "gus", "carl", "parrot"])
    def test_nor_by_the_verbs(self, world: World, sailor: Robot, who: str, field: str) -> None:
        by = world.people[who]
        with pytest.raises(Forbidden):
            sailor.update(by=by, **{field: PLACES[field]})
        with pytest.raises(Forbidden):
            Robot.objects.add("muse", "Muse", by=by, model="openai/a", **{field: PLACES[field]})
        assert not User.objects.filter(handle="muse").exists()

    def test_a_change_that_holds_one_of_them_changes_nothing_else(
        self, world: World, sailor: Robot
    ) -> None:
        sent = {"name": "Pirate", "persona": "Arr.", **PLACES}
        assert answered(Caller(world.ada).patch(f"robots/{sailor.pk}/", **sent)) == (
            403,
            "forbidden",
        )
        assert (again(sailor).persona, again(sailor).user.name) == ("", "Sailor")

    @pytest.mark.parametrize("who", ["sue", "ada"])
    def test_nor_by_the_pages(self, world: World, sailor: Robot, who: str) -> None:
        client, before = Client(), places(sailor)
        client.force_login(world.people[who])
        client.post(f"/robots/{sailor.pk}/edit/", {**FORM, **PLACES})
        assert places(sailor) == before
        client.post("/robots/new/", {**FORM, **PLACES, "handle": "muse-2"})
        assert not Robot.objects.exclude(pk=sailor.pk).exclude(api_base="", key_env="").exists()

    @pytest.mark.parametrize("door", ["api", "admin", "page"])
    def test_each_change_is_written_down(
        self, world: World, sailor: Robot, admin: Client, door: str
    ) -> None:
        if door == "api":
            assert Caller(world.root).patch(f"robots/{sailor.pk}/", **PLACES).status_code == 200
        else:
            form = {**FORM, "handle": "sailor", "name": "Sailor", **PLACES}
            path = "admin/robots/robot/{}/change/" if door == "admin" else "robots/{}/edit/"
            assert admin.post(f"/{path.format(sailor.pk)}", form).status_code == 302
        entry = AuditEntry.objects.get(action="robot.changed")
        assert (entry.by, entry.target_id) == (world.root, str(sailor.pk))
        assert entry.before["api_base"] == "https://llm.example.org/v1"
        assert entry.before["key_env"] == "SEA_API_KEY"
        assert PLACES.items() <= entry.after.items()
        assert entry.address == "127.0.0.1"

    @pytest.mark.parametrize(
        "address",
        [
            "file:///etc/passwd",
            "ftp://llm.example.org",
            "javascript:alert(1)",
            "https://user:secret@llm.example.org/v1",
            "https://token@llm.example.org/v1",
            "https://llm.example.org/v1?key=secret",
            "https://llm.example.org/v1\n",
            "os.environ/SECRET_KEY",
            "//llm.example.org",
            "llm.example.org",
        ],
    )
    def test_an_address_is_a_plain_one(self, world: World, sailor: Robot, address: str) -> None:
        answer = Caller(world.root).patch(f"robots/{sailor.pk}/", api_base=address)
        assert answered(answer) == (400, "invalid")
        assert "api_base" in answer.json()["error"]["details"]

    @pytest.mark.parametrize(
        "model",
        [
            "https://evil.example/v1",
            "openai/https://evil.example/v1",
            "huggingface/http://evil.example",
            "HTTPS://EVIL.EXAMPLE",
            "openai//evil.example",
            "openai/gpt?api_base=https://evil.example",
            "openai/gpt#x",
            "openai/gpt\\..",
            "openai/gpt\r\nHost: evil.example",
            "openai/gpt\u2215\u2215evil",
            "/openai/gpt",
            "openai/gpt/",
            "",
            "github_copilot/gpt-4o",
            "ChatGPT/gpt-5",
        ],
    )
    def test_a_model_is_no_address(self, world: World, sailor: Robot, model: str) -> None:
        """Nor one for which the gateway would stand still until somebody signs in."""
        for given in ({"model": model}, {"fallbacks": [model]}):
            answer = Caller(world.ada).patch(f"robots/{sailor.pk}/", **given)
            assert answered(answer) == (400, "invalid")
            with pytest.raises(DomainError):
                again(sailor).update(by=world.root, **given)


OWN = [
    "SECRET_KEY",
    "DJANGO_SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "DATABASE_URL",
    "REDIS_URL",
    "CELERY_BROKER_URL",
    "CHAT_API_KEY",
    "CHAT_METRICS_TOKEN",
    "CHAT_DEMO_PASSWORD",
]
ODD = [
    "secret_key",
    "Secret_Key",
    "SEA_API_KEY\n",
    "\nSEA_API_KEY",
    " SEA_API_KEY",
    "SEA_API_KEY ",
    "SEA_API_KEY\t",
    "SEA-API-KEY",
    "SEA_API_KEY=1",
    "$SEA_API_KEY",
    "${SEA_API_KEY}",
    "os.environ/SEA_API_KEY",
    "SEA_API_KEYS",
    "PATH",
    "_",
    "KEY",
    "ＳＥＡ_API_KEY",
    "SEА_API_KEY",
    "SEA_API_KEY\u200b",
    "SEA\u00a0_KEY",
    "ſEA_KEY",
    "A" * 101,
]


class TestWhichKeys:
    """No variable of the server's own can be named, in whatever spelling."""

    @pytest.mark.parametrize("name", [*OWN, *ODD])
    def test_a_name_that_is_no_keys_is_refused(
        self, world: World, sailor: Robot, name: str
    ) -> None:
        root, before = Caller(world.root), places(sailor)
        for answer in (
            root.patch(f"robots/{sailor.pk}/", key_env=name),
            root.post("robots/", **NEW, key_env=name),
        ):
            assert answered(answer) == (400, "invalid")
            assert set(answer.json()["error"]["details"]) == {"key_env"}
        for by in (world.root, world.system):
            with pytest.raises(Invalid):
                again(sailor).update(by=by, key_env=name)
        assert places(sailor) == before
        assert Robot.objects.count() == 1

    @pytest.mark.parametrize("name", [*OWN, *(name for name in ODD if name == name.strip())])
    def test_nor_is_it_taken_by_the_admin(self, sailor: Robot, admin: Client, name: str) -> None:
        for path in ("add/", f"{sailor.pk}/change/"):
            page = admin.post(f"/admin/robots/robot/{path}", {**FORM, "key_env": name})
            assert set(page.context["adminform"].form.errors) == {"key_env"}
        page = admin.post(f"/robots/{sailor.pk}/edit/", {**FORM, "key_env": name})
        assert (page.status_code, set(page.context["form"].errors)) == (400, {"key_env"})
        assert places(sailor)[1] == "SEA_API_KEY"

    @pytest.mark.parametrize("value", [["SEA_API_KEY"], {"a": 1}, 5, True, None, [], {}])
    def test_a_name_is_text(self, world: World, sailor: Robot, value: Any) -> None:
        for field in PLACES:
            answer = Caller(world.root).patch(f"robots/{sailor.pk}/", **{field: value})
            assert answered(answer) == (400, "invalid")
        assert places(sailor) == ("https://llm.example.org/v1", "SEA_API_KEY")

    def test_everything_the_settings_read_is_the_servers_own(
        self, world: World, sailor: Robot, settings: Any
    ) -> None:
        """Also where the operator lets keys be called anything."""
        assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"} <= site.CHAT_VARIABLES_READ
        settings.CHAT_ROBOT_KEY_PATTERN = ".*"
        for name in [*site.CHAT_VARIABLES_READ, *OWN, "chat_demo_password", "database_url"]:
            with pytest.raises(Invalid):
                sailor.update(by=world.root, key_env=name)
        sailor.update(by=world.root, key_env="whatever")


class TestWhatNeverShows:
    @pytest.fixture
    def heard(self, caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
        with caplog.at_level(logging.DEBUG):
            yield caplog

    def test_no_answer_page_log_or_entry_holds_a_key(
        self,
        world: World,
        sailor: Robot,
        admin: Client,
        heard: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        assert os.environ["SEA_API_KEY"] == SECRET
        world.say(world.team, world.ben, "@sailor where to?")
        root = Caller(world.root)
        reply = Reply.objects.get()
        shown = [
            root.get("robots/"),
            root.get(f"robots/{sailor.pk}/"),
            root.patch(f"robots/{sailor.pk}/", key_env="SEA_API_KEY", persona="Salty."),
            root.get("schema/"),
            Caller(world.ben).get(f"rooms/{world.team.pk}/robots/"),
            Caller(world.ben).get(f"rooms/{world.team.pk}/messages/"),
            *(
                admin.get(f"/admin/{path}")
                for path in (
                    "robots/robot/",
                    f"robots/robot/{sailor.pk}/change/",
                    f"robots/reply/{reply.pk}/change/",
                    "accounts/auditentry/",
                    f"accounts/auditentry/{AuditEntry.objects.latest('pk').pk}/change/",
                )
            ),
        ]
        for answer in shown:
            assert answer.status_code == 200
            assert SECRET not in answer.content.decode()
        assert "SEA_API_KEY" in shown[0].content.decode(), "its name does show, to staff"
        written = [str((entry.before, entry.after)) for entry in AuditEntry.objects.all()]
        assert SECRET not in " ".join(written)
        said = capfd.readouterr()
        assert SECRET not in heard.text + said.out + said.err

    @pytest.mark.parametrize("who", ["ben", "cleo", "vic", "otto", "gus", "carl"])
    def test_the_names_of_keys_and_addresses_are_for_staff(
        self, world: World, sailor: Robot, who: str
    ) -> None:
        caller = Caller(world.people[who])
        for path in ("robots/", f"robots/{sailor.pk}/", f"rooms/{world.team.pk}/robots/"):
            text = caller.get(path).content.decode()
            assert "SEA_API_KEY" not in text
            assert "llm.example.org" not in text

    def test_settings_of_others_are_not_read_or_written_by_name(
        self, world: World, sailor: Robot
    ) -> None:
        """What is not in the contract is as if it were not sent."""
        sent = {"user": world.root.pk, "user_id": world.root.pk, "created_by": 1, "retired_at": "x"}
        answer = Caller(world.root).patch(f"robots/{sailor.pk}/", **sent, api_key=SECRET)
        assert answer.status_code == 200
        assert SECRET not in answer.content.decode()
        after = again(sailor)
        assert (after.user_id, after.created_by, after.retired_at) == (
            sailor.user_id,
            world.root,
            None,
        )


class TestRobotsAreNoPeople:
    def test_a_robot_cannot_sign_in(self, world: World, sailor: Robot) -> None:
        user = again(sailor.user)
        user.set_password("correct horse battery staple")
        user.save()
        given = {"username": "sailor", "password": "correct horse battery staple"}
        assert answered(Caller(None).post("auth/token/", **given)) == (401, "not_authenticated")
        assert Client().post(reverse("login"), given).status_code == 200, "the form, again"
        for kind in Login.Kind:
            with pytest.raises(Forbidden):
                Login.objects.start(user, kind=kind)
        with pytest.raises(Forbidden):
            user.change_password("another good pass phrase", by=world.root)
        with pytest.raises(Forbidden):
            user.set_site_role("agent", by=world.root)
        assert not Login.objects.filter(user=user).exists()

    @pytest.mark.parametrize("role", ["owner", "member", "viewer", "agent", "supervisor"])
    def test_a_robot_is_given_no_role_of_people(
        self, world: World, sailor: Robot, role: str
    ) -> None:
        ben, path = Caller(world.ben), f"rooms/{world.team.pk}/participants/"
        assert answered(ben.patch(f"{path}{sailor.user_id}/", role=role)) == (
            403,
            "role_not_allowed",
        )
        assert answered(ben.post(path, user=sailor.user_id, role=role)) == (400, "invalid")
        assert world.seat(world.team, sailor.user).role == "robot"

    def test_a_person_is_given_no_role_of_robots(self, world: World) -> None:
        ben, path = Caller(world.ben), f"rooms/{world.team.pk}/"
        for answer in (
            ben.patch(f"{path}participants/{world.cleo.pk}/", role="robot"),
            ben.post(f"{path}participants/", user=world.otto.pk, role="robot"),
            ben.post(f"{path}invitations/", role="robot"),
        ):
            assert answered(answer) == (403, "role_not_allowed")

    def test_a_room_is_not_handed_to_a_robot(self, world: World, sailor: Robot) -> None:
        answer = Caller(world.ben).post(f"rooms/{world.team.pk}/owner/", user=sailor.user_id)
        assert answered(answer) == (403, "role_not_allowed")

    @pytest.mark.parametrize("method", ["PATCH", "PUT", "POST", "DELETE"])
    def test_a_robots_user_is_changed_nowhere_else(
        self, world: World, sailor: Robot, method: str
    ) -> None:
        for path in ("users/", f"users/{sailor.user_id}/"):
            answer = Caller(world.root).send(method, path, {"name": "Pirate"})
            assert answer.status_code in (404, 405)
        assert again(sailor.user).name == "Sailor"


class TestAnswersOfOthers:
    """Who may not see an answer can do nothing about it, by whatever door."""

    @pytest.fixture
    def whispered(self, world: World, sailor: Robot) -> Message:
        question = world.whisper(world.team, world.cleo, sailor.user)
        message = Reply.objects.get(question=question).message
        assert message is not None
        return message

    @pytest.mark.parametrize("who", [name for name in SIGNING_IN if name != "cleo"])
    def test_it_is_not_there(self, world: World, whispered: Message, who: str) -> None:
        caller, path = Caller(world.people[who]), f"messages/{whispered.pk}/"
        version = {"version": whispered.version}
        answers = [
            caller.get(path),
            *(caller.post(f"{path}{verb}/") for verb in ("stop", "retry", "continue")),
            caller.post(f"{path}ask/", robots=[Robot.objects.get().pk]),
            *(
                caller.post(f"{path}actions/", action=action, **version)
                for action in ("retry", "continue")
            ),
        ]
        assert {answered(answer) for answer in answers} == {(404, "not_found")}
        reply = Reply.objects.get()
        assert (reply.state, reply.attempt, reply.stop_requested_at) == ("queued", 1, None)

    @pytest.mark.parametrize("change", ["removed", "left", "viewer"])
    def test_who_lost_the_right_has_lost_it(
        self, world: World, sailor: Robot, whispered: Message, change: str
    ) -> None:
        cleo, path = Caller(world.cleo), f"messages/{whispered.pk}/"
        if change == "removed":
            world.team.remove(world.cleo, by=world.ben)
        elif change == "left":
            world.team.leave(by=world.cleo)
        else:
            world.team.change_role(world.cleo, "viewer", by=world.ben)
        wanted = (403, "forbidden") if change == "viewer" else (404, "not_found")
        for verb in ("stop", "retry", "continue"):
            assert answered(cleo.post(f"{path}{verb}/")) == wanted

    def test_a_card_is_no_way_around_for_a_viewer(self, world: World, sailor: Robot) -> None:
        question = world.say(world.team, world.ben, "@sailor where to?")
        reply = Reply.objects.get(question=question)
        reply.stop(by=world.ben)
        message = again(reply.message)
        answer = Caller(world.vic).post(
            f"messages/{message.pk}/actions/", action="retry", version=message.version
        )
        assert answered(answer) == (403, "forbidden")
        assert again(reply).attempt == 1

    def test_a_support_rooms_answer_is_unknown_to_its_customer(
        self, world: World, sailor: Robot
    ) -> None:
        RobotSeat.objects.seat(sailor, world.support, by=world.ada)
        said = world.say(world.support, world.carl, "Where is my boat?")
        Reply.objects.ask(said, [sailor], by=world.ada)
        message = Reply.objects.get(question=said).message
        assert message is not None
        carl = Caller(world.carl)
        for answer in (
            carl.get(f"messages/{message.pk}/"),
            carl.post(f"messages/{message.pk}/stop/"),
        ):
            assert answered(answer) == (404, "not_found")
        listed = carl.get(f"rooms/{world.support.pk}/messages/").json()["messages"]
        assert message.pk not in {one["id"] for one in listed}
        assert not Participant.objects.shown_to(world.seat(world.support, world.carl)).filter(
            user=sailor.user
        )
