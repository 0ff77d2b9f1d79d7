"""The data our side is measured with: people in one large room, and in many small ones.

`python -m benchmarks.world DIRECTORY RECEIVERS ROOMS MEMBERS`, with settings in the environment.
Writes a line "ROOM PATH TOKEN" for each connection into DIRECTORY/fan-out and
DIRECTORY/many-rooms, as the load generator reads them.
"""

import os
import sys
from pathlib import Path

import django
from django.core.management import call_command
from django.db import transaction


def make(directory: Path, receivers: int, rooms: int, members: int) -> None:
    """Everything goes through the verbs that pages and API call."""
    from accounts import tokens
    from accounts.models import Login, User
    from rooms.models import Room

    people, access = [], {}
    for number in range(max(receivers, rooms * members)):
        person = User.objects.create_person(f"p{number}", f"Person {number}", None)
        people.append(person)
        access[person] = tokens.issue(Login.objects.start(person, kind=Login.Kind.TOKEN))["access"]

    def write(name: str, seats: list[tuple[Room, User]]) -> None:
        lines = [f"{room.pk} /ws/rooms/{room.pk}/ {access[user]}\n" for room, user in seats]
        (directory / name).write_text("".join(lines))

    def opened(name: str, users: list[User]) -> list[tuple[Room, User]]:
        room = Room.objects.open(name, by=users[0], people=users[1:])
        return [(room, user) for user in users]

    write("fan-out", opened("Everybody", people[:receivers]))
    small = [people[start : start + members] for start in range(0, rooms * members, members)]
    write(
        "many-rooms", [seat for n, users in enumerate(small) for seat in opened(f"Room {n}", users)]
    )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatmanager.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    directory, *numbers = sys.argv[1:]
    with transaction.atomic():
        make(Path(directory), *map(int, numbers))


if __name__ == "__main__":
    main()
