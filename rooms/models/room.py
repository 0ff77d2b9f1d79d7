from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.models import AuditEntry, User
from accounts.roles import SiteRole
from rooms import signals
from rooms.models.invitation import Invitation
from rooms.models.participant import Participant
from rooms.modes import STAFF, Mode, Role, rules
from rooms.signals import Event

if TYPE_CHECKING:
    from messages.models import MessageManager

SETTINGS = ("name", "description", "visibility", "history")


class RoomQuerySet(models.QuerySet["Room"]):
    def for_user(self, user: User) -> RoomQuerySet:
        """The rooms `user` is in."""
        return self.filter(participants__user=user)

    def public_for(self, user: User) -> RoomQuerySet:
        """The rooms any site member may find and join."""
        if user.site_role is None:
            return self.none()
        return self.filter(mode=Mode.TEAM, visibility=Room.Visibility.PUBLIC)

    def desk_for(self, user: User) -> RoomQuerySet:
        """The support rooms that site agents and above may find and enter."""
        return self.filter(mode=Mode.SUPPORT) if user.is_at_least(SiteRole.AGENT) else self.none()

    def findable_by(self, user: User) -> RoomQuerySet:
        """All that exist for `user`: being in it, public, or on the desk."""
        found = Q(pk__in=Participant.objects.filter(user=user).values("room"))
        if user.site_role is not None:
            found |= Q(mode=Mode.TEAM, visibility=Room.Visibility.PUBLIC)
        if user.is_at_least(SiteRole.AGENT):
            found |= Q(mode=Mode.SUPPORT)
        return self.filter(found)

    def lock(self, pks: Collection[int]) -> dict[int, Room]:
        """Lock these rooms, in the one order every transaction takes, as they now are."""
        rows = self.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk")
        return {room.pk: room for room in rows}

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
        room = Room(mode=mode, created_by=by, revision=1, people_revision=1)
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
            room.state, room.waiting_since = Room.State.WAITING, timezone.now()
        room.save()
        room.seat(seats, by=by)
        AuditEntry.objects.record(
            "room.opened", on=room, by=by, after={user.handle: role for user, role in seats.items()}
        )
        signals.room_opened.send(Room, room=room, by=by, people=list(room.participants.all()))
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
                signals.room_opened.send(Room, room=room, by=by, people=people)
        except IntegrityError:
            return self.get(direct_key=key)
        return room


class Room(models.Model):
    """A place where people and robots talk. To those who are not in it, it does not exist."""

    class Visibility(models.TextChoices):
        PUBLIC = "public"
        PRIVATE = "private"

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

    name = models.CharField(max_length=80, blank=True)
    description = models.TextField(blank=True, max_length=4000)
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
        self._tell(Event.UPDATED, by=by, changed=changed, before=before)

    def assign(self, **settings_: str) -> None:
        """Set these fields after checking them. Raises Invalid, with details by field."""
        wrong: dict[str, list[str]] = {}
        for name, value in settings_.items():
            if name not in SETTINGS:
                wrong[name] = ["This cannot be changed."]
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
        if wrong:
            raise Invalid(details=wrong)

    @transaction.atomic
    def close(self, *, by: User, outcome: str = Outcome.UNKNOWN, note: str = "") -> None:
        """End the conversation. Raises Forbidden, Room.WrongState, Invalid."""
        self.locked().must_be_managed_by(by)
        self._must_be(self.State.WAITING, self.State.ACTIVE)
        if outcome not in self.Outcome.values:
            raise Invalid(details={"outcome": [f"Choose one of {', '.join(self.Outcome)}."]})
        before = {"state": self.state}
        self.state, self.outcome, self.outcome_note = self.State.CLOSED, outcome, note
        self.closed_at, self.waiting_since = timezone.now(), None
        self.take_people_revision("state", "outcome", "outcome_note", "closed_at", "waiting_since")
        changed = {"state": self.state, "outcome": outcome, "outcome_note": note}
        self._tell(Event.CLOSED, by=by, changed=changed, before=before)

    @transaction.atomic
    def reopen(self, *, by: User) -> None:
        """Go on, until purged. Raises Forbidden, Room.WrongState."""
        self.locked().must_be_managed_by(by)
        self._must_be(self.State.CLOSED, self.State.ARCHIVED)
        self.resume(by=by)

    def resume(self, *, by: User) -> None:
        """Open again what is locked and closed: to its staff, or to the queue if none is in it."""
        before = {"state": self.state, "outcome": self.outcome}
        self.state, self.outcome, self.outcome_note = self.State.ACTIVE, "", ""
        self.closed_at = self.archived_at = None
        if self.mode == Mode.SUPPORT and not self.participants.staff().exists():
            self.state, self.waiting_since = self.State.WAITING, timezone.now()
        self.take_people_revision(
            "state", "outcome", "outcome_note", "closed_at", "archived_at", "waiting_since"
        )
        changed = {"state": self.state, "outcome": ""}
        self._tell(Event.REOPENED, by=by, changed=changed, before=before)

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
        seat = self.seat_of(user)
        if seat.role == role:
            return seat
        Participant.must_suit(user, role, self)
        self._must_keep_an_owner(without=seat)
        before = {user.handle: seat.role}
        self._give_role(seat, role)
        changed = {"role": role, **self._wait_without_staff()}
        self._tell(Event.ROLE_CHANGED, by=by, people=[seat], changed=changed, before=before)
        return seat

    @transaction.atomic
    def fit_seat(self, user: User, *, by: User) -> None:
        """Where `user` holds a role here that could not be given to them now, give them what is
        left of it; nothing is left to who cannot be staff any more. Who is not here stays out.
        """
        seat = self.locked().participant(user)
        if seat is None or Participant.suits(user, seat.role, self):
            return
        role = self.usual_role(user)
        if role not in STAFF:
            self._unseat(seat, Event.REMOVED, by=by)
            return
        before = {user.handle: seat.role}
        self._give_role(seat, role)
        self._tell(Event.ROLE_CHANGED, by=by, people=[seat], changed={"role": role}, before=before)

    @transaction.atomic
    def transfer(self, user: User, *, by: User) -> None:
        """Make `user` owner in one's own place. Raises Forbidden, NotFound, Invalid."""
        giver = self.locked().seat_of(by)
        self.must_be_managed_by(by)
        if giver.role != Role.OWNER:
            raise Forbidden("Only an owner can hand the room over.")
        heir = self.seat_of(user)
        if heir == giver:
            raise Invalid(details={"user": ["You own this room already."]})
        Participant.must_suit(user, Role.OWNER, self)
        before = {heir.user.handle: heir.role, giver.user.handle: giver.role}
        self._give_role(heir, Role.OWNER)
        self._give_role(giver, Role.MEMBER)
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
    def is_open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.ACTIVE)

    def participant(self, user: User) -> Participant | None:
        seat = self.participants.filter(user=user).first()
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
        """Its managers; and, from outside, the system and site admins (through the admin).

        A direct room is managed by nobody: it stays what it is, between its two.
        """
        if self.is_direct:
            return False
        seat = self.participant(user)
        if seat is not None:
            return seat.manages
        return user.kind == User.Kind.SYSTEM or user.is_at_least(SiteRole.ADMIN)

    def usual_role(self, user: User) -> str:
        """What someone becomes here where no role is named."""
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
            self.refresh_from_db(from_queryset=Room.objects.select_for_update(no_key=True))
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
        for user, role in seats.items():
            if not user.is_active or user.kind == User.Kind.SYSTEM:
                raise Invalid(f"{user.name} cannot be in a room.")
            Participant.must_suit(user, role, self)
        self._must_have_room_for(seats)
        return Participant.objects.bulk_create(
            Participant(
                room=self,
                user=user,
                role=role,
                invited_by=by if by != user else None,
                history_from=self.newest,
                last_read=self.newest,
                view_since=self.revision,
            )
            for user, role in seats.items()
        )

    def _must_have_room_for(self, users: Iterable[User]) -> None:
        crowded = (
            Participant.objects.filter(user__in=list(users))
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
        seat.delete()
        self.take_people_revision()
        changed = self._wait_without_staff()
        self._tell(event, by=by, people=[seat], changed=changed)

    def _must_keep_an_owner(self, *, without: Participant) -> None:
        owners = self.participants.filter(role=Role.OWNER).exclude(pk=without.pk)
        if without.role == Role.OWNER and not owners.exists():
            raise Participant.LastOwner

    def _give_role(self, seat: Participant, role: str) -> None:
        self.take_people_revision()
        seat.role, seat.view_since = role, self.revision
        seat.save(update_fields=["role", "view_since"])

    def _wait_without_staff(self) -> dict[str, Any]:
        """An open support room waits exactly while no staff is in it. Returns what that changes."""
        if self.mode != Mode.SUPPORT or not self.is_open:
            return {}
        staffed = self.participants.staff().exists()
        state = self.State.ACTIVE if staffed else self.State.WAITING
        if state == self.state:
            return {}
        self.state, self.waiting_since = state, None if staffed else timezone.now()
        self.save(update_fields=["state", "waiting_since"])
        return {"state": state}

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
