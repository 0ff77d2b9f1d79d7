"""One world of named people, with every site role, every room role, and an outsider among them.

A test of access asks all of them (`world.answers`), so that nobody is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db import models, transaction

from accounts.errors import DomainError
from accounts.models import User
from accounts.roles import SiteRole
from messages.models import Message
from rooms.models import Invitation, Participant, Room
from tests.memory import Memory

M = TypeVar("M", bound=models.Model)

PASSWORD = "correct horse battery staple"
YES = "yes"
NAMES = (
    "root",
    "sue",
    "ada",
    "amy",
    "ben",
    "cleo",
    "vic",
    "dee",
    "otto",
    "gus",
    "carl",
    "dora",
    "parrot",
    "system",
)


class World:
    """Who is who:

    | on the site | team | support | public | direct |
    |---|---|---|---|---|
    | root: admin | | | | |
    | sue: supervisor | | supervisor | | |
    | ada: agent | | agent | | |
    | amy: agent, in no room | | | | |
    | ben: member | owner | | owner | owner |
    | cleo: member | member | | member | owner |
    | vic: member | viewer | | | |
    | dee: member, deactivated | member | | | |
    | otto: member, in no room | | | | |
    | gus: guest | member | | | |
    | carl, dora: customers | | customer | | |
    | parrot: robot | robot | robot | | |
    | system | | | | |
    """

    def __init__(self) -> None:
        self.__dict__ = MADE.recall()

    def _settle(self) -> None:
        person = User.objects.create_person
        self.root = person("root", "Root", PASSWORD, SiteRole.ADMIN)
        self.sue = person("sue", "Sue", PASSWORD, SiteRole.SUPERVISOR)
        self.ada = person("ada", "Ada", PASSWORD, SiteRole.AGENT)
        self.amy = person("amy", "Amy", PASSWORD, SiteRole.AGENT)
        self.ben, self.cleo, self.vic, self.dee, self.otto = (
            person(name, name.title(), PASSWORD) for name in ("ben", "cleo", "vic", "dee", "otto")
        )
        self.carl = User.objects.create_customer("Carl")
        self.dora = User.objects.create_customer("Dora")
        self.parrot = User.objects.create_robot("parrot", "Parrot")
        self.system = User.objects.system()
        self._open_rooms()
        self.dee.deactivate(by=self.root)

    def _open_rooms(self) -> None:
        people = [self.cleo, self.vic, self.dee, self.parrot]
        self.team = Room.objects.open("Team", by=self.ben, people=people)
        self.team.change_role(self.vic, "viewer", by=self.ben)
        _, token = self.team.create_invitation(by=self.ben)
        self.gus = Invitation.objects.accept_as_guest(token, name="Gus").user
        served = [self.carl, self.dora, self.sue, self.parrot]
        self.support = Room.objects.open("Support", by=self.ada, mode="support", people=served)
        self.public = Room.objects.open(
            "Public", by=self.ben, visibility="public", people=[self.cleo]
        )
        self.direct = Room.objects.direct(self.cleo, by=self.ben)
        for room in self.rooms.values():
            room.refresh_from_db()

    @property
    def people(self) -> dict[str, User]:
        return {name: getattr(self, name) for name in NAMES}

    @property
    def rooms(self) -> dict[str, Room]:
        return {name: getattr(self, name) for name in ("team", "support", "public", "direct")}

    def name_of(self, user: User) -> str:
        return next(name for name, person in self.people.items() if person.pk == user.pk)

    def seat(self, room: Room, user: User) -> Participant:
        return Participant.objects.get(room=room, user=user)

    # What people do

    def say(self, room: Room, by: User, body: str = "hello", **how: Any) -> Message:
        return room.messages.post(body, by=by, **how)

    def whisper(self, room: Room, by: User, *to: User, body: str = "psst") -> Message:
        return room.messages.post(body, by=by, audience="only", to=to)

    def note(self, by: User, body: str = "between us") -> Message:
        """To the staff of the support room."""
        return self.support.messages.post(body, by=by, audience="staff")

    # What people may do

    def answers(self, act: Callable[[User], object]) -> dict[str, str]:
        """What everybody gets who tries: `yes`, or the code of the error. Nothing of it stays."""
        return {name: self.answer(act, person) for name, person in self.people.items()}

    def answer(self, act: Callable[[User], object], person: User) -> str:
        try:
            with transaction.atomic():
                act(again(person))
                transaction.set_rollback(True)
        except DomainError as error:
            return error.code
        return YES

    def readers(self, message: Message) -> set[str]:
        """Who may see it, by the query and by the live mirror, which must agree."""
        from messages.audience import Reader

        by_query = {
            name
            for name, person in self.people.items()
            if Message.objects.visible_to(person).filter(pk=message.pk).exists()
        }
        seats = Participant.objects.filter(room=message.room_id).select_related("room", "user")
        by_mirror = {self.name_of(seat.user) for seat in seats if Reader.of(seat).sees(message)}
        assert by_query == by_mirror
        return by_query


def _made() -> dict[str, Any]:
    """All there is in a world, made by the verbs themselves."""
    world = World.__new__(World)
    world._settle()
    return vars(world)


MADE = Memory(_made)


def expected(*, otherwise: str, **names: str | Iterable[str]) -> dict[str, str]:
    """`expected(yes="ben cleo", room_closed="ada", otherwise="forbidden")`: everybody's answers."""
    answers = dict.fromkeys(NAMES, otherwise)
    for answer, who in names.items():
        answers.update(dict.fromkeys(who.split() if isinstance(who, str) else who, answer))
    assert set(answers) == set(NAMES)
    return answers


def again(row: M) -> M:
    """The row as it now is, without what the object has kept."""
    return type(row)._default_manager.get(pk=row.pk)
