"""What the librarian finds: in what all readers of its answer may see, and in articles."""

from __future__ import annotations

import pytest

from accounts.errors import Invalid
from accounts.models import AuditEntry
from live import database
from messages.models import Message
from robots import builtin, librarian
from robots.llm import Passage
from robots.models import Article, Robot
from tests.robots.telling import answered, prepare, reply_to, seated
from tests.world import World, again, expected

LIBRARIAN = "builtin/librarian"
REFUNDS = """\
Whoever is not happy gets their money back.

## How long

Refunds are paid within 14 days.

## Postage

We pay for returned parcels."""


@pytest.fixture
def librarian_(world: World) -> Robot:
    return seated(world, world.team, "libby", model=LIBRARIAN)


def found(question: Message) -> list[Passage]:
    return librarian.passages(reply_to(question), builtin.question(_told(question)))


def _told(question: Message) -> list:
    return [{"role": "user", "content": f"Ben (@ben): {question.body}"}]


def texts(question: Message) -> list[str]:
    return [passage.text for passage in found(question)]


def test_it_finds_what_was_said(world: World, librarian_: Robot) -> None:
    said = world.say(world.team, world.cleo, "The refunds take fourteen days")
    world.say(world.team, world.cleo, "Lunch is at noon")
    question = world.say(world.team, world.ben, "@libby how long does a refund take?")
    assert found(question) == [Passage("Cleo", said.body, f"/messages/{said.pk}/")]


def test_it_is_found_among_whatever_else_is_said(world: World, librarian_: Robot) -> None:
    said = world.say(world.team, world.cleo, "The refunds take fourteen days")
    chatter = "What a wonderful morning, with sunshine, birds and coffee on the balcony! "
    question = world.say(world.team, world.ben, f"{chatter}@libby how long does a refund take?")
    assert [passage.text for passage in found(question)] == [said.body]


def test_it_finds_the_part_of_an_article_that_answers(world: World, librarian_: Robot) -> None:
    Article.objects.write("Money back", REFUNDS, by=world.ada, published=True)
    Article.objects.write("Refunds, a draft", "Refunds take a year.", by=world.ada)
    question = world.say(world.team, world.ben, "@libby when are refunds paid?")
    best, *rest = found(question)
    assert best == Passage("Money back", "## How long\n\nRefunds are paid within 14 days.", "")
    assert all("a year" not in passage.text for passage in rest)


class TestArticlesThatAreKept:
    @pytest.fixture
    def read(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The articles that were read."""
        bodies: list[str] = []
        parts = librarian.parts
        monkeypatch.setattr(librarian, "parts", lambda body: bodies.append(body) or parts(body))
        return bodies

    def asked(self, world: World) -> set[str]:
        question = world.say(world.team, world.ben, "@libby how long does a refund take?")
        return {passage.text for passage in found(question)}

    def test_they_are_read_when_they_change_and_not_for_each_question(
        self, world: World, librarian_: Robot, read: list[str]
    ) -> None:
        paid = Article.objects.write("Paid", "A refund takes a day.", by=world.ada, published=True)
        slow = Article.objects.write("Slow", "A refund takes a year.", by=world.ada)
        for _ in range(2):
            assert self.asked(world) == {paid.body}
        assert read == [paid.body]
        slow.publish(by=world.ada)
        assert self.asked(world) == {paid.body, slow.body}
        paid.update(by=world.ada, body="A refund takes a week.")
        assert self.asked(world) == {"A refund takes a week.", slow.body}
        slow.withdraw(by=world.ada)
        assert self.asked(world) == {"A refund takes a week."}
        paid.remove(by=world.ada)
        assert self.asked(world) == set()

    def test_of_very_much_nothing_is_kept(
        self, world: World, librarian_: Robot, read: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        body = "A refund takes a day."
        monkeypatch.setattr(librarian, "KEPT", len(body) - 1)
        Article.objects.write("Paid", body, by=world.ada, published=True)
        for _ in range(2):
            assert self.asked(world) == {body}
        assert read == [body] * 2


def test_it_finds_nothing_where_there_is_nothing(world: World, librarian_: Robot) -> None:
    world.say(world.team, world.cleo, "What is the plan for the summer?")
    Article.objects.write("Money back", REFUNDS, by=world.ada, published=True)
    question = world.say(world.team, world.ben, "@libby what is the capital of France?")
    assert found(question) == []


def test_it_knows_of_no_whisper_that_a_reader_does_not_hear(
    world: World, librarian_: Robot
) -> None:
    answered(world.whisper(world.team, world.cleo, librarian_.user, body="The refund code is 4711"))
    world.whisper(world.team, world.ben, world.cleo, body="The refund code is 4712")
    question = world.say(world.team, world.ben, "@libby what is the refund code?")
    assert texts(question) == []
    answered(question)
    hers = world.whisper(world.team, world.cleo, librarian_.user, body="what is the refund code?")
    assert texts(hers) == ["The refund code is 4711"]


def test_it_finds_neither_questions_nor_what_it_said_itself(
    world: World, librarian_: Robot
) -> None:
    seated(world, world.team, "polly", model="builtin/parrot")
    muse = seated(world, world.team, "muse")
    for robot in ("libby", "polly"):
        question = world.say(world.team, world.ben, f"@{robot} what is the refund code?")
        answered(question, "I found nothing about the refund code here")
    asked = world.say(world.team, world.cleo, "@muse, the refund code please?")
    answered(reply_to(asked, muse), "The refund code is 4711")
    question = world.say(world.team, world.ben, "@libby what is the refund code?")
    assert texts(question) == ["The refund code is 4711"]


def test_at_most_four_the_best_first(world: World, librarian_: Robot) -> None:
    for number in range(8):
        world.say(world.team, world.cleo, f"A lamp was sold, number {number}, to a passer-by")
    best = world.say(world.team, world.cleo, "Our lamp has a warranty")
    question = world.say(world.team, world.ben, "@libby does the lamp have a warranty?")
    found = texts(question)
    assert len(found) == 4
    assert found[0] == best.body


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Wie hoch ist die Kaution für die Räume?", "Die kaution beträgt 200 Euro pro Raum"),
        ("Où est la réserve?", "La RESERVE est au sous-sol"),
        ("Где находится библиотека?", "Библиотеки закрыты в субботу"),
        ("退款要多久", "我们在十四天内退款给您"),
        ("返金はいつですか", "返金は二週間以内に行います"),
        ("환불 기간은?", "환불은 14일 이내에 됩니다"),
    ],
)
def test_in_any_language(world: World, librarian_: Robot, question: str, said: str) -> None:
    world.say(world.team, world.cleo, said)
    world.say(world.team, world.cleo, "Hello there, something else")
    assert texts(world.say(world.team, world.ben, f"@libby {question}")) == [said]


@pytest.mark.django_db(transaction=True)
def test_what_is_asked_of_it_finds(transactional_db: None) -> None:
    world = World()
    seated(world, world.team, "libby", model=LIBRARIAN)
    world.say(world.team, world.cleo, "The refunds take fourteen days")
    call = prepare(world.say(world.team, world.ben, "@libby how long does a refund take?")).call
    assert call.search is not None
    (passage,) = call.search(builtin.question(call.messages))
    assert passage.text == "The refunds take fourteen days"
    database.close()


# Articles


def test_articles_are_written_by_agents_and_above(world: World) -> None:
    article = Article.objects.write("Money back", REFUNDS, by=world.ada)
    who = expected(yes="root sue ada amy system", otherwise="forbidden")
    for act in (
        lambda by: Article.objects.write("Another", "Text", by=by),
        lambda by: again(article).update(title="Other", by=by),
        lambda by: again(article).publish(by=by),
        lambda by: again(article).withdraw(by=by),
        lambda by: again(article).remove(by=by),
    ):
        assert world.answers(act) == who


def test_what_happens_to_articles_is_written_down(world: World) -> None:
    article = Article.objects.write("Draft", "Text", by=world.ada)
    article.update(body="Better text", by=world.sue)
    article.publish(by=world.sue)
    article.publish(by=world.sue)
    article.withdraw(by=world.ada)
    article.remove(by=world.ada)
    entries = AuditEntry.objects.filter(action__startswith="article.").order_by("pk")
    assert [(entry.action, entry.by) for entry in entries] == [
        ("article.written", world.ada),
        ("article.changed", world.sue),
        ("article.published", world.sue),
        ("article.withdrawn", world.ada),
        ("article.removed", world.ada),
    ]
    assert entries[1].before["body"] == "Text"
    assert entries[1].after["body"] == "Better text"


@pytest.mark.parametrize(
    ("title", "body", "wrong"),
    [(" ", "Text", "title"), ("Title", "", "body"), ("x" * 201, "Text", "title")],
)
def test_articles_say_something(world: World, title: str, body: str, wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        Article.objects.write(title, body, by=world.ada)
    assert set(refused.value.details) == {wrong}


def test_a_long_room_is_searched_in_a_moment(world: World, librarian_: Robot) -> None:
    """Two thousand messages are read, each to some length."""
    from tests.robots.test_context import said_by_many

    said_by_many(world.team, world, 2_500)
    said = world.say(world.team, world.cleo, "The warranty is two years")
    question = world.say(world.team, world.ben, "@libby warranty?")
    assert texts(question) == [said.body]
