"""Which rooms there are for somebody, and how rooms are made."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.utils import timezone

from accounts.errors import Forbidden, Invalid, NotFound
from accounts.models import AuditEntry, User
from accounts.prepared import prepared
from accounts.roles import SiteRole
from rooms import signals
from rooms.models.participant import Participant
from rooms.modes import STAFF, Mode, Role

if TYPE_CHECKING:
    from rooms.models.room import Room


class RoomQuerySet(models.QuerySet["Room"]):
    def for_user(self, user: User) -> RoomQuerySet:
        """The rooms `user` is in, side-bars among them."""
        return self.filter(participants__user=user)

    def top(self) -> RoomQuerySet:
        """Those that are no side-bars."""
        return self.filter(parent=None)

    def sidebars_for(self, user: User) -> RoomQuerySet:
        """The side-bars there are for `user`: open ones of their rooms, and those they are in.

        Customers are in none.
        """
        around = Participant.objects.filter(user=user).exclude(role=Role.CUSTOMER)
        inside = Participant.objects.filter(user=user)
        may_come = Q(visibility=self.model.Visibility.OPEN) | Q(pk__in=inside.values("room"))
        return self.filter(may_come, parent__in=around.values("room"))

    def public_for(self, user: User) -> RoomQuerySet:
        """The rooms any site member may find and join."""
        if user.site_role is None:
            return self.none()
        return self.filter(mode=Mode.TEAM, visibility=self.model.Visibility.PUBLIC)

    def desk_for(self, user: User) -> RoomQuerySet:
        """The support rooms that site agents and above may find and enter."""
        if not user.is_at_least(SiteRole.AGENT):
            return self.none()
        return self.top().filter(mode=Mode.SUPPORT)

    def findable_by(self, user: User) -> RoomQuerySet:
        """All that exist for `user`: being in it, public, on the desk, or a side-bar for them."""
        found = Q(pk__in=Participant.objects.filter(user=user).values("room"))
        found |= Q(pk__in=self.model.objects.sidebars_for(user).values("pk"))
        if user.site_role is not None:
            found |= Q(mode=Mode.TEAM, visibility=self.model.Visibility.PUBLIC)
        if user.is_at_least(SiteRole.AGENT):
            found |= Q(mode=Mode.SUPPORT, parent=None)
        return self.filter(found)

    def crowded(self, most: int | None = None) -> RoomQuerySet:
        """Those with so many people, robots aside, that they are not told of each other: who is
        here, who has read; or with more than `most`. Of an open side-bar they are those around it,
        as `Participant.of` says.
        """
        most = settings.CHAT_PRESENCE_MAX_ROOM if most is None else most
        is_open_sidebar = Q(visibility=self.model.Visibility.OPEN)
        around = Case(When(is_open_sidebar, then=F("parent")), default=F("pk"))
        people = Participant.objects.filter(room=OuterRef("around")).exclude(role=Role.ROBOT)
        people = people.filter(~Q(role=Role.CUSTOMER) | Q(room=OuterRef("pk")))
        return self.alias(around=around).filter(Exists(people[most : most + 1]))

    def seat_in(self, pk: int, user: User) -> Participant:
        """Their seat in a room, with the room. Who comes by an open side-bar takes one there.

        Raises NotFound.
        """
        seats = Participant.objects.select_related("room")
        seat: Participant | None = seats.filter(room=pk, user=user).first()
        if seat is None:
            sidebar = self.sidebars_for(user).filter(pk=pk).first()
            if sidebar is not None:
                sidebar.come_by([user.pk])  # or they have just done so elsewhere
                seat = seats.filter(room=pk, user=user).first()
        if seat is None:
            raise NotFound
        return seat

    def locked(self) -> RoomQuerySet:
        """As they now are, locked in the one order that every transaction takes."""
        return self.select_for_update(no_key=True).order_by("pk")

    def lock(self, pks: Collection[int]) -> dict[int, Room]:
        """By id: those of these that there are, locked. Asked of all rooms, by SQL made once."""
        return {room.pk: room for room in (_locked(pks) if pks else ())}

    def lock_with_sidebars(self, pks: Collection[int]) -> dict[int, Room]:
        """Lock these rooms and the side-bars in them, where more than one is to be changed."""
        within = self.filter(Q(pk__in=pks) | Q(parent__in=pks))
        return {room.pk: room for room in within.locked()}

    @transaction.atomic
    def open(
        self,
        name: str,
        *,
        by: User,
        mode: str = Mode.TEAM,
        visibility: str = "private",
        description: str = "",
        history: str = "all",
        people: Iterable[User] = (),
        on_behalf_of: User | None = None,
    ) -> Room:
        """Make a room with its people at once; `by` is its owner or its agent.

        A support room opened `on_behalf_of` a customer waits for staff, without `by` in it.
        Raises Forbidden (not for this person), Invalid, Room.Full, Room.TooMany.
        """
        room = self.model(mode=mode, created_by=by, revision=1, people_revision=1)
        room.assign(name=name, description=description, visibility=visibility, history=history)
        room.must_be_openable_by(by)
        seats: dict[User, str] = {}
        if on_behalf_of is None:
            seats[by] = Role.OWNER if mode == Mode.TEAM else Role.AGENT
        else:
            if mode != Mode.SUPPORT:
                raise Invalid("Only support rooms are opened on behalf of somebody.")
            seats[on_behalf_of] = Role.CUSTOMER
        for person in people:
            seats.setdefault(person, room.usual_role(person))
        if mode == Mode.SUPPORT and STAFF.isdisjoint(seats.values()):
            room.state, room.waiting_since = self.model.State.WAITING, timezone.now()
        room.save()
        room.seat(seats, by=by)
        AuditEntry.objects.record(
            "room.opened", on=room, by=by, after={user.handle: role for user, role in seats.items()}
        )
        signals.room_opened.send(self.model, room=room, by=by, people=list(room.participants.all()))
        return room

    def nest(
        self, parent: Room, *, by: User, access: str, name: str = "", people: Iterable[User] = ()
    ) -> Room:
        """Make a side-bar of this locked room; who opens it and `people` are in it at once.

        `access` is open or private. Whether `by` may is the caller's to ask. Raises Invalid
        (somebody is not in the room around it), Participant.RoleNotAllowed (customers), Room.Full.
        """
        room = self.model(
            parent=parent,
            mode=parent.mode,
            history=parent.history,
            visibility=access,
            name=name,
            created_by=by,
            revision=1,
            people_revision=1,
        )
        room.save()
        seats = {person: room.usual_role(person) for person in dict.fromkeys([by, *people])}
        here = room.seat(seats, by=by)
        AuditEntry.objects.record(
            "room.opened", on=room, by=by, after={user.handle: role for user, role in seats.items()}
        )
        signals.room_opened.send(self.model, room=room, by=by, people=here)
        return room

    def direct(self, user: User, *, by: User) -> Room:
        """The one direct room of these two, made if it is not there.

        Raises Forbidden for guests and customers, Invalid for oneself.
        """
        if by.site_role is None or user.kind not in (User.Kind.PERSON, User.Kind.ROBOT):
            raise Forbidden("Direct rooms are between members of the site.")
        if by == user:
            raise Invalid("A direct room needs somebody else.", details={"user": ["This is you."]})
        key = f"{min(by.pk, user.pk)}:{max(by.pk, user.pk)}"
        found = self.filter(direct_key=key).first()
        if found is not None:
            return found
        try:
            with transaction.atomic():
                room = self.create(direct_key=key, created_by=by, revision=1, people_revision=1)
                room.seat(
                    {by: Role.OWNER, user: Role.ROBOT if user.is_robot else Role.OWNER}, by=by
                )
                people = list(room.participants.select_related("user"))
                AuditEntry.objects.record(
                    "room.opened",
                    on=room,
                    by=by,
                    after={seat.user.handle: seat.role for seat in people},
                )
                signals.room_opened.send(self.model, room=room, by=by, people=people)
        except IntegrityError:
            return self.get(direct_key=key)
        return room


@prepared("pks")
def _locked(pks: Collection[int]) -> models.QuerySet[Room]:
    from rooms.models.room import Room

    return Room.objects.filter(pk__in=pks).locked()
