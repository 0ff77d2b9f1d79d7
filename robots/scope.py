"""What an answer may rest on: what its robot knows and every one of its readers may see."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from accounts.prepared import prepared
from messages.audience import Audience, Reader, fit_for, heard_by_all, visible_to
from messages.models import Message
from rooms.models import Participant, Room
from rooms.modes import STAFF, Role, hidden_from, rules

if TYPE_CHECKING:
    from messages.models import MessageQuerySet
    from robots.models import Reply, Robot


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The messages that all of an answer's readers may see, its robot among them."""

    room: Room
    robot: Robot
    audience: str
    """Of the answer."""
    to: tuple[int, ...]
    after: int
    """The message after which all of them hear all."""

    @classmethod
    def of(cls, reply: Reply) -> Scope:
        """Raises NotFound where the robot is not in the room any more."""
        return cls.at(reply.room.seat_of(reply.robot.user), reply)

    @classmethod
    def at(cls, seat: Participant, reply: Reply) -> Scope:
        """Of a reply from this seat, the one of its robot in its room, as it now is."""
        room, robot, message = reply.room, reply.robot, reply.message
        audience, to = (message.audience, message.to) if message else reply.answer_to()
        upto = message.pk if message else room.newest + 1
        heard = heard_by_all(room, audience, to, upto=upto)
        # What it said itself before it left and came back is not among the rest: nobody misses it,
        # and a summary has one beginning.
        after = max(heard, Reader.of(seat).history_from)
        return cls(room=room, robot=robot, audience=audience, to=tuple(sorted(to)), after=after)

    def around(self) -> Scope | None:
        """What they may all see in the room around, where this is of a side-bar: they all sit in
        it, no customer is among them, and their history begins where it does here.
        """
        if self.room.parent is None:
            return None
        return replace(self, room=self.room.parent, audience=Audience.EVERYONE, to=())

    @property
    def key(self) -> str:
        """The same for all answers that may rest on the same messages, but for `after`."""
        if self.audience == Audience.EVERYONE:
            return Audience.EVERYONE
        if self.audience == Audience.STAFF:
            return f"{Audience.STAFF}:{self.robot.pk}"
        named = ",".join(map(str, self.to))
        return f"{Audience.ONLY}:{self.robot.pk}:{sha256(named.encode()).hexdigest()[:32]}"

    def messages(self) -> MessageQuerySet:
        """What people and robots said, and have not taken back. Nothing half-said."""
        return self.answerable().filter(kind=Message.Kind.TEXT)

    def answerable(self) -> MessageQuerySet:
        """The same, and the cards and notes that robots are given to answer."""
        return self._fit().exclude(status=Message.Status.STREAMING)

    def being_written(self) -> MessageQuerySet:
        """What will have been said."""
        return self._fit().filter(status=Message.Status.STREAMING)

    def _fit(self) -> MessageQuerySet:
        """What it said itself it knows, also where that was for the staff, and it is none."""
        me = self.robot.user
        known = visible_to(me) | Q(author=me, room__participants__user=me)
        fit = fit_for(self.audience, self.to, after=self.after)
        found: MessageQuerySet = Message.objects.filter(known).filter(room=self.room)
        return found.filter(fit, deleted_at__isnull=True)

    def people(self) -> list[Participant]:
        """Who else is here, as far as every reader may know."""
        hidden = tuple(sorted(self._hidden()))
        if self.room.is_open_sidebar:
            return list(_named(Participant.objects.of(self.room), self.robot.user_id, hidden))
        return _people(room=self.room.pk, me=self.robot.user_id, hidden=hidden)

    def _hidden(self) -> Collection[Role]:
        """Roles that one of the readers is not shown as people."""
        mode = self.room.mode
        if not rules(mode).hidden:
            return ()
        return {hidden for role in self._roles() for hidden in hidden_from(mode, role)}

    def _roles(self) -> Iterable[str]:
        """Of the readers."""
        if self.audience == Audience.STAFF:
            return STAFF
        roles = self.room.participants.values_list("role", flat=True).distinct()
        return roles.filter(user__in=self.to) if self.audience == Audience.ONLY else roles


PEOPLE_TOLD = 50


@prepared("room", "me")
def _people(room: int, me: int, hidden: tuple[str, ...]) -> QuerySet[Participant]:
    return _named(Participant.objects.filter(room=room), me, hidden)


def _named(seats: QuerySet[Participant], me: int, hidden: tuple[str, ...]) -> QuerySet[Participant]:
    others = seats.exclude(user=me).exclude(role__in=hidden).select_related("user")
    named = others.only("user__name", "user__handle")
    return named.order_by("pk")[: PEOPLE_TOLD + 1]
