from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.emoji import checked_emoji
from accounts.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.models import AuditEntry, User
from accounts.prepared import prepared, reread
from accounts.rows import QuickRows
from messages import audience, cards, signals
from messages.body import compose
from messages.fields import QuickJSONField
from messages.models.attachment import Attachment
from messages.models.parts import EarlierText, Mention
from rooms.models import Participant, Room
from rooms.modes import Role

if TYPE_CHECKING:
    from messages.posting import Draft, Posted

QUOTES_AT_ONCE = 200
CALLS = frozenset({"here", "everyone"})
"""Handles that call many at once: for members of the site alone."""


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: User) -> MessageQuerySet:
        """What `user` may see: the one query that decides."""
        return self.filter(audience.visible_to(user))

    def of_seat(self, user: User) -> MessageQuerySet:
        """Within a question about seats of `user`: what they may see in the room of each."""
        return audience.of_seat(self, user)

    def since(self, revision: int) -> MessageQuerySet:
        """The feed: what is new, changed or deleted after a revision, in the order of changes."""
        return self.filter(revision__gt=revision).order_by("revision")

    def counting_for(self, user: User) -> MessageQuerySet:
        """Of what they may see, which is not decided here: not theirs, not deleted; notes of the
        system do not count.
        """
        found = self.filter(deleted_at__isnull=True)
        return found.exclude(author=user).exclude(kind=Message.Kind.SYSTEM)

    def unread_by(self, user: User, *, after: int) -> MessageQuerySet:
        """What they may see and is news for them, after what they read."""
        return self.visible_to(user).counting_for(user).filter(pk__gt=after)

    def naming(
        self, user: User, *, room: models.OuterRef, after: models.OuterRef
    ) -> MessageQuerySet:
        """Those of a room, after one, that mention `user` by name. Only these are looked at."""
        named = Mention.objects.filter(user=user, room=room, message__gt=after)
        return self.filter(pk__in=named.values("message"))

    def calling_everyone(self, *, besides: User) -> MessageQuerySet:
        """Those that mention everyone, without naming `besides` as well."""
        named = Mention.objects.filter(user=besides, message=models.OuterRef("pk"))
        return self.filter(~models.Exists(named), mentions_everyone=True)

    def with_people(self) -> MessageQuerySet:
        """With all that encoding reads from other rows by a join."""
        return self.select_related("author", "reply_to__author", "shared_from__author")


class MessageManager(models.Manager.from_queryset(MessageQuerySet)):  # type: ignore[misc]
    instance: Room

    def post(
        self,
        body: str,
        *,
        by: User,
        audience: str | None = None,
        to: Iterable[User] = (),
        reply_to: Message | None = None,
        attachments: Iterable[Attachment] = (),
        client_id: UUID | None = None,
    ) -> Message:
        """Say something in this room. See `post_all` for what is raised."""
        from messages.posting import Draft

        draft = Draft(
            room=self.instance.pk,
            author=by,
            body=body,
            audience=audience,
            to=tuple(user.pk for user in to),
            reply_to=reply_to.pk if reply_to else None,
            attachments=tuple(attachment.pk for attachment in attachments),
            client_id=client_id,
        )
        (posted,) = self.post_all([draft])
        return posted.message

    def post_all(self, drafts: Sequence[Draft]) -> list[Posted]:
        """Make messages of many drafts, of any rooms, in one transaction: all of them or none.

        Raises NotFound (room, quoted or shared message, attachment: not there for the author),
        Message.IdempotencyConflict, Room.Closed, Forbidden, Invalid, in that order.
        """
        from messages.posting import post_all

        return post_all(drafts)


class Message(QuickRows):
    """Something said in a room. Its audience never changes."""

    class Kind(models.TextChoices):
        TEXT = "text"
        SYSTEM = "system"
        CARD = "card"

    class Status(models.TextChoices):
        COMPLETE = "complete"
        STREAMING = "streaming"
        STOPPED = "stopped"
        FAILED = "failed"

    class IdempotencyConflict(Conflict):
        code = "idempotency_conflict"
        message = "This client_id was used for another message already."

    class Stale(Conflict):
        code = "stale"
        message = "This has changed meanwhile. Look at it again."

    class Deleted(Conflict):
        code = "message_deleted"
        message = "This message was deleted."

    room = models.ForeignKey("rooms.Room", models.CASCADE, related_name="messages", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    author_role = models.CharField(max_length=16, choices=Role.choices, blank=True)
    client_id = models.UUIDField(null=True, blank=True, editable=False)
    request_hash = models.CharField(max_length=64, blank=True, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.TEXT)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.COMPLETE)
    attempt = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text="At writing it bit by bit: what comes of an earlier one is void.",
    )
    audience = models.CharField(max_length=8, choices=audience.Audience.choices)
    to = QuickJSONField(default=list, blank=True, help_text="Ids of those an “only” is for.")
    body = models.TextField(blank=True)
    html = models.TextField(blank=True, editable=False)
    file_names = models.TextField(
        blank=True, editable=False, help_text="Of what is attached: found by them, a line each."
    )
    data = QuickJSONField(default=dict, blank=True)
    reply_to = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="replies"
    )
    shared_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="shares"
    )
    mentions_everyone = models.BooleanField(default=False)
    revision = models.BigIntegerField(editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = MessageManager()
    attached: list[Attachment]
    """The files it was just posted with."""
    shared_with: Sequence[Message] = ()
    """What it was just posted to say again, besides `shared_from`."""
    named: frozenset[str] = frozenset()
    """The handles in what was just posted or finished, but for those that call many at once."""
    mentioned: frozenset[int] = frozenset()
    """The users of its room that it was just posted or finished to mention, each by name, or by
    a call to who is here.
    """
    as_told: bytes | None = None
    """As JSON, what it was just posted as, for who is shown none of its quotes: kept by who first
    tells of it.
    """
    mentions_here = False
    """Whether it was just posted with a call to who is here: heard by who knows who that is."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["client_id", "room", "author"],
                condition=Q(client_id__isnull=False),
                name="one_message_a_client_id",
            ),
            models.UniqueConstraint(fields=["room", "revision"], name="one_message_a_revision"),
        ]
        indexes: ClassVar = [
            # With what is asked of each message that may be unread, which no row is read for then.
            models.Index(
                fields=["room", "id", "author", "audience", "kind", "deleted_at"],
                name="messages_of_a_room",
            ),
            models.Index(
                fields=["room", "id"],
                condition=Q(mentions_everyone=True),
                name="messages_to_everyone",
            ),
            models.Index(fields=["created_at"]),
            models.Index(
                fields=["room"], condition=Q(status="streaming"), name="messages_being_written"
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"

    def counts_for(self, user: int) -> bool:
        """Whether it is unread for them until they read it: the mirror of `counting_for`, for what
        they may see.
        """
        return self.author_id != user and self.deleted_at is None and self.kind != self.Kind.SYSTEM

    # Verbs

    @transaction.atomic
    def edit(self, body: str, *, by: User) -> None:
        """Say it differently. Keeps the earlier text for staff; summons and notifies nobody.

        Raises NotFound, Message.Deleted, Room.Closed, Forbidden, Invalid.
        """
        rendered = compose(body)
        self._lock_for(by).must_be_open()
        if self.deleted_at:
            raise self.Deleted
        if not self.editable_by(by):
            raise Forbidden("Only one's own messages can be edited, and only for a while.")
        if not self.room.seat_of(by).may_write:
            raise Forbidden("You may read here, but not write.")
        if body == self.body:
            return
        EarlierText.objects.create(message=self, body=self.body)
        self.body, self.html, self.edited_at = body, rendered.html, timezone.now()
        self._change("body", "html", "edited_at", quoted=True)

    @transaction.atomic
    def remove(self, *, by: User) -> None:
        """Leave a tombstone in its place. Removing it again changes nothing.

        Raises NotFound, Room.Archived, Forbidden.
        """
        room = self._lock_for(by)
        if self.deleted_at:
            return
        if room.state == Room.State.ARCHIVED:
            raise Room.Archived
        if not self.removable_by(by):
            raise Forbidden("Only one's own messages can be deleted, or by who manages the room.")
        self.body, self.html, self.file_names, self.data = "", "", "", {}
        self.reply_to = self.shared_from = None
        self.mentions_everyone = False
        if self.status == self.Status.STREAMING:
            self.status = self.Status.STOPPED
        self.deleted_at, self.deleted_by = timezone.now(), by
        Attachment.discard(list(self.attachments.all()))
        for rows in (self.mentions, self.reactions, self.earlier_texts):
            rows.all().delete()
        if by != self.author:
            AuditEntry.objects.record("message.deleted", on=self, by=by)
        self._change(
            *("body", "html", "file_names", "data", "reply_to", "shared_from"),
            *("mentions_everyone", "status", "deleted_at", "deleted_by"),
            quoted=True,
        )

    @transaction.atomic
    def react(self, emoji: str, *, by: User) -> None:
        """Raises NotFound, Message.Deleted, Room.Closed, Forbidden, Invalid."""
        self._must_take_reactions(by)
        emoji = checked_emoji(emoji)
        kinds = set(self.reactions.values_list("emoji", flat=True))
        if emoji not in kinds and len(kinds) >= settings.CHAT_REACTION_KINDS_MAX:
            raise Invalid("This message has as many different reactions as it can take.")
        _, added = self.reactions.get_or_create(user=by, emoji=emoji)
        if added:
            self._change()

    @transaction.atomic
    def unreact(self, emoji: str, *, by: User) -> None:
        """Raises NotFound, Message.Deleted, Room.Closed, Forbidden, Invalid."""
        self._must_take_reactions(by)
        removed, _ = self.reactions.filter(user=by, emoji=checked_emoji(emoji)).delete()
        if removed:
            self._change()

    def share(
        self,
        *,
        by: User,
        audience: str,
        room: Room | None = None,
        to: Sequence[int] = (),
        body: str | None = None,
        client_id: UUID | None = None,
    ) -> Posted:
        """Say it again to others: a new message by `by`, with what they changed.

        `body` None is the original's. Raises what `post_all` raises, and Message.Deleted.
        """
        from messages.posting import Draft

        draft = Draft(
            room=room.pk if room else self.room_id,
            author=by,
            body=body,
            audience=audience,
            to=tuple(to),
            shared_from=self.pk,
            client_id=client_id,
        )
        (posted,) = Message.objects.post_all([draft])
        return posted

    @transaction.atomic
    def act(self, action: str, *, version: int, data: dict[str, Any], by: User) -> None:
        """Do what a card offers. Raises NotFound, Message.Stale, Forbidden, cards.Unavailable."""
        self._lock_for(by)
        if self.version != version:
            raise self.Stale
        if not self.room.seat_of(by).may_write:
            raise Forbidden("You may read here, but not act.")
        cards.run(self, action, data, by=by)

    @transaction.atomic
    def update_card(self, data: dict[str, Any]) -> None:
        """Show a card as things now stand."""
        self._reload_locked()
        self.data = data
        self._change("data")

    @transaction.atomic
    def begin_again(self, body: str, data: dict[str, Any], *, attempt: int) -> None:
        """Be written once more, from `body` on. Raises Message.Deleted, Room.Closed."""
        self._reload_locked().must_be_open()
        if self.deleted_at:
            raise self.Deleted
        self.attempt = attempt
        self.status, self.body, self.data = self.Status.STREAMING, body, data
        self.html = compose(body, blank=True).html
        self.mentions.all().delete()
        self._change("attempt", "status", "body", "html", "data", quoted=True)

    @transaction.atomic
    def finish(self, body: str, data: dict[str, Any], *, status: str = Status.COMPLETE) -> None:
        """Be written to its end, or as far as it came. Calls whom it names.

        What has ended already, or was deleted, stays as it is.
        """
        rendered = compose(body, blank=True)
        self._reload_locked()
        if self.status != self.Status.STREAMING:
            return
        self.status, self.body, self.html, self.data = status, body, rendered.html, data
        self.named = rendered.mentions - CALLS
        Mention.objects.note([self])
        self._change("status", "body", "html", "data", quoted=True)
        signals.finished.send(Message, message=self)

    @transaction.atomic
    def mark_read(self, *, by: User) -> None:
        """Have read up to here; never back. Raises NotFound."""
        seat = self._seat_of_reader(by)
        if Participant.objects.filter(pk=seat.pk, last_read__lt=self.pk).update(last_read=self.pk):
            self._tell_read(seat, self.pk)

    @transaction.atomic
    def mark_unread(self, *, by: User) -> None:
        """Be unread from here on. Raises NotFound."""
        seat = self._seat_of_reader(by)
        Participant.objects.filter(pk=seat.pk).update(last_read=self.pk - 1)
        self._tell_read(seat, self.pk - 1)

    # Questions

    def editable_by(self, user: User) -> bool:
        return (
            self.author_id == user.pk
            and self.kind == self.Kind.TEXT
            and self.status == self.Status.COMPLETE
            and self.author_role not in (Role.CUSTOMER, Role.ROBOT)
            and not self.deleted_at
            and timezone.now() - self.created_at < settings.CHAT_EDIT_WINDOW
        )

    def removable_by(self, user: User) -> bool:
        if self.kind != self.Kind.TEXT or self.deleted_at:
            return False
        return self.author_id == user.pk or self.room.managed_by(user)

    # What the verbs are made of

    def must_be_visible_to(self, user: User) -> None:
        if not Message.objects.visible_to(user).filter(pk=self.pk).exists():
            raise NotFound

    def _lock_for(self, user: User) -> Room:
        """Lock the room, then read this message as it now is. Raises NotFound."""
        room = self.room.locked()
        self.must_be_visible_to(user)
        return self._reload(room)

    def _reload_locked(self) -> Room:
        """Lock the room, then read this message as it now is."""
        return self._reload(self.room.locked())

    def _reload(self, room: Room) -> Room:
        reread(self, _as_it_is(pk=self.pk))
        self.room = room
        return room

    def _must_take_reactions(self, by: User) -> None:
        self._lock_for(by).must_be_open()
        if self.deleted_at:
            raise self.Deleted
        if not self.room.seat_of(by).may_write:
            raise Forbidden("You may read here, but not react.")

    def _seat_of_reader(self, user: User) -> Participant:
        self.must_be_visible_to(user)
        return self.room.seat_of(user)

    def _tell_read(self, seat: Participant, upto: int) -> None:
        """Tell it; to others by a message that everyone may see, and only where that is another:
        or it would give away that there is more. In crowded rooms others are told nothing.
        """
        shown = self._newest_for_everyone(upto)
        known = self._newest_for_everyone(seat.last_read)
        others_learn = shown if shown != known and not self.room.is_crowded else None
        signals.read.send(Message, participant=seat, message=upto, shown=others_learn)

    def _newest_for_everyone(self, upto: int) -> int | None:
        newest: int | None = (
            Message.objects.filter(room=self.room_id, pk__lte=upto)
            .filter(audience=audience.Audience.EVERYONE)
            .order_by("-pk")
            .values_list("pk", flat=True)
            .first()
        )
        return newest

    def _change(self, *fields: str, quoted: bool = False) -> None:
        """Save as the room's next revision; where what quotes of it show changes, theirs too."""
        room = self.room
        room.revision += 1
        self.revision, self.version = room.revision, self.version + 1
        self.save(update_fields=["revision", "version", *fields])
        touched = [self.pk, *(self._touch_quotes() if quoted else [])]
        room.save(update_fields=["revision"])
        messages = _with_people(pks=touched)
        for message in messages:
            message.room = room
        rewritten = self.pk if "body" in fields else None
        signals.changed.send(Message, messages=messages, rewritten=rewritten)

    def _touch_quotes(self) -> list[int]:
        """A revision and version of its own for each message that quotes this one."""
        quotes = _quotes(pk=self.pk)
        for start in range(0, len(quotes), QUOTES_AT_ONCE):
            some = quotes[start : start + QUOTES_AT_ONCE]
            next_revisions = enumerate(some, start=self.room.revision + 1)
            ranks = [models.When(pk=pk, then=revision) for revision, pk in next_revisions]
            Message.objects.filter(pk__in=some).update(
                revision=models.Case(*ranks), version=models.F("version") + 1
            )
            self.room.revision += len(some)
        return quotes


@prepared("pk")
def _as_it_is(pk: int) -> MessageQuerySet:
    """With what it quotes: who wrote that is told of what is finished."""
    found: MessageQuerySet = Message.objects.filter(pk=pk)
    return found.select_related("reply_to")


@prepared("pks")
def _with_people(pks: Collection[int]) -> MessageQuerySet:
    found: MessageQuerySet = Message.objects.filter(pk__in=pks)
    return found.with_people().order_by("revision")


@prepared("pk")
def _quotes(pk: int) -> models.QuerySet[Message, int]:
    quotes: MessageQuerySet = Message.objects.filter(reply_to=pk, deleted_at__isnull=True)
    return quotes.order_by("pk").values_list("pk", flat=True)
