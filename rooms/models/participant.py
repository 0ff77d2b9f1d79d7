from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING, ClassVar, cast

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.errors import Conflict, Forbidden
from accounts.rows import QuickRows
from rooms.modes import STAFF, Mode, Role, hidden_from, rules

if TYPE_CHECKING:
    from accounts.models import User
    from rooms.models.room import Room


class ParticipantQuerySet(models.QuerySet["Participant"]):
    def staff(self) -> ParticipantQuerySet:
        return self.filter(role__in=STAFF)

    def around(self, sidebar: Room) -> ParticipantQuerySet:
        """Who may be in a side-bar: seats in the room around it. Customers are in none."""
        return self.filter(room=sidebar.parent_id).exclude(role=Role.CUSTOMER)

    def of(self, room: Room) -> ParticipantQuerySet:
        """The people of a room. Those of an open side-bar are all who may come by, seated or not:
        then the seats are those that they have in the room around it.
        """
        return self.around(room) if room.is_open_sidebar else self.filter(room=room)

    def shown_to(self, viewer: Participant) -> ParticipantQuerySet:
        """The people of the viewer's room as the viewer may know them."""
        return self.but(*viewer.sight)

    def but(self, room: int, hidden: Collection[str]) -> ParticipantQuerySet:
        """The people of a room, without those of some roles."""
        return self.filter(room=room).exclude(role__in=hidden)


class Participant(QuickRows):
    """Someone's seat in a room. The row exists exactly while they are in it."""

    class Notify(models.TextChoices):
        ALL = "all"
        MENTIONS = "mentions"
        NOTHING = "nothing"

    class LastOwner(Conflict):
        """A team room keeps at least one owner."""

        code = "last_owner"
        message = "A room needs at least one owner. Make somebody else owner first."

    class RoleNotAllowed(Forbidden):
        """The role is not of this kind of room, or not for this person."""

        code = "role_not_allowed"
        message = "This role cannot be given to this person in this room."

    room = models.ForeignKey("rooms.Room", models.CASCADE, related_name="participants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="participations"
    )
    outer = models.ForeignKey(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="inner",
        help_text="Their seat in the room around, where this is one in a side-bar.",
    )
    role = models.CharField(max_length=16, choices=Role.choices)
    joined_at = models.DateTimeField(default=timezone.now, db_index=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    history_from = models.BigIntegerField(
        default=0, help_text="Id of the newest message when they joined."
    )
    view_since = models.BigIntegerField(
        default=0, help_text="Revision at which what they may see last changed."
    )
    last_read = models.BigIntegerField(default=0, help_text="Id of the newest message they read.")
    muted = models.BooleanField(default=False)
    starred = models.BooleanField(default=False)
    notify = models.CharField(max_length=16, choices=Notify.choices, default=Notify.MENTIONS)

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "room"], name="one_seat_each"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["room", "role"]),
            models.Index(
                fields=["room"], condition=models.Q(notify="all"), name="told_of_everything"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.room} as {self.role}"

    @property
    def sight(self) -> tuple[int, tuple[str, ...]]:
        """Where those sit whom they may know as people of their room, and who of them they may
        not: a room, and roles. `room` is at hand.
        """
        is_sidebar = self.room.is_open_sidebar
        place = cast("int", self.room.parent_id) if is_sidebar else self.room_id
        return place, _hidden(self.room.mode, self.role, is_sidebar)

    @classmethod
    def new(
        cls,
        room: Room,
        user: User,
        role: str,
        *,
        invited_by: User | None = None,
        newest: int = 0,
        outer: Participant | None = None,
        last_read: int | None = None,
    ) -> Participant:
        """A newcomer's, unsaved. Their history begins after `newest`, the newest message of the
        room and its side-bars; in a side-bar, where it does around it.
        """
        return cls(
            room=room,
            user=user,
            role=role,
            outer=outer,
            invited_by=invited_by if invited_by != user else None,
            history_from=outer.history_from if outer else newest,
            last_read=room.newest if last_read is None else last_read,
            view_since=room.revision,
            notify=cls._usual_level(room),
        )

    @classmethod
    def _usual_level(cls, room: Room) -> str:
        """What newcomers are told of: all where two talk or a customer is served, else as the
        site has it.
        """
        if room.is_direct or (room.mode == Mode.SUPPORT and not room.is_sidebar):
            return cls.Notify.ALL
        return str(settings.CHAT_NOTIFY_DEFAULT)

    def set_preferences(
        self, *, muted: bool | None = None, starred: bool | None = None, notify: str | None = None
    ) -> None:
        """Change one's own settings of the room; what is None stays as it is."""
        chosen = {"muted": muted, "starred": starred, "notify": notify}
        changes = {name: value for name, value in chosen.items() if value is not None}
        for name, value in changes.items():
            setattr(self, name, value)
        if changes:
            self.save(update_fields=list(changes))

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF

    @property
    def manages(self) -> bool:
        return self.role in rules(self.room.mode).managers

    @property
    def may_write(self) -> bool:
        return self.role in rules(self.room.mode).writers

    @classmethod
    def suits(cls, user: User, role: str, room: Room) -> bool:
        """Whether `user` may be given `role` in `room`."""
        try:
            cls.must_suit(user, role, room)
        except cls.RoleNotAllowed:
            return False
        return True

    @classmethod
    def must_suit(cls, user: User, role: str, room: Room) -> None:
        """Raise RoleNotAllowed unless `user` may be given `role` in `room`."""
        table = rules(room.mode)
        if role not in table.roles or (role == Role.ROBOT) != (user.kind == user.Kind.ROBOT):
            raise cls.RoleNotAllowed
        needed = table.reserved.get(Role(role))
        if needed and not user.is_at_least(needed):
            raise cls.RoleNotAllowed(f"Only site {needed.label.lower()}s and above can be {role}.")
        if role == Role.OWNER and user.site_role is None:
            raise cls.RoleNotAllowed("Guests cannot own a room.")


@cache
def _hidden(mode: str, role: str, in_open_sidebar: bool) -> tuple[str, ...]:
    hidden = {str(one) for one in hidden_from(mode, role)}
    return tuple(sorted(hidden | {Role.CUSTOMER.value} if in_open_sidebar else hidden))
