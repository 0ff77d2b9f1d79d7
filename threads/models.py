"""Side-bars: rooms beside a message of the room around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from accounts.models import AuditEntry, User
from messages.audience import Audience
from messages.models import Message
from messages.posting import Draft, Posted
from rooms.models import Participant, Room
from rooms.models.room import NAME_MAX
from rooms.modes import Mode
from threads import signals, wording

ACCESS = (Room.Visibility.OPEN, Room.Visibility.PRIVATE)


class SidebarQuerySet(models.QuerySet["Sidebar"]):
    def visible_to(self, user: User) -> SidebarQuerySet:
        """Those beside messages that `user` may see, of which they may see that they are there."""
        # Asked of each: SQLite would write down all that they may see to look it up there.
        anchor = Message.objects.visible_to(user).filter(pk=OuterRef("anchor"))
        return self.filter(Exists(anchor), room__in=Room.objects.sidebars_for(user).values("pk"))

    def within(self, room: Room) -> SidebarQuerySet:
        return self.filter(room__parent=room)


class SidebarManager(models.Manager.from_queryset(SidebarQuerySet)):  # type: ignore[misc]
    @transaction.atomic
    def open(
        self,
        anchor: Message,
        *,
        by: User,
        title: str = "",
        access: str = Room.Visibility.OPEN,
        invite: Iterable[User] = (),
    ) -> Sidebar:
        """A room beside a message: open to the people around it, or private to those invited.

        Raises NotFound, Forbidden, Room.Closed, Message.Deleted, Invalid (no place for one; by
        field), Participant.RoleNotAllowed (customers), Sidebar.TooMany, Room.Full.
        """
        parent = anchor.room.locked()
        _must_lead(parent.seat_of(by))
        parent.must_be_open()
        anchor.must_be_visible_to(by)
        anchor.refresh_from_db()
        anchor.room = parent
        _must_take_one(anchor)
        if self.within(parent).count() >= settings.CHAT_SIDEBARS_MAX:
            raise self.model.TooMany
        title = title.strip()
        if len(title) > NAME_MAX:
            raise Invalid(details={"title": [f"At most {NAME_MAX} characters."]})
        if access not in ACCESS:
            raise Invalid(details={"access": [f"Choose one of {', '.join(ACCESS)}."]})
        room = Room.objects.nest(parent, by=by, access=access, name=title, people=invite)
        sidebar: Sidebar = self.create(room=room, anchor=anchor)
        signals.changed.send(self.model, sidebar=sidebar)
        return sidebar


class Sidebar(models.Model):
    """Talk beside a message: the room it is held in, the message, and what came of it."""

    class TooMany(Conflict):
        code = "too_many_sidebars"
        message = "This room has as many side-bars as a room may have."

    class Concluded(Conflict):
        code = "sidebar_concluded"
        message = "This side-bar is concluded."

    room = models.OneToOneField(Room, models.CASCADE, primary_key=True, related_name="sidebar")
    anchor = models.ForeignKey(Message, models.CASCADE, related_name="sidebars")
    conclusion = models.ForeignKey(
        Message, models.SET_NULL, null=True, blank=True, related_name="concludes"
    )
    concluded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    concluded_at = models.DateTimeField(null=True, blank=True)

    objects = SidebarManager()

    def __str__(self) -> str:
        return f"side-bar {self.pk}"

    # Verbs

    def share(
        self,
        messages: Sequence[int],
        *,
        by: User,
        audience: str | None,
        to: Iterable[int] = (),
        body: str | None = None,
        client_id: UUID | None = None,
    ) -> Posted:
        """Say in the room around it what was said here: one message, or several as one.

        `body` None is what the messages say. Raises NotFound (by field, where one is not there
        for `by`), Invalid, and what `Message.share` does.
        """
        pks = list(dict.fromkeys(messages))
        if not 0 < len(pks) <= settings.CHAT_SHARED_AT_ONCE:
            most = settings.CHAT_SHARED_AT_ONCE
            raise Invalid(details={"messages": [f"Choose from one to {most} messages."]})
        self._must_be_led_by(by)
        visible = Message.objects.visible_to(by).filter(room=self.room_id, pk__in=pks)
        found = list(visible.select_related("author").order_by("pk"))
        if len(found) < len(pks):
            raise NotFound(details={"messages": ["There is no such message here."]})
        first, *others = [message.pk for message in found]
        (posted,) = Message.objects.post_all(
            [
                Draft(
                    room=self._parent_id,
                    author=by,
                    body=body,
                    audience=audience,
                    to=tuple(to),
                    shared_from=first,
                    shared_with=tuple(others),
                    digest=wording.digest(found) if others else None,
                    client_id=client_id,
                )
            ]
        )
        return posted

    @transaction.atomic
    def conclude(
        self,
        *,
        by: User,
        body: str = "",
        audience: str | None = None,
        to: Iterable[int] = (),
        client_id: UUID | None = None,
    ) -> Posted | None:
        """End it, and say in the room around it what came of it: in answer to its message.

        Nothing is said without `body`; in a support room it is for the staff where no audience is
        named. Said again with the same `client_id` it is replayed; so is its end without a word.
        Raises NotFound, Forbidden, Room.Closed, Sidebar.Concluded, and what posting does.
        """
        self._lock()
        self._must_be_led_by(by)
        if self.concluded_at and not self._is_concluded_by(by, body, client_id):
            raise self.Concluded
        posted = None
        if body.strip():
            draft = self._conclusion(by, body, audience, tuple(to), client_id)
            (posted,) = Message.objects.post_all([draft])
        if self.concluded_at:
            return posted
        self.room.must_be_open()
        self.conclusion = posted.message if posted else None
        self.concluded_by, self.concluded_at = by, timezone.now()
        self.save()
        self.room.end(by=by, at=self.concluded_at)
        AuditEntry.objects.record("sidebar.concluded", on=self.room, by=by)
        signals.changed.send(Sidebar, sidebar=self)
        return posted

    def take_up(self) -> None:
        """Its room is open again, and locked."""
        self.conclusion = self.concluded_by = self.concluded_at = None
        self.save()
        signals.changed.send(Sidebar, sidebar=self)

    # What the verbs are made of

    @property
    def _parent_id(self) -> int:
        assert self.room.parent_id is not None  # noqa: S101 - by how it is made
        return self.room.parent_id

    def _lock(self) -> None:
        """Both rooms, then this as it now is. Raises NotFound where they were purged."""
        rooms = Room.objects.lock([self._parent_id, self.room_id])
        if self.room_id not in rooms:
            raise NotFound
        self.refresh_from_db()
        self.room = rooms[self.room_id]
        self.room.parent = rooms[self._parent_id]

    def _must_be_led_by(self, user: User) -> None:
        """Raises NotFound, Forbidden."""
        _must_lead(Room.objects.seat_in(self.room_id, user))

    def _is_concluded_by(self, user: User, body: str, client_id: UUID | None) -> bool:
        """Whether they did so before, in the words of this `client_id`, or without any as now."""
        said = self.conclusion
        if said is None:
            return self.concluded_by_id == user.pk and not body.strip()
        return client_id is not None and (said.client_id, said.author_id) == (client_id, user.pk)

    def _conclusion(
        self, by: User, body: str, audience: str | None, to: tuple[int, ...], client_id: UUID | None
    ) -> Draft:
        """Where the message it is beside is not there for them any more, it answers nothing."""
        if audience is None and self.room.mode == Mode.SUPPORT:
            audience = Audience.STAFF
        anchors = Message.objects.visible_to(by).filter(pk=self.anchor_id, deleted_at__isnull=True)
        answered = self.anchor_id if anchors.exists() else None
        if self.conclusion and not self.conclusion.deleted_at:
            answered = self.conclusion.reply_to_id  # as it was when this was sent first
        return Draft(
            room=self._parent_id,
            author=by,
            body=body,
            audience=audience,
            to=to,
            reply_to=answered,
            client_id=client_id,
        )


def leads(seat: Participant) -> bool:
    """Who may open, share and conclude: staff in support rooms, who may write in team rooms."""
    return seat.is_staff if seat.room.mode == Mode.SUPPORT else seat.may_write


def _must_lead(seat: Participant) -> None:
    if not leads(seat):
        raise Forbidden("You may read here, but not open or conclude side-bars.")


def takes_one(message: Message) -> bool:
    """Whether a side-bar may be opened on it. `message.room` is at hand."""
    try:
        _must_take_one(message)
    except DomainError:
        return False
    return True


def _must_take_one(anchor: Message) -> None:
    """Raises Message.Deleted, Invalid."""
    if anchor.room.is_sidebar:
        raise Invalid("A side-bar has no side-bars of its own.")
    if anchor.deleted_at:
        raise Message.Deleted
    if anchor.kind == Message.Kind.SYSTEM:
        raise Invalid("Open a side-bar on what somebody said.")
    if anchor.audience == Audience.ONLY:
        raise Invalid("What was whispered has no side-bar: others would see that it was said.")
