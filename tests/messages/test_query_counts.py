"""What the hot paths cost in queries: the same for any number of rooms, messages and people."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, User
from messages.encoding import encode_for
from messages.history import History
from messages.models import Attachment, Message
from messages.overview import overview
from messages.posting import Draft
from rooms.models import Participant, Room
from tests.world import World, again


def queries(act: Callable[[], object]) -> int:
    """Without the BEGIN, SAVEPOINT and COMMIT around them."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        act()
    framing = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return len([query for query in captured if not query["sql"].startswith(framing)])


def rooms_of(world: World, count: int) -> list[Room]:
    """Rooms with ben and cleo in them, made at a stroke."""
    rooms = Room.objects.bulk_create(Room(name=f"{n}", created_by=world.ben) for n in range(count))
    Participant.objects.bulk_create(
        Participant(room=room, user=who, role=role)
        for room in rooms
        for who, role in ((world.ben, "owner"), (world.cleo, "member"))
    )
    return rooms


def crowd(room: Room, count: int) -> None:
    people = User.objects.bulk_create(
        User(handle=f"crowd-{room.pk}-{n}", name=f"{n}", kind="guest") for n in range(count)
    )
    Participant.objects.bulk_create(
        Participant(room=room, user=who, role="member") for who in people
    )


def drafts(rooms: list[Room], by: User, **how: object) -> list[Draft]:
    return [
        Draft(room=room.pk, author=by, body="hello", client_id=uuid4(), **how) for room in rooms
    ]


@pytest.fixture
def ben(world: World) -> User:
    ben = again(world.ben)
    assert ben.site_role  # read once a request, whatever is done
    return ben


# The rooms’ lock, the seats, replays, the messages, where the rooms now stand, robots that listen,
# who wants to be told of all.
POST = 7


def batch_of_fifty() -> int:
    """SQLite takes 999 values a statement, and so fifty messages in two."""
    return POST + (connection.vendor == "sqlite")


def test_posting(world: World, ben: User) -> None:
    (room,) = rooms_of(world, 1)
    assert queries(lambda: Message.objects.post_all(drafts([room], ben))) == POST
    crowd(room, 300)
    for _ in range(3):
        Message.objects.post_all(drafts([room] * 50, ben))
    assert queries(lambda: Message.objects.post_all(drafts([room], ben))) == POST
    assert queries(lambda: Message.objects.post_all(drafts([room] * 50, ben))) == batch_of_fifty()


def test_posting_to_fifty_rooms_at_once(world: World, ben: User) -> None:
    rooms = rooms_of(world, 50)
    assert queries(lambda: Message.objects.post_all(drafts(rooms, ben))) == batch_of_fifty()


def test_posting_mentions_whispers_and_replies(world: World, ben: User) -> None:
    rooms = rooms_of(world, 20)
    originals = [result.message for result in Message.objects.post_all(drafts(rooms, ben))]
    people = (world.cleo.pk,)

    def busy(count: int) -> list[Draft]:
        return [
            Draft(
                room=room.pk,
                author=ben,
                body="@cleo look",
                audience="only",
                to=people,
                reply_to=original.pk,
                client_id=uuid4(),
            )
            for room, original in list(zip(rooms, originals, strict=True))[:count]
        ]

    one = queries(lambda: Message.objects.post_all(busy(1)))
    assert one == POST + 4  # what is quoted, who is meant by a handle, the mentions, who is told
    assert queries(lambda: Message.objects.post_all(busy(20))) == one


def with_files(room: Room, by: User, count: int) -> tuple[int, ...]:
    """Uploaded, and not attached yet."""
    files = [ContentFile(b"text", f"{n}.txt") for n in range(count)]
    return tuple(Attachment.objects.upload(file, room=room, by=by).pk for file in files)


def test_posting_files(world: World, ben: User) -> None:
    def say(count: int) -> int:
        files = with_files(world.team, ben, count)
        draft = Draft(room=world.team.pk, author=ben, body="", attachments=files)
        return queries(lambda: Message.objects.post_all([draft]))

    assert say(10) == say(2)


def test_sharing_many_at_once(world: World, ben: User) -> None:
    """With their files, and who shared what of where in the audit."""
    said = [
        world.team.messages.post(f"{n}", by=ben, attachments=Attachment.objects.filter(pk__in=pks))
        for n, pks in enumerate(with_files(world.team, ben, 1) for _ in range(10))
    ]

    def share(count: int) -> int:
        first, *others = [message.pk for message in said[:count]]
        draft = Draft(
            room=world.public.pk,
            author=ben,
            body="all of it",
            shared_from=first,
            shared_with=tuple(others),
        )
        before = AuditEntry.objects.filter(action="message.shared").count()
        took = queries(lambda: Message.objects.post_all([draft]))
        assert AuditEntry.objects.filter(action="message.shared").count() == before + count
        return took

    assert share(10) == share(2)


def test_replaying(world: World, ben: User) -> None:
    rooms = rooms_of(world, 30)
    same = drafts(rooms, ben)
    Message.objects.post_all(same)
    one = queries(lambda: Message.objects.post_all(same[:1]))
    assert queries(lambda: Message.objects.post_all(same)) == one == 4


def full_of(room: Room, by: User, count: int) -> None:
    """Messages, each replying to the one before and reacted to."""
    last = None
    for n in range(count):
        last = room.messages.post(f"message {n}", by=by, reply_to=last)
        last.react("👍", by=by)


# The room’s revision, the messages; which quoted ones may be seen, files, reactions.
PAGE = 5
SURFACES = {
    "newest": PAGE,
    "since": PAGE + 1,  # what is being written
    "before": PAGE + 1,  # whether there is more at the other end
    "after": PAGE + 1,
    "around": PAGE + 1,  # a half on each side
    "at": PAGE + 1 + 2,  # where in the order of ids a moment lies, and the first one said since
}


@pytest.mark.parametrize("surface", SURFACES)
def test_pages_and_the_feed(world: World, ben: User, surface: str) -> None:
    (room,) = rooms_of(world, 1)

    def cost() -> int:
        places = {
            "newest": (),
            "since": (0,),
            "after": (0,),
            "at": (timezone.now() - timedelta(1),),
        }
        now = again(room)
        arguments = places.get(surface, (now.newest,))
        page = getattr(History(now, ben), surface)
        return queries(lambda: encode_for(ben, page(*arguments).rows))

    full_of(room, ben, 3)
    assert cost() == SURFACES[surface]
    full_of(again(room), ben, 30)
    crowd(room, 300)
    assert cost() == SURFACES[surface]


def test_the_list_of_rooms(world: World, ben: User) -> None:
    rooms = rooms_of(world, 60)
    for room in rooms[:3]:
        full_of(room, world.cleo, 2)
    few = queries(lambda: overview(ben, rooms[:3]))
    assert queries(lambda: overview(ben, rooms)) == few
    crowd(rooms[0], 300)
    assert queries(lambda: overview(ben, rooms)) == few == 2
    direct = [Room.objects.direct(who, by=ben) for who in (world.cleo, world.vic, world.otto)]
    assert queries(lambda: overview(ben, [*rooms, *direct])) == 3


def test_one_change(world: World, ben: User) -> None:
    (room,) = rooms_of(world, 1)
    full_of(room, ben, 2)
    message = room.messages.last()
    few = queries(lambda: again(message).edit("one", by=ben))
    full_of(again(room), ben, 30)
    crowd(room, 300)
    assert queries(lambda: again(message).edit("two", by=ben)) <= few + 1  # what quotes it


def test_entering(world: World) -> None:
    few = queries(lambda: again(world.public).join(by=again(world.otto)))
    crowd(world.public, 300)
    full_of(world.public, world.ben, 20)
    assert queries(lambda: again(world.public).join(by=again(world.vic))) == few
