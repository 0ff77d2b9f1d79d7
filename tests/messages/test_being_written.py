"""Messages that are written bit by bit: begun empty, finished, begun again."""

import pytest

from accounts.errors import Conflict
from messages.models import Mention, Message
from messages.posting import Draft
from messages.signals import finished
from rooms.models import Room
from tests.world import World, again

pytestmark = pytest.mark.django_db


def begun(world: World, **how: object) -> Message:
    draft = Draft(room=world.team.pk, author=world.parrot, body="", attempt=1, **how)
    return Message.objects.post_all([draft])[0].message


def test_it_begins_empty_and_is_news_like_any_message(world: World) -> None:
    before = again(world.team).revision
    message = begun(world)
    assert (message.status, message.attempt, message.body) == ("streaming", 1, "")
    assert again(message).revision == before + 1


def test_its_end_is_a_change_that_names_people(world: World) -> None:
    message = begun(world)
    heard: list[Message] = []
    finished.connect(lambda message, **_: heard.append(message), weak=False, dispatch_uid="test")
    try:
        message.finish("Hello **@cleo**, @here", {"n": 1})
    finally:
        finished.disconnect(dispatch_uid="test")
    now = again(message)
    assert (now.status, now.version, now.data) == ("complete", 2, {"n": 1})
    assert "<strong>" in now.html
    assert [m.user for m in Mention.objects.filter(message=now)] == [world.cleo]
    assert [one.named for one in heard] == [frozenset({"cleo"})]


def test_what_has_ended_stays_as_it_is(world: World) -> None:
    message = begun(world)
    message.finish("One", {}, status=Message.Status.STOPPED)
    again(message).finish("Two", {})
    assert (again(message).body, again(message).status) == ("One", "stopped")


def test_begun_again_it_is_a_later_attempt_and_calls_nobody(world: World) -> None:
    message = begun(world)
    message.finish("@cleo look", {})
    message.begin_again("", {}, attempt=2)
    now = again(message)
    assert (now.status, now.attempt, now.body, now.version) == ("streaming", 2, "", 3)
    assert not Mention.objects.filter(message=now).exists()


def test_what_quotes_it_is_told_of_its_end(world: World) -> None:
    message = begun(world)
    quote = world.team.messages.post("Go on", by=world.ben, reply_to=message)
    message.finish("Done", {})
    assert again(quote).version == 2


def test_deleted_while_it_is_written_it_never_ends(world: World) -> None:
    message = begun(world)
    message.remove(by=world.ben)
    message.finish("Too late", {})
    assert (again(message).body, again(message).status) == ("", "stopped")
    with pytest.raises(Message.Deleted):
        message.begin_again("", {}, attempt=2)


def test_it_is_neither_edited_nor_shared_before_its_end(world: World) -> None:
    message = begun(world)
    assert not message.editable_by(world.parrot)
    with pytest.raises(Conflict):
        message.share(by=world.ben, audience="everyone")


def test_in_a_closed_room_nothing_is_begun_again(world: World) -> None:
    message = begun(world)
    message.finish("Done", {})
    world.team.close(by=world.ben)
    with pytest.raises(Room.Closed):
        again(message).begin_again("", {}, attempt=2)
