"""The data our side is measured with, made through the verbs that pages and API call.

`python -m benchmarks.world DIRECTORY rooms RECEIVERS ROOMS MEMBERS`: people in one large room, and
in many small ones. `python -m benchmarks.world DIRECTORY streams ROOMS API_BASE`: rooms of one
person and the robot `@echo`, which asks the provider at that address.
`python -m benchmarks.world DIRECTORY idle PEOPLE TOGETHER ROOMS`: people by so many, in so many
rooms each. `python -m benchmarks.world DIRECTORY history MESSAGES PASSWORD`: one room in which
much was said, for browsers that sign in with that password. `python -m benchmarks.world DIRECTORY
growth ROOMS MESSAGES PEOPLE RECEIVERS IDLE`: see `growth` below. Settings are taken from the
environment.

Writes a line "ROOM PATH TOKEN" for each connection into DIRECTORY/fan-out, DIRECTORY/many-rooms,
DIRECTORY/idle and DIRECTORY/streams, as the load generators read them, and DIRECTORY/history as
JSON.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from PIL import Image

from benchmarks.talk import Said, talk

if TYPE_CHECKING:
    from accounts.models import User
    from messages.models import Attachment, Message
    from rooms.models import Room

Seats = list[tuple["Room", "User"]]
Places = list[tuple[list["Room"], "User"]]
"""Of connections that join several rooms, the first by its path; or none."""
PICTURE = (640, 420)
SPEAKERS = 5
COMING = 40
"""Times that each of them comes."""
SAID = "Shall we meet at noon, or is it better after the train from Hamburg has come in?"


def rooms(directory: Path, receivers: str, rooms: str, members: str) -> None:
    people = newcomers(max(int(receivers), int(rooms) * int(members)))
    write(directory / "fan-out", opened("Everybody", people[: int(receivers)]))
    size = int(members)
    small = [people[start : start + size] for start in range(0, int(rooms) * size, size)]
    seats = [seat for n, users in enumerate(small) for seat in opened(f"Room {n}", users)]
    write(directory / "many-rooms", seats)


def streams(directory: Path, rooms: str, api_base: str) -> None:
    from accounts.models import User
    from robots.models import Robot, RobotSeat

    echo = Robot.objects.add(
        "echo", "Echo", by=User.objects.system(), model="openai/benchmark", api_base=api_base
    )
    askers = newcomers(int(rooms), "asker")
    seats = [seat for person in askers for seat in opened(person.name, [person])]
    for room, person in seats:
        RobotSeat.objects.seat(echo, room, by=person)
    write(directory / "streams", seats)


def idle(directory: Path, people: str, together: str, rooms: str) -> None:
    everybody, size = newcomers(int(people), "idle"), int(together)
    places: Places = []
    for start in range(0, len(everybody), size):
        users = everybody[start : start + size]
        theirs = [opened(f"Idle {start}, {n}", users)[0][0] for n in range(int(rooms))]
        places += [(theirs, user) for user in users]
    write_places(directory / "idle", places)


def growth(
    directory: Path, rooms: str, messages: str, people: str, receivers: str, idle: str
) -> None:
    """A room of so many people with so much said in it, of whom five talk, among so many rooms;
    another with so many who are there; and others by fives, who idle.
    """
    speakers = newcomers(SPEAKERS, "speaker")
    seats = opened("Talk", speakers)
    others(seats[0][0], int(people) - SPEAKERS)
    past(seats, int(messages))
    elsewhere(int(rooms))
    write(directory / "talk", seats)
    write(directory / "receivers", opened("Everybody", newcomers(int(receivers), "receiver")))
    idling = newcomers(int(idle), "idle")
    rooms_of_five = range(0, len(idling), SPEAKERS)
    by_fives = [opened(f"Idle {n}", idling[n : n + SPEAKERS]) for n in rooms_of_five]
    write(directory / "idle", [seat for five in by_fives for seat in five])
    coming = (directory / "talk").read_text()
    (directory / "coming").write_text(coming * COMING)


def others(room: Room, number: int) -> None:
    """People who are in a room and not there."""
    from accounts.models import User
    from rooms.models import Participant

    people = User.objects.bulk_create(
        User(handle=f"other{n}", name=f"Other {n}", kind="person") for n in range(number)
    )
    Participant.objects.bulk_create(
        Participant(room=room, user=person, role="member") for person in people
    )


def past(seats: Seats, number: int) -> None:
    """What was said in a room, by each in turn."""
    from messages.markdown import render
    from messages.models import Message

    room = seats[0][0]
    room.refresh_from_db()
    Message.objects.bulk_create(
        (
            Message(
                room=room,
                author=seats[n % len(seats)][1],
                audience="everyone",
                body=SAID,
                html=render(SAID).html,
                revision=room.revision + n + 1,
            )
            for n in range(number)
        ),
        batch_size=500,
    )
    room.revision += number
    room.message_count += number
    room.newest = Message.objects.order_by("-pk").values_list("pk", flat=True)[0]
    room.save(update_fields=["revision", "message_count", "newest"])


def elsewhere(number: int) -> None:
    """Rooms of five people in which nobody is there."""
    from accounts.models import User
    from rooms.models import Participant, Room

    people = newcomers(100, "elsewhere")
    system = User.objects.system()
    rooms = Room.objects.bulk_create(
        Room(name=f"Elsewhere {n}", created_by=system) for n in range(number)
    )
    Participant.objects.bulk_create(
        (
            Participant(room=room, user=people[(n + at) % len(people)], role="member")
            for n, room in enumerate(rooms)
            for at in range(SPEAKERS)
        ),
        batch_size=5_000,
    )


def history(directory: Path, messages: str, password: str) -> None:
    """`reader` has read all of it; `returner` nothing past the first fifth."""
    from accounts.models import User
    from rooms.models import Room

    people = newcomers(8)
    reader, returner = (
        User.objects.create_person(handle, handle.title(), password)
        for handle in ("reader", "returner")
    )
    room = Room.objects.open("Warehouse", by=people[0], people=[*people[1:], reader, returner])
    ids = Telling(room, people, int(messages)).tell()
    fifth, middle = ids[len(ids) // 5], ids[len(ids) // 2]
    room.messages.get(pk=ids[-1]).mark_read(by=reader)
    room.messages.get(pk=fifth).mark_read(by=returner)
    told = {"room": room.pk, "first": ids[0], "unread": fifth, "middle": middle, "last": ids[-1]}
    (directory / "history").write_text(json.dumps(told))


class Telling:
    """People telling each other things in a room, a message at a time, the last of them now."""

    def __init__(self, room: Room, people: list[User], count: int) -> None:
        self.room, self.people, self.count = room, people, count
        (self.guest,) = newcomers(1, "guest")
        self.told: list[Message] = []
        self.notes = room.messages.count()
        self.at = timedelta(0)
        self.moments: dict[int, timedelta] = {}

    def tell(self) -> list[int]:
        """Returns the ids of all that there is then."""
        for said in talk(len(self.people)):
            if len(self.told) + self.notes >= self.count:
                break
            self._say(said)
        return self._move_back()

    def _say(self, said: Said) -> None:
        by = self.people[said.by]
        if said.comes_and_goes:
            self.room.invite(self.guest, by=self.people[0])
            self.room.remove(self.guest, by=self.people[0])
            self.notes += 2
        message = self.room.messages.post(
            said.body,
            by=by,
            reply_to=self.told[-said.answers] if 0 < said.answers <= len(self.told) else None,
            attachments=[self._picture(by)] if said.has_picture else (),
        )
        for at, emoji in enumerate(said.reactions):
            message.react(emoji, by=self.people[at])
        self.at += said.pause
        self.moments[message.pk] = self.at
        self.told.append(message)

    def _picture(self, by: User) -> Attachment:
        from messages.models import Attachment

        drawn = BytesIO()
        Image.linear_gradient("L").resize(PICTURE).save(drawn, "png")
        file = ContentFile(drawn.getvalue(), "shelf.png")
        return Attachment.objects.upload(file, room=self.room, by=by)

    def _move_back(self) -> list[int]:
        """To when it is to have been said; notes, to when something was said before them."""
        from messages.models import Message

        rows, began, at = list(self.room.messages.order_by("pk")), timezone.now() - self.at, None
        for row in rows:
            at = self.moments.get(row.pk, at or timedelta(0))
            row.created_at = began + at
        Message.objects.bulk_update(rows, ["created_at"], batch_size=400)
        return [row.pk for row in rows]


def newcomers(number: int, kind: str = "p") -> list[User]:
    from accounts.models import User

    return [User.objects.create_person(f"{kind}{n}", f"Person {n}", None) for n in range(number)]


def opened(name: str, users: list[User]) -> Seats:
    from rooms.models import Room

    room = Room.objects.open(name, by=users[0], people=users[1:])
    return [(room, user) for user in users]


def write(path: Path, seats: Seats) -> None:
    write_places(path, [([room], user) for room, user in seats])


def write_places(path: Path, places: Places) -> None:
    from accounts import tokens
    from accounts.models import Login

    access = {
        user: tokens.issue(Login.objects.start(user, kind=Login.Kind.TOKEN))["access"]
        for user in {user for _, user in places}
    }
    path.write_text("".join(f"{door(rooms)} {access[user]}\n" for rooms, user in places))


def door(rooms: list[Room]) -> str:
    """Whither a connection goes that joins these."""
    if not rooms:
        return "- /ws/"
    return f"{'+'.join(str(room.pk) for room in rooms)} /ws/rooms/{rooms[0].pk}/"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatmanager.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    directory, of_what, *numbers = sys.argv[1:]
    with transaction.atomic():
        works = {
            "rooms": rooms,
            "idle": idle,
            "streams": streams,
            "history": history,
            "growth": growth,
        }
        work = works[of_what]
        work(Path(directory), *numbers)


if __name__ == "__main__":
    main()
