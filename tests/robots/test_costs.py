"""What an answer costs the database, step by step: the same however large and busy a room is."""

from __future__ import annotations

import pytest

from robots import context
from robots.models import Reply
from robots.outcome import Outcome
from tests.messages.test_query_counts import crowd, queries
from tests.robots.telling import reply_to, seated
from tests.robots.test_context import said_by_many
from tests.world import World, again

# The room's lock, the seat, the message, where the room stands, robots that listen; who is meant
# by a handle, and that they are mentioned; whether it was asked already, what it is writing, the
# reply; what that quotes, its seat, its message, where the room stands, the two joined; who takes
# turns; and whom of the people it concerns.
ASKING = 5 + 2 + 3 + 5 + 1 + 1
# That it is this worker’s, and what it needs. That its message says so follows the commit.
TAKING = 2
# Where it sits, the summary, the newest messages, who else is here.
LOOKING = 4
A_PAGE = 1
# The reply and its message, each by itself.
BEGINNING = 2
# The room's lock, the reply as it now is, that it is over; the lock again, its message as it now
# is with what it answers, its text, what quotes it, where the room stands, all that as people see
# it; whom it concerns, and that they are told; who waits.
ENDING = 3 + 6 + 2 + 1


class Asked:
    """A question to robots of the team room."""

    def __init__(self, world: World, body: str = "@muse?") -> None:
        ben, room = again(world.ben), again(world.team)
        assert ben.site_role  # read once a request, whatever is done
        self.cost = queries(lambda: room.messages.post(body, by=ben))

    @property
    def reply(self) -> Reply:
        """The newest."""
        found: Reply = Reply.objects.with_all().latest("pk")
        return found

    def taken(self) -> Reply:
        taken: Reply = Reply.objects.take(self.reply.pk, worker="w")
        return taken


def looking(reply: Reply) -> int:
    return queries(lambda: context._look(reply, None))


def told(reply: Reply) -> str:
    return str(context._look(reply, None).prepared.call.messages)


def ending(reply: Reply) -> int:
    return queries(lambda: reply.finish(Outcome(text="Indeed.")))


def grow(world: World, messages: int) -> None:
    """Others come, and much is said."""
    crowd(world.team, 100)
    said_by_many(world.team, world, messages)


@pytest.mark.parametrize("messages", [0, 40])
def test_from_the_question_to_the_end(world: World, messages: int) -> None:
    seated(world, world.team)
    grow(world, messages)
    asked = Asked(world)
    assert asked.cost == ASKING
    pk = asked.reply.pk
    assert queries(lambda: Reply.objects.take(pk, worker="w")) == TAKING
    reply = asked.reply
    assert looking(reply) == LOOKING
    assert queries(lambda: reply.begin_streaming(ttft_ms=1)) == BEGINNING
    assert ending(reply) == ENDING


def test_behind_another(world: World) -> None:
    seated(world, world.team)
    first = Asked(world).taken()
    assert Asked(world).cost == ASKING + 1  # what the room wants of the one that is written
    assert ending(first) == ENDING


def test_of_three_robots(world: World) -> None:
    for handle in ("muse", "echo", "lamp"):
        seated(world, world.team, handle)
    assert Asked(world, "@muse, @echo and @lamp?").cost == ASKING


def test_unasked_it_is_shown_with_its_first_word(world: World) -> None:
    seated(world, world.team, trigger="always")
    reply = Asked(world, "Hello.").taken()
    assert reply.message is None
    assert looking(reply) == LOOKING
    assert queries(lambda: reply.begin_streaming(ttft_ms=1)) == BEGINNING
    # The room's lock, the reply as it now is; its message as above.
    assert queries(reply.show) == 2 + 5
    assert ending(reply) == ENDING


@pytest.mark.parametrize(("messages", "pages"), [(40, 1), (180, 2), (700, 3)])
def test_much_is_read_in_few_pages(world: World, messages: int, pages: int) -> None:
    seated(world, world.team, context_window=100_000)
    grow(world, messages)
    reply = Asked(world).reply
    assert looking(reply) == LOOKING + A_PAGE * (pages - 1)
    assert "number 0 " in told(reply)


def test_what_is_summarised_is_not_read_again(world: World) -> None:
    seated(world, world.team, context_window=2_000, max_tokens=200)
    grow(world, 150)
    reply = Asked(world).reply
    rolling = context._look(reply, None).rolling
    assert rolling is not None
    assert looking(reply) == LOOKING + 1  # what is being written
    rolling.summary.keep("RECORD", model="m")
    assert looking(reply) == LOOKING
    assert "RECORD" in told(reply)


def test_where_not_everybody_hears_everything(world: World) -> None:
    robot = seated(world, world.team)
    again(world.team).update(by=world.ben, history="joined")
    assert looking(Asked(world).reply) == LOOKING + 1  # where the last of them begins
    whisper = world.whisper(world.team, world.ben, robot.user, body="between us")
    assert looking(reply_to(whisper)) == LOOKING + 1


def test_robots_of_ours_have_no_summary(world: World) -> None:
    seated(world, world.team, model="builtin/parrot")
    assert looking(Asked(world).reply) == LOOKING - 1
