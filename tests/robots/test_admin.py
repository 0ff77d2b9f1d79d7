"""Robots in the Django admin."""

from __future__ import annotations

import re
from typing import Any
from unittest.mock import Mock

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, User
from messages.models import Message
from robots.models import (
    Article,
    Autopilot,
    HeldSummons,
    Hold,
    Reply,
    Robot,
    RobotPolicy,
    RobotSeat,
    Summary,
)
from robots.models.summary import SummaryQuerySet
from robots.outcome import Outcome
from rooms.models import Participant, Room
from tests.messages.files import PNG
from tests.world import World, again

BASE = "/admin/robots/"
LOOKED_AT = [RobotSeat, RobotPolicy, Reply, Autopilot, Hold, HeldSummons, Summary]
ROBOTS = f"{BASE}robot/"


@pytest.fixture
def admin(world: World) -> Client:
    client = Client()
    client.force_login(world.root)
    return client


@pytest.fixture
def echo(world: World) -> Robot:
    robot = Robot.objects.add(
        "echo", "Echo", by=world.root, model="builtin/parrot", fallbacks=["openai/a", "openai/b"]
    )
    RobotSeat.objects.seat(robot, world.team, by=world.ben, title="Critic")
    return robot


@pytest.fixture
def reply(world: World, echo: Robot) -> Reply:
    question = world.say(world.team, world.ben, "@echo what is the secret?")
    return Reply.objects.with_all().get(question=question)


@pytest.fixture
def everything(world: World, echo: Robot, reply: Reply) -> None:
    """A row of each model."""
    muse = Robot.objects.add("muse", "Muse", by=world.root, model="builtin/parrot")
    RobotSeat.objects.seat(muse, world.team, by=world.ben)
    RobotPolicy.objects.of(world.team).update(when_busy="refuse", by=world.ben)
    Article.objects.write("Tea", "Hot.", by=world.ada)
    Autopilot.objects.start(
        world.team, by=world.ben, strategy="relay", robots=[echo, muse], goal="a secret goal"
    )
    told = {"audience": "everyone", "key": "everyone", "whole": True, "body": "a secret record"}
    Summary.objects.create(room=world.team, after=0, upto=1, revision=1, **told)
    hold = Hold.objects.create(
        room=world.team, card=world.say(world.team, world.ben), reason="pair"
    )
    HeldSummons.objects.create(hold=hold, robot=muse, question=hold.card)


def sent(page: Any) -> dict[str, Any]:
    """What the form on a page would send, untouched."""
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields if name != "picture"}
    return {name: value for name, value in values.items() if value not in (None, False)}


def errors(page: Any) -> dict[str, list[str]]:
    return dict(page.context["adminform"].form.errors) if page.context else {}


def do(admin: Client, model: str, action: str, *rows: Any) -> str:
    """The page after an action, on which what went wrong is told."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    response = admin.post(f"{BASE}{model}/", chosen, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def audited(begin: str) -> list[tuple[str, User | None, str]]:
    """What was done, by whom and to which, of actions that begin so."""
    entries = AuditEntry.objects.filter(action__startswith=begin).order_by("pk")
    return [(entry.action, entry.by, entry.target_id) for entry in entries]


NEW = {
    "handle": "muse",
    "name": "Muse",
    "model": "openai/gpt-4o-mini",
    "style": "default",
    "trigger": "mention",
    "max_tokens": "512",
    "context_window": "8192",
    "api_base": "https://llm.example.org/v1",
    "key_env": "MUSE_KEY",
    "fallbacks": "openai/a\n\n  anthropic/b  \n",
    "enabled": "on",
}


class TestSettingUp:
    def test_one_is_made_by_the_verb(self, admin: Client, world: World) -> None:
        page = admin.post(f"{ROBOTS}add/", NEW)
        assert page.status_code == 302, errors(page)
        muse = Robot.objects.get(user__handle="muse")
        assert muse.user.kind == User.Kind.ROBOT
        assert (muse.max_tokens, muse.key_env) == (512, "MUSE_KEY")
        assert muse.fallbacks == ["openai/a", "anthropic/b"]
        entry = AuditEntry.objects.get(action="robot.created")
        assert (entry.by, entry.after["api_base"]) == (world.root, "https://llm.example.org/v1")

    def test_what_is_left_alone_stays(self, admin: Client, echo: Robot) -> None:
        before = {name: getattr(echo, name) for name in Robot.FIELDS}
        page = admin.get(f"{ROBOTS}{echo.pk}/change/")
        assert admin.post(f"{ROBOTS}{echo.pk}/change/", sent(page) | lines(echo)).status_code == 302
        after = again(echo)
        assert {name: getattr(after, name) for name in Robot.FIELDS} == before
        assert not AuditEntry.objects.filter(action__in=["robot.changed", "robot.renamed"]).exists()

    def test_what_is_changed_is_written_down(
        self, admin: Client, world: World, echo: Robot
    ) -> None:
        page = admin.get(f"{ROBOTS}{echo.pk}/change/")
        changes = {"name": "Echo II", "api_base": "http://localhost:11434", "fallbacks": "openai/b"}
        answer = admin.post(f"{ROBOTS}{echo.pk}/change/", {**sent(page), **changes})
        assert answer.status_code == 302, errors(answer)
        assert again(echo).user.name == "Echo II"
        entry = AuditEntry.objects.get(action="robot.changed")
        assert entry.by == world.root
        assert entry.before == {"api_base": "", "fallbacks": ["openai/a", "openai/b"]}
        assert entry.after == {"api_base": "http://localhost:11434", "fallbacks": ["openai/b"]}

    def test_it_gets_a_picture(self, admin: Client, echo: Robot) -> None:
        page = admin.get(f"{ROBOTS}{echo.pk}/change/")
        file = SimpleUploadedFile("a.png", PNG)
        answer = admin.post(f"{ROBOTS}{echo.pk}/change/", {**sent(page), "picture": file})
        assert answer.status_code == 302, errors(answer)
        assert again(echo).user.avatar_url

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("handle", "Robot!"),
            ("handle", "robots"),
            ("handle", "ben"),
            ("name", ""),
            ("model", "https://evil.example/v1"),
            ("max_tokens", "9000"),
            ("temperature", "3"),
            ("temperature", "nan"),
            ("key_env", "SECRET_KEY"),
            ("key_env", "DATABASE_URL"),
            ("api_base", "ftp://evil.example"),
            ("api_base", "https://me:pass@llm.example.org/v1"),
            ("fallbacks", "a b"),
            ("fallbacks", "\n".join(["openai/a"] * 6)),
            ("daily_cost", "-1"),
            ("picture", SimpleUploadedFile("a.svg", b"<svg/>")),
        ],
    )
    def test_what_does_not_fit_is_told_beside_its_field(
        self, admin: Client, echo: Robot, field: str, value: Any
    ) -> None:
        made = admin.post(f"{ROBOTS}add/", {**NEW, field: value})
        assert set(errors(made)) == {field}
        changed = admin.post(f"{ROBOTS}{echo.pk}/change/", {**NEW, field: value})
        assert set(errors(changed)) == {field}
        assert not User.objects.filter(handle="muse").exists()

    def test_robots_are_switched_on_and_off_and_retired(
        self, admin: Client, world: World, echo: Robot
    ) -> None:
        do(admin, "robot", "disable", echo)
        assert not again(echo).enabled
        do(admin, "robot", "enable", echo)
        assert again(echo).enabled
        do(admin, "robot", "retire", echo)
        assert again(echo).retired_at
        assert not Participant.objects.filter(user=echo.user).exists()
        actions = AuditEntry.objects.filter(action__startswith="robot.", by=world.root)
        assert [entry.action for entry in actions.order_by("pk")] == [
            "robot.created",
            "robot.changed",
            "robot.changed",
            "robot.retired",
        ]
        assert "This robot has been retired." in do(admin, "robot", "enable", echo)

    def test_who_was_retired_is_only_looked_at(
        self, admin: Client, world: World, echo: Robot
    ) -> None:
        echo.retire(by=world.root)
        page = admin.get(f"{ROBOTS}{echo.pk}/change/")
        assert page.status_code == 200
        assert "Try it" not in page.content.decode()
        assert admin.post(f"{ROBOTS}{echo.pk}/change/", NEW).status_code == 403
        assert admin.post(f"{ROBOTS}{echo.pk}/try/", {"body": "Hi"}).status_code == 404

    def test_none_is_deleted(self, admin: Client, echo: Robot) -> None:
        assert admin.post(f"{ROBOTS}{echo.pk}/delete/", {"post": "yes"}).status_code == 403
        assert "delete_selected" not in admin.get(ROBOTS).content.decode()


class TestTrying:
    def test_it_asks_in_the_direct_room_and_leads_there(
        self, admin: Client, world: World, echo: Robot
    ) -> None:
        page = admin.get(f"{ROBOTS}{echo.pk}/change/").content.decode()
        action = re.search(r'action="([^"]+/try/)"', page)
        assert action
        answer = admin.post(action[1], {"body": "Who are you?"})
        room = Room.objects.direct(echo.user, by=world.root)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/rooms/{room.pk}/")
        reply = Reply.objects.get()
        assert (reply.question.body, reply.question.author) == ("Who are you?", world.root)
        assert admin.get(f"/rooms/{room.pk}/").status_code == 200

    def test_what_cannot_be_asked_is_told(self, admin: Client, echo: Robot) -> None:
        answer = admin.post(f"{ROBOTS}{echo.pk}/try/", {"body": ""}, follow=True)
        assert [str(said) for said in answer.context["messages"]] == ["Write something first."]
        assert not Reply.objects.exists()

    def test_it_is_asked_by_a_form_alone(self, admin: Client, echo: Robot) -> None:
        assert admin.get(f"{ROBOTS}{echo.pk}/try/").status_code == 405
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(User.objects.get(handle="root"))
        assert strict.post(f"{ROBOTS}{echo.pk}/try/", {"body": "Hi"}).status_code == 403
        assert admin.post(f"{ROBOTS}999999999/try/", {"body": "Hi"}).status_code == 404


class TestLooking:
    def test_every_model_is_there(self) -> None:
        models = set(apps.get_app_config("robots").get_models())
        assert {model for model in models if not site.is_registered(model)} == set()

    @pytest.mark.parametrize("model", [*LOOKED_AT, Robot, Article])
    def test_every_list_opens_and_can_be_searched(
        self, admin: Client, everything: None, model: type[Model]
    ) -> None:
        for query in ("", "?q=echo", "?q=1"):
            assert admin.get(f"{BASE}{model._meta.model_name}/{query}").status_code == 200

    @pytest.mark.parametrize("model", LOOKED_AT)
    def test_rows_are_changed_by_verbs_alone(
        self, admin: Client, everything: None, model: Any
    ) -> None:
        row, base = model.objects.first(), f"{BASE}{model._meta.model_name}/"
        assert row is not None
        assert admin.get(f"{base}{row.pk}/change/").status_code == 200
        assert admin.get(f"{base}add/").status_code == 403
        assert admin.post(f"{base}{row.pk}/change/", {}).status_code == 403
        assert admin.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403

    @pytest.mark.parametrize("who", ["sue", "ada", "ben", "gus", "carl"])
    def test_the_admin_is_for_site_admins(self, world: World, reply: Reply, who: str) -> None:
        client = Client()
        client.force_login(world.people[who])
        for model in apps.get_app_config("robots").get_models():
            assert client.get(f"{BASE}{model._meta.model_name}/").status_code == 302
        for path in ("add/", f"{reply.robot_id}/change/", f"{reply.robot_id}/try/"):
            assert client.post(f"{ROBOTS}{path}", {**NEW, "body": "Hi"}).status_code == 302
        assert Robot.objects.count() == 1
        assert Reply.objects.count() == 1

    def test_opening_an_answer_is_written_down(
        self, admin: Client, world: World, reply: Reply
    ) -> None:
        page = admin.get(f"{BASE}reply/{reply.pk}/change/").content.decode()
        assert "what is the secret" not in page
        entry = AuditEntry.objects.get(action="admin.viewed")
        assert (entry.by, entry.target_label, entry.after) == (
            world.root,
            "Team",
            {"reply": reply.pk},
        )

    @pytest.mark.parametrize(
        "address",
        [
            "reply/?question__body",
            "reply/?message__body",
            "reply/?instruction",
            "reply/?error_message",
            "reply/?autopilot__goal",
            "autopilot/?goal",
            "autopilot/?why_message",
            "autopilot/?card__body",
            "summary/?body",
            "hold/?card__body",
            "heldsummons/?question__body",
        ],
    )
    def test_nothing_is_filtered_by_what_was_said(
        self, admin: Client, reply: Reply, address: str
    ) -> None:
        assert admin.get(f"{BASE}{address}__contains=secret").status_code == 400

    @pytest.mark.parametrize("model", [Autopilot, Summary])
    def test_words_are_not_in_lists_and_opening_them_is_written_down(
        self, admin: Client, world: World, everything: None, model: Any
    ) -> None:
        row, base = model.objects.get(), f"{BASE}{model._meta.model_name}/"
        assert "secret" not in admin.get(base).content.decode()
        assert not AuditEntry.objects.filter(action="admin.viewed").exists()
        assert "secret" in admin.get(f"{base}{row.pk}/change/").content.decode()
        entry = AuditEntry.objects.get(action="admin.viewed")
        assert (entry.target_label, entry.after) == ("Team", {model._meta.model_name: row.pk})

    def test_answers_are_filtered_by_how_they_ended(self, admin: Client, reply: Reply) -> None:
        robot = f"robot__user__id__exact={reply.robot.user_id}"
        for query in ("state__exact=queued", robot, "q=echo"):
            page = admin.get(f"{BASE}reply/?{query}").content.decode()
            assert f"/reply/{reply.pk}/change/" in page
        page = admin.get(f"{BASE}reply/?state__exact=failed").content.decode()
        assert f"/reply/{reply.pk}/change/" not in page

    def test_lists_cost_the_same_however_long(self, admin: Client, world: World) -> None:
        def queries() -> list[int]:
            counts = []
            for model in ("robot", "robotseat", "reply"):
                with CaptureQueriesContext(connection) as listing:
                    admin.get(f"{BASE}{model}/")
                counts.append(len(listing))
            return counts

        def more(number: int) -> None:
            robot = Robot.objects.add(f"r{number}", "R", by=world.root, model="builtin/parrot")
            RobotSeat.objects.seat(robot, world.team, by=world.ben)
            world.say(world.team, world.ben, f"@r{number} hello")

        more(0)
        queries()
        few = queries()
        for number in range(1, 8):
            more(number)
        assert queries() == few


class TestAnswers:
    def test_they_are_stopped_and_written_anew_from_outside(
        self, admin: Client, world: World, reply: Reply
    ) -> None:
        do(admin, "reply", "stop", reply)
        assert again(reply).state == Reply.State.STOPPED
        assert again(reply).stopped_by == world.root
        assert "has finished this already" in do(admin, "reply", "stop", reply)
        do(admin, "reply", "retry", reply)
        assert (again(reply).state, again(reply).attempt) == (Reply.State.QUEUED, 2)
        assert "still writing" in do(admin, "reply", "retry", reply)
        assert audited("reply.") == [
            ("reply.stopped", world.root, str(reply.pk)),
            ("reply.begun_again", world.root, str(reply.pk)),
        ]

    def test_what_those_in_the_room_do_is_seen_there(self, world: World, reply: Reply) -> None:
        reply.stop(by=world.cleo)
        reply.retry(by=world.cleo)
        assert audited("reply.") == []

    def test_one_that_failed_is_written_anew(self, admin: Client, reply: Reply) -> None:
        taken = Reply.objects.take(reply.pk, worker="w")
        assert taken
        assert taken.finish(Outcome(text="Half", error="cut_off", sentence="It broke off."))
        do(admin, "reply", "retry", reply)
        message = Message.objects.get(pk=reply.message_id)
        assert (message.status, message.body) == (Message.Status.STREAMING, "")

    def test_robots_are_taken_out_of_rooms(self, admin: Client, world: World, echo: Robot) -> None:
        do(admin, "robotseat", "remove", RobotSeat.objects.get())
        assert not Participant.objects.filter(room=world.team, user=echo.user).exists()


class TestSessions:
    @pytest.fixture
    def session(self, world: World, echo: Robot) -> Autopilot:
        """With a turn that is being taken."""
        muse = Robot.objects.add("muse", "Muse", by=world.root, model="builtin/parrot")
        RobotSeat.objects.seat(muse, world.team, by=world.ben)
        session: Autopilot = Autopilot.objects.start(
            world.team, by=world.ben, strategy="round_robin", robots=[echo, muse]
        )
        session.advance()
        return session

    def test_they_are_paused_and_stopped_from_outside(
        self, admin: Client, world: World, session: Autopilot
    ) -> None:
        assert "Done for 1." in do(admin, "autopilot", "pause", session)
        assert (again(session).state, again(session).why_message) == ("paused", "Root paused it.")
        turn = session.replies.get()
        assert not turn.is_over
        do(admin, "autopilot", "stop", session)
        assert (again(session).state, again(session).why_message) == ("stopped", "Root stopped it.")
        assert (again(turn).state, again(turn).stopped_by) == (Reply.State.STOPPED, world.root)
        assert audited("autopilot.")[1:] == [
            ("autopilot.paused", world.root, str(session.pk)),
            ("autopilot.stopped", world.root, str(session.pk)),
        ]

    @pytest.mark.parametrize("action", ["pause", "stop"])
    def test_what_is_refused_is_told_and_the_others_go_on(
        self, admin: Client, world: World, session: Autopilot, action: str
    ) -> None:
        session.stop(by=world.ben)
        robots = Robot.objects.in_room(world.team)
        other = Autopilot.objects.start(
            world.team, by=world.ben, strategy="relay", robots=list(robots)
        )
        page = do(admin, "autopilot", action, session, other)
        assert f"{session}: This is over already." in page
        assert "Done for 1." in page
        assert again(other).state != "running"

    @pytest.mark.parametrize("action", ["pause", "stop"])
    def test_who_only_reads_in_the_room_is_told_so(
        self, admin: Client, world: World, session: Autopilot, action: str
    ) -> None:
        world.team.invite(world.root, by=world.ben, role="viewer")
        assert "not tell robots what to do" in do(admin, "autopilot", action, session)
        assert again(session).state == "running"


class TestArticles:
    ARTICLES = f"{BASE}article/"

    def test_they_are_written_changed_and_removed_by_the_verbs(
        self, admin: Client, world: World
    ) -> None:
        admin.post(f"{self.ARTICLES}add/", {"title": "Tea", "body": "Hot.", "published": "on"})
        article = Article.objects.get()
        assert (article.by, article.published) == (world.root, True)
        page = f"{self.ARTICLES}{article.pk}/change/"
        assert admin.post(page, {"title": "Tea", "body": "Hot, with milk."}).status_code == 302
        assert (again(article).body, again(article).published) == ("Hot, with milk.", False)
        admin.post(f"{self.ARTICLES}{article.pk}/delete/", {"post": "yes"})
        assert not Article.objects.exists()
        actions = AuditEntry.objects.filter(action__startswith="article.").order_by("pk")
        assert [(entry.action, entry.by) for entry in actions] == [
            (f"article.{done}", world.root)
            for done in ("written", "changed", "withdrawn", "removed")
        ]

    def test_they_are_published_and_withdrawn_together(self, admin: Client, world: World) -> None:
        articles = [Article.objects.write(title, "Hot.", by=world.ada) for title in "AB"]
        do(admin, "article", "publish", *articles)
        assert Article.objects.published().count() == 2
        do(admin, "article", "withdraw", articles[0])
        assert Article.objects.published().count() == 1
        sent = {"action": "delete_selected", "_selected_action": [a.pk for a in articles]}
        admin.post(self.ARTICLES, {**sent, "post": "yes"})
        assert AuditEntry.objects.filter(action="article.removed").count() == 2

    def test_one_without_words_is_told_beside_its_field(self, admin: Client) -> None:
        page = admin.post(f"{self.ARTICLES}add/", {"title": " ", "body": "a" * 50_001})
        assert set(errors(page)) == {"title", "body"}
        assert not Article.objects.exists()


def test_a_summary_is_forgotten(admin: Client, world: World, everything: None) -> None:
    summary = Summary.objects.get()
    do(admin, "summary", "forget", summary)
    assert (again(summary).body, again(summary).stale) == ("", True)
    assert AuditEntry.objects.get(action="summary.forgotten").by == world.root


def test_where_forgetting_fails_nobody_has_forgotten(
    world: World, everything: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SummaryQuerySet, "outdate", Mock(side_effect=OperationalError("gone")))
    with pytest.raises(OperationalError):
        Summary.objects.forget([Summary.objects.get().pk], by=world.root)
    assert not AuditEntry.objects.filter(action="summary.forgotten").exists()


def lines(robot: Robot) -> dict[str, str]:
    """Its fallbacks, as its form has them."""
    return {"fallbacks": "\n".join(robot.fallbacks)}
