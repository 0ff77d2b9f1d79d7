from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.models import AuditEntry, User
from accounts.prepared import first, prepared, reread
from accounts.roles import SiteRole
from accounts.rows import QuickRows
from rooms import signals
from rooms.models.invitation import Invitation
from rooms.models.participant import Participant
from rooms.models.query import RoomQuerySet
from rooms.modes import STAFF, Mode, Role, rules
from rooms.signals import Event

NAME_MAX = 80
"""Characters."""

if TYPE_CHECKING:
    from messages.models import MessageManager

SETTINGS = ("name", "description", "visibility", "history")
SAME_ROLE = "In a side-bar everybody is what they are in the room around it."
OF_THE_PARENT = ("visibility", "history")
"""What is not changed in a side-bar: whom it is for, and what it has from the room around it."""


class Room(QuickRows):
    """A place where people and robots talk. To those who are not in it, it does not exist."""

    class Visibility(models.TextChoices):
        PUBLIC = "public"
        PRIVATE = "private"
        OPEN = "open", "Open to the room around it"

    class State(models.TextChoices):
        WAITING = "waiting"
        ACTIVE = "active"
        CLOSED = "closed"
        ARCHIVED = "archived"

    class History(models.TextChoices):
        ALL = "all"
        JOINED = "joined"

    class Outcome(models.TextChoices):
        SUCCESS = "success"
        UNKNOWN = "unknown"
        NEGATIVE = "negative"

    class Closed(Conflict):
        """A closed room takes no new messages and no new people."""

        code = "room_closed"
        message = "This room is closed. Reopen it first."

    class Archived(Closed):
        code = "room_archived"
        message = "This room is archived. Reopen it first."

    class WrongState(Conflict):
        """The room is not in a state from which this leads on."""

        code = "wrong_state"

    class Full(Conflict):
        code = "room_full"
        message = "This room holds as many people as a room may."

    class TooMany(Conflict):
        code = "too_many_rooms"
        message = "This person is in as many rooms as a person may be."

    name = models.CharField(max_length=NAME_MAX, blank=True)
    description = models.TextField(blank=True, max_length=4000)
    parent = models.ForeignKey(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="sidebars",
        help_text="The room around it, where this is a side-bar.",
    )
    mode = models.CharField(max_length=16, choices=Mode.choices, default=Mode.TEAM)
    visibility = models.CharField(
        max_length=16, choices=Visibility.choices, default=Visibility.PRIVATE
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.ACTIVE)
    history = models.CharField(max_length=16, choices=History.choices, default=History.ALL)
    direct_key = models.CharField(max_length=48, unique=True, null=True, blank=True, editable=False)
    revision = models.BigIntegerField(default=0, editable=False)
    people_revision = models.BigIntegerField(default=0, editable=False)
    newest = models.BigIntegerField(default=0, editable=False, help_text="Its newest message's id.")
    message_count = models.BigIntegerField(default=0, editable=False)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, blank=True)
    outcome_note = models.TextField(blank=True, max_length=4000)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    waiting_since = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = RoomQuerySet.as_manager()
    messages: MessageManager

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(visibility="open", parent=None)
                & ~Q(visibility="public", parent__isnull=False),
                name="open_is_for_sidebars",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["mode", "state", "created_at"]),
            models.Index(
                fields=["name"], condition=Q(visibility="public"), name="public_rooms_by_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"room {self.pk}"

    # Verbs: what the room is

    @transaction.atomic
    def update(self, *, by: User, **settings_: str) -> None:
        """Change name, description, visibility or history.

        Raises Forbidden, Invalid (with details by field).
        """
        self.locked().must_be_managed_by(by)
        before = {name: getattr(self, name) for name in settings_}
        self.assign(**settings_)
        changed = {name: getattr(self, name) for name in before}
        changed = {name: value for name, value in changed.items() if value != before[name]}
        if not changed:
            return
        self.take_people_revision(*changed)
        if "history" in changed:
            self.participants.update(view_since=self.revision)
            for sidebar in self._locked_sidebars():
                sidebar._follow_history(self.history, by=by)
        self._tell(Event.UPDATED, by=by, changed=changed, before=before)

    def assign(self, **settings_: str) -> None:
        """Set these fields after checking them. Raises Invalid, with details by field."""
        wrong: dict[str, list[str]] = {}
        for name, value in settings_.items():
            if name not in SETTINGS:
                wrong[name] = ["This cannot be changed."]
                continue
            if self.is_sidebar and name in OF_THE_PARENT:
                wrong[name] = ["This stays as it is in a side-bar."]
                continue
            value = value.strip()
            column = cast("models.Field[str, str]", self._meta.get_field(name))
            limit, choices = column.max_length, dict(column.flatchoices)
            if name == "name" and not value:
                wrong[name] = ["A room needs a name."]
            elif choices and value not in choices:
                wrong[name] = [f"Choose one of {', '.join(choices)}."]
            elif limit and len(value) > limit:
                wrong[name] = [f"At most {limit} characters."]
            setattr(self, name, value)
        if self.mode == Mode.SUPPORT and self.visibility == self.Visibility.PUBLIC:
            wrong["visibility"] = ["Support rooms are never public."]
        if not self.is_sidebar and self.visibility == self.Visibility.OPEN:
            wrong["visibility"] = ["Only side-bars are open to a room around them."]
        if wrong:
            raise Invalid(details=wrong)

    @transaction.atomic
    def close(self, *, by: User, outcome: str = Outcome.UNKNOWN, note: str = "") -> None:
        """End the conversation. Raises Forbidden, Room.WrongState, Invalid."""
        self.locked().must_be_managed_by(by)
        self._must_be(self.State.WAITING, self.State.ACTIVE)
        if outcome not in self.Outcome.values:
            raise Invalid(details={"outcome": [f"Choose one of {', '.join(self.Outcome)}."]})
        self.end(by=by, at=timezone.now(), outcome=outcome, note=note)

    def end(
        self, *, by: User, at: datetime, outcome: str = Outcome.UNKNOWN, note: str = ""
    ) -> None:
        """Close what is locked and open, and its side-bars with it, at the same moment."""
        for sidebar in self._locked_sidebars():
            if sidebar.is_open:
                sidebar.end(by=by, at=at)
        before = {"state": self.state}
        self.state, self.outcome, self.outcome_note = self.State.CLOSED, outcome, note
        self.closed_at, self.waiting_since = at, None
        self.take_people_revision("state", "outcome", "outcome_note", "closed_at", "waiting_since")
        changed = {"state": self.state, "outcome": outcome, "outcome_note": note}
        self._tell(Event.CLOSED, by=by, changed=changed, before=before)

    @transaction.atomic
    def reopen(self, *, by: User) -> None:
        """Go on, until purged. Raises Forbidden, Room.WrongState; a side-bar, Room.Closed where
        the room around it is closed.
        """
        self.locked().must_be_managed_by(by)
        self._must_be(self.State.CLOSED, self.State.ARCHIVED)
        if self.parent is not None:
            self.parent.must_be_open()
        self.resume(by=by)

    def resume(self, *, by: User) -> None:
        """Open again what is locked and closed: to its staff, or to the queue if none is in it.

        The side-bars that were closed with it go on, too.
        """
        closed_at = self.closed_at
        before = {"state": self.state, "outcome": self.outcome}
        self.state, self.outcome, self.outcome_note = self.State.ACTIVE, "", ""
        self.closed_at = self.archived_at = None
        if self._waits() and not self.participants.staff().exists():
            self.state, self.waiting_since = self.State.WAITING, timezone.now()
        self.take_people_revision(
            "state", "outcome", "outcome_note", "closed_at", "archived_at", "waiting_since"
        )
        changed = {"state": self.state, "outcome": ""}
        self._tell(Event.REOPENED, by=by, changed=changed, before=before)
        for sidebar in self._locked_sidebars():
            if sidebar.state == self.State.CLOSED and sidebar.closed_at == closed_at:
                sidebar.resume(by=by)

    @transaction.atomic
    def archive(self, *, by: User) -> None:
        """Put a closed room away. Raises Forbidden, Room.WrongState."""
        self.locked().must_be_managed_by(by)
        self._must_be(self.State.CLOSED)
        before = {"state": self.state}
        self.state, self.archived_at = self.State.ARCHIVED, timezone.now()
        self.take_people_revision("state", "archived_at")
        self._tell(Event.ARCHIVED, by=by, changed={"state": self.state}, before=before)

    # Verbs: who is in it

    @transaction.atomic
    def invite(self, user: User, *, by: User, role: str | None = None) -> Participant:
        """Let `user` in. Inviting a participant again changes nothing.

        Raises Forbidden, Participant.RoleNotAllowed, Room.Closed, Room.Full, Room.TooMany.
        """
        self.locked().must_be_managed_by(by)
        seat = self.participant(user)
        if seat is not None:
            return seat
        return self.admit(user, role=role or self.usual_role(user), invited_by=by)

    @transaction.atomic
    def join(self, *, by: User) -> Participant:
        """Enter uninvited: a public room as member, a support room as its staff.

        Joining again changes nothing. Raises NotFound where there is no way in, Room.Closed.
        """
        self.locked()
        seat = self.participant(by)
        if seat is not None:
            return seat
        if not Room.objects.findable_by(by).filter(pk=self.pk).exists():
            raise NotFound
        if self.is_sidebar:
            return self.seat_around([by.pk])[by.pk]
        return self.admit(by, role=self.usual_role(by))

    def admit(self, user: User, *, role: str, invited_by: User | None = None) -> Participant:
        """Seat a newcomer in this locked room and tell it. Whether they may is the caller's to ask.

        Raises Room.Closed, Room.Full, Room.TooMany, Participant.RoleNotAllowed.
        """
        self.must_be_open()
        self.take_people_revision()
        (participant,) = self.seat({user: role}, by=invited_by)
        changed = self._wait_without_staff()
        event = Event.INVITED if invited_by else Event.JOINED
        self._tell(event, by=invited_by or user, people=[participant], changed=changed)
        return participant

    @transaction.atomic
    def come_by(self, users: Collection[int]) -> dict[int, Participant]:
        """Seats for those of these users who are around this open side-bar and not in it yet, as
        happens when they first look at it. By user.
        """
        return self.locked().seat_around(users)

    @transaction.atomic
    def leave(self, *, by: User) -> None:
        """Raises NotFound, Participant.LastOwner, Forbidden (direct rooms are not left)."""
        seat = self.locked().seat_of(by)
        self._unseat(seat, Event.LEFT, by=by)

    @transaction.atomic
    def remove(self, user: User, *, by: User) -> None:
        """Take someone's seat away. Raises Forbidden, NotFound, Participant.LastOwner."""
        self.locked().must_be_managed_by(by)
        self._unseat(self.seat_of(user), Event.LEFT if user == by else Event.REMOVED, by=by)

    @transaction.atomic
    def change_role(self, user: User, role: str, *, by: User) -> Participant:
        """Raises Forbidden, NotFound, Participant.RoleNotAllowed, Participant.LastOwner."""
        self.locked().must_be_managed_by(by)
        self._must_have_roles()
        seat = self.seat_of(user)
        if seat.role == role:
            return seat
        Participant.must_suit(user, role, self)
        self._must_keep_an_owner(without=seat)
        before = {user.handle: seat.role}
        self._give_role(seat, role, by=by)
        changed = {"role": role, **self._wait_without_staff()}
        self._tell(Event.ROLE_CHANGED, by=by, people=[seat], changed=changed, before=before)
        return seat

    @transaction.atomic
    def fit_seat(self, user: User, *, by: User) -> None:
        """Where `user` holds a role here that could not be given to them now, give them what is
        left of it; nothing is left to who cannot be staff any more. Who is not here stays out.
        Side-bars follow the room around them.
        """
        seat = self.locked().participant(user)
        if seat is None or self.is_sidebar or Participant.suits(user, seat.role, self):
            return
        role = self.usual_role(user)
        if role not in STAFF:
            self._unseat(seat, Event.REMOVED, by=by)
            return
        before = {user.handle: seat.role}
        self._give_role(seat, role, by=by)
        self._tell(Event.ROLE_CHANGED, by=by, people=[seat], changed={"role": role}, before=before)

    @transaction.atomic
    def transfer(self, user: User, *, by: User) -> None:
        """Make `user` owner in one's own place. Raises Forbidden, NotFound, Invalid."""
        giver = self.locked().seat_of(by)
        self.must_be_managed_by(by)
        self._must_have_roles()
        if giver.role != Role.OWNER:
            raise Forbidden("Only an owner can hand the room over.")
        heir = self.seat_of(user)
        if heir == giver:
            raise Invalid(details={"user": ["You own this room already."]})
        Participant.must_suit(user, Role.OWNER, self)
        before = {heir.user.handle: heir.role, giver.user.handle: giver.role}
        self._give_role(heir, Role.OWNER, by=by)
        self._give_role(giver, Role.MEMBER, by=by)
        self._tell(Event.OWNER_CHANGED, by=by, people=[heir, giver], changed={}, before=before)

    @transaction.atomic
    def create_invitation(
        self,
        *,
        by: User,
        role: str | None = None,
        expires_in: timedelta | None = None,
        uses: int | None = None,
    ) -> tuple[Invitation, str]:
        """A link into the room, and its token, shown this once.

        Raises Forbidden, Room.Closed, Participant.RoleNotAllowed.
        """
        self.locked().must_be_managed_by(by)
        if self.is_sidebar:
            raise Forbidden("Side-bars have no links: they are for people of the room around them.")
        self.must_be_open()
        linkable = rules(self.mode).linkable
        role = role or linkable[0]
        if role not in linkable:
            raise Participant.RoleNotAllowed(f"A link can give {' or '.join(linkable)}.")
        lifetime = expires_in or settings.CHAT_INVITATION_LIFETIME
        invitation, token = Invitation.issue(self, by=by, role=role, expires_in=lifetime, uses=uses)
        AuditEntry.objects.record("invitation.created", on=invitation, by=by, after={"role": role})
        return invitation, token

    # Questions

    @property
    def is_direct(self) -> bool:
        return self.direct_key is not None

    @property
    def is_sidebar(self) -> bool:
        return self.parent_id is not None

    @property
    def is_open_sidebar(self) -> bool:
        """Whether whoever is in the room around it may come by, but for customers."""
        return self.visibility == self.Visibility.OPEN

    @property
    def is_crowded(self) -> bool:
        """See `Room.objects.crowded`. A query."""
        return bool(_crowded(room=self.pk, most=settings.CHAT_PRESENCE_MAX_ROOM))

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.ACTIVE)

    def newest_within(self) -> int:
        """Id of the newest message in it and in its side-bars; 0 where there is none."""
        newest: int = self.sidebars.aggregate(newest=models.Max("newest", default=0))["newest"]
        return max(self.newest, newest)

    def participant(self, user: User) -> Participant | None:
        seat = first(_seat(room=self.pk, user=user.pk))
        if seat is not None:
            seat.room, seat.user = self, user
        return seat

    def seat_of(self, user: User) -> Participant:
        """Raises NotFound where `user` is not in the room."""
        seat = self.participant(user)
        if seat is None:
            raise NotFound
        return seat

    def managed_by(self, user: User) -> bool:
        """Its managers, and who opened a side-bar, while they may write in it; and, from outside,
        the system and site admins (through the admin).

        A direct room is managed by nobody: it stays what it is, between its two.
        """
        if self.is_direct:
            return False
        seat = self.participant(user)
        if seat is not None:
            return self.managed_from(seat)
        return user.kind == User.Kind.SYSTEM or user.is_at_least(SiteRole.ADMIN)

    def managed_from(self, seat: Participant) -> bool:
        """The same of who sits there. Not a query."""
        has_opened = self.is_sidebar and self.created_by_id == seat.user_id
        return not self.is_direct and (seat.manages or (has_opened and seat.may_write))

    def usual_role(self, user: User) -> str:
        """What someone becomes here where no role is named: in a side-bar, what they are around it.

        Raises Invalid where they are not.
        """
        if self.is_sidebar:
            return self._seats_around([user])[user].role
        if user.is_robot:
            return Role.ROBOT
        if self.mode == Mode.TEAM:
            return Role.MEMBER
        if user.is_at_least(SiteRole.SUPERVISOR):
            return Role.SUPERVISOR
        return Role.AGENT if user.is_at_least(SiteRole.AGENT) else Role.CUSTOMER

    def must_be_managed_by(self, user: User) -> None:
        if not self.managed_by(user):
            raise Forbidden("Only those who manage this room can do this.")

    def must_be_open(self) -> None:
        if not self.is_open:
            raise self.Archived if self.state == self.State.ARCHIVED else self.Closed

    def must_be_openable_by(self, user: User) -> None:
        if self.mode == Mode.SUPPORT and not user.is_at_least(SiteRole.AGENT):
            raise Forbidden("Support rooms are opened by agents.")
        if user.site_role is None:
            raise Forbidden("Guests cannot make rooms.")

    # What the verbs are made of

    def locked(self) -> Room:
        """This room, locked for the transaction and as it now is. Raises NotFound if purged."""
        try:
            reread(self, _locked(pk=self.pk))
        except Room.DoesNotExist:
            raise NotFound from None
        return self

    def take_people_revision(self, *fields: str) -> None:
        """Note that people, settings or state change, and save `fields` with it."""
        self.revision += 1
        self.people_revision = self.revision
        self.save(update_fields=["revision", "people_revision", *fields])

    def seat(self, seats: dict[User, str], *, by: User | None) -> list[Participant]:
        """Rows for newcomers and their roles, in this locked room.

        Raises Room.Full, Room.TooMany, Participant.RoleNotAllowed, Invalid.
        """
        if self.participants.count() + len(seats) > settings.CHAT_ROOM_MAX_PARTICIPANTS:
            raise self.Full
        around = self._seats_around(seats)
        for user, role in seats.items():
            if not user.is_active or user.kind == User.Kind.SYSTEM:
                raise Invalid(f"{user.name} cannot be in a room.")
            Participant.must_suit(user, role, self)
            if self.is_sidebar and role != around[user].role:
                raise Participant.RoleNotAllowed(SAME_ROLE)
        if not self.is_sidebar:
            self._must_have_room_for(seats)
        newest = self.newest_within()
        return Participant.objects.bulk_create(
            Participant.new(self, user, role, newest=newest, invited_by=by, outer=around.get(user))
            for user, role in seats.items()
        )

    def seat_around(
        self, users: Collection[int], *, last_read: int | None = None
    ) -> dict[int, Participant]:
        """Of this locked room: see `come_by`. They have read all, or up to `last_read`."""
        if not self.is_open_sidebar:
            return {}
        here = self.participants.values("user")
        absent = Participant.objects.around(self).filter(user__in=users).exclude(user__in=here)
        seats = Participant.objects.bulk_create(
            Participant.new(self, outer.user, outer.role, outer=outer, last_read=last_read)
            for outer in absent.select_related("user")
        )
        if seats:
            self.take_people_revision()
            signals.people_came_by.send(Room, room=self, people=seats)
        return {seat.user_id: seat for seat in seats}

    def _seats_around(self, users: Iterable[User]) -> dict[User, Participant]:
        """Of each of them in the room around this side-bar; none where this is none.

        Raises Invalid where somebody has none, Participant.RoleNotAllowed for customers.
        """
        if not self.is_sidebar:
            return {}
        people = list(users)
        around = Participant.objects.filter(room=self.parent_id, user__in=people)
        seats = {seat.user: seat for seat in around.select_related("user")}
        for user in people:
            if user not in seats:
                raise Invalid(f"{user.name} is not in the room around this side-bar.")
            if seats[user].role == Role.CUSTOMER:
                raise Participant.RoleNotAllowed("Customers are in no side-bar.")
        return seats

    def _locked_sidebars(self) -> list[Room]:
        """Its side-bars, locked after it. Who comes by one holds its lock: they are seen here."""
        return list(self.sidebars.locked())

    def _follow(self, outer: Participant, event: Event, *, by: User) -> None:
        """Something became of their seat in this locked room: the same becomes of those inside."""
        sidebars = {sidebar.pk: sidebar for sidebar in self._locked_sidebars()}
        if outer.role == Role.CUSTOMER and event == Event.ROLE_CHANGED:
            event = Event.REMOVED
        for seat in Participant.objects.filter(outer=outer.pk).select_related("user"):
            sidebar = seat.room = sidebars[seat.room_id]
            if event in (Event.LEFT, Event.REMOVED):
                sidebar._take_seat(seat, event, by=by)
            else:
                sidebar._give_role(seat, outer.role, by=by)
                sidebar._tell(event, by=by, people=[seat], changed={"role": seat.role})

    def _must_have_room_for(self, users: Iterable[User]) -> None:
        crowded = (
            Participant.objects.filter(user__in=list(users), room__parent=None)
            .values("user")
            .annotate(rooms=models.Count("pk"))
            .filter(rooms__gte=settings.CHAT_PERSON_MAX_ROOMS)
        )
        if crowded.exists():
            raise self.TooMany

    def _unseat(self, seat: Participant, event: Event, *, by: User) -> None:
        if self.is_direct:
            raise Forbidden("A direct conversation stays between its two.")
        self._must_keep_an_owner(without=seat)
        self._follow(seat, event, by=by)
        self._take_seat(seat, event, by=by)

    def _take_seat(self, seat: Participant, event: Event, *, by: User) -> None:
        seat.delete()
        self.take_people_revision()
        changed = self._wait_without_staff()
        self._tell(event, by=by, people=[seat], changed=changed)

    def _must_keep_an_owner(self, *, without: Participant) -> None:
        if self.is_sidebar:
            return
        owners = self.participants.filter(role=Role.OWNER).exclude(pk=without.pk)
        if without.role == Role.OWNER and not owners.exists():
            raise Participant.LastOwner

    def _give_role(self, seat: Participant, role: str, *, by: User) -> None:
        self.take_people_revision()
        seat.role, seat.view_since = role, self.revision
        seat.save(update_fields=["role", "view_since"])
        if not self.is_sidebar:
            self._follow(seat, Event.ROLE_CHANGED, by=by)

    def _must_have_roles(self) -> None:
        if self.is_sidebar:
            raise Forbidden(SAME_ROLE)

    def _follow_history(self, history: str, *, by: User) -> None:
        """The room around this locked side-bar has changed what newcomers see."""
        before, self.history = {"history": self.history}, history
        self.take_people_revision("history")
        self.participants.update(view_since=self.revision)
        self._tell(Event.UPDATED, by=by, changed={"history": history}, before=before)

    def _wait_without_staff(self) -> dict[str, Any]:
        """An open support room waits exactly while no staff is in it. Returns what that changes."""
        if not self._waits() or not self.is_open:
            return {}
        staffed = self.participants.staff().exists()
        state = self.State.ACTIVE if staffed else self.State.WAITING
        if state == self.state:
            return {}
        self.state, self.waiting_since = state, None if staffed else timezone.now()
        self.save(update_fields=["state", "waiting_since"])
        return {"state": state}

    def _waits(self) -> bool:
        """Whether this is a room that waits while no staff is in it."""
        return self.mode == Mode.SUPPORT and not self.is_sidebar

    def _must_be(self, *states: str) -> None:
        if self.state not in states:
            raise self.WrongState(f"The room is {self.state}; it must be {' or '.join(states)}.")

    def _tell(
        self,
        event: Event,
        *,
        by: User,
        people: Collection[Participant] = (),
        changed: dict[str, Any],
        before: dict[str, Any] | None = None,
    ) -> None:
        """Leave an audit entry and announce it to the apps above."""
        whom = {seat.user.handle: seat.role for seat in people}
        AuditEntry.objects.record(
            f"room.{event.value}", on=self, by=by, before=before, after={**changed, **whom}
        )
        signals.room_changed.send(
            Room, room=self, event=event, by=by, people=list(people), changed=changed
        )


@prepared("pk")
def _locked(pk: int) -> models.QuerySet[Room]:
    return Room.objects.filter(pk=pk).select_for_update(no_key=True)


@prepared("room", "user")
def _seat(room: int, user: int) -> models.QuerySet[Participant]:
    return Participant.objects.filter(room=room, user=user)


@prepared("room")
def _crowded(room: int, most: int) -> models.QuerySet[Any, int]:
    return Room.objects.filter(pk=room).crowded(most).values_list("pk", flat=True)
