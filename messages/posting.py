"""How messages are made: many drafts of many rooms, in one transaction, under their rooms' locks.

The order of the questions is part of the contract: membership, replay, then state, permission
and limits. Each step asks the database once for the whole batch.
"""

from __future__ import annotations

import hmac
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.models import AuditEntry, User
from accounts.prepared import prepared
from messages import audience, signals
from messages.body import compose, plain
from messages.inserting import insert
from messages.markdown import Rendered
from messages.models import Attachment, Mention, Message
from messages.models.attachment import must_be_few
from messages.models.message import CALLS
from rooms.models import Participant, Room
from rooms.modes import Mode, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wants to say, by ids. `body` None takes that of the shared message."""

    room: int
    author: User
    body: str | None
    audience: str | None = None
    to: tuple[int, ...] = ()
    reply_to: int | None = None
    attachments: tuple[int, ...] = ()
    client_id: UUID | None = None
    shared_from: int | None = None
    shared_with: tuple[int, ...] = ()
    """Further messages that are said again in this one, with their files."""
    digest: str | None = None
    """What all of them say, where `body` is None. Who sends it again need not say the same."""
    kind: str = Message.Kind.TEXT
    attempt: int = 0
    """From 1 on: a message that is written bit by bit begins, and may still be empty."""
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def request_hash(self) -> str:
        """Of the request as it was sent: what a repeated `client_id` must repeat."""
        sent = [
            self.body,
            self.audience,
            sorted(self.to),
            self.reply_to,
            self.attachments,
            self.shared_from,
            self.shared_with,
        ]
        return hmac.digest(_hash_key(settings.SECRET_KEY), orjson.dumps(sent), "sha256").hex()

    @property
    def shared(self) -> tuple[int, ...]:
        """All that it says again."""
        return () if self.shared_from is None else (self.shared_from, *self.shared_with)

    @property
    def is_note(self) -> bool:
        """By the system, which needs no seat."""
        return self.kind != Message.Kind.TEXT

    @property
    def is_begun(self) -> bool:
        return self.attempt > 0

    @property
    def key(self) -> tuple[UUID | None, int, int]:
        return self.client_id, self.room, self.author.pk


@cache
def _hash_key(secret: str) -> bytes:
    """Who reads the table shall not learn what a deleted message said by guessing it."""
    return hmac.digest(secret.encode(), b"chat.posting", "sha256")


class Posted(NamedTuple):
    message: Message
    replayed: bool


def post_all(drafts: Sequence[Draft], *, held: Iterable[Room] = ()) -> list[Posted]:
    """See `Message.objects.post_all`. `held` are rooms this transaction has locked already."""
    rendered = [_rendered(draft) for draft in drafts]
    with transaction.atomic():
        return Batch(drafts, rendered, {room.pk: room for room in held}).post()


def _rendered(draft: Draft) -> Rendered | None:
    if draft.body is None:
        return None
    if draft.is_note:
        return plain(draft.body)
    must_be_few(len(draft.attachments))
    return compose(draft.body, blank=bool(draft.attachments) or draft.is_begun)


class Batch:
    """The drafts of one transaction and what is known about them, read under the locks."""

    def __init__(
        self,
        drafts: Sequence[Draft],
        rendered: Sequence[Rendered | None],
        held: dict[int, Room],
    ) -> None:
        self.drafts = drafts
        self.rendered = rendered
        self.now = timezone.now()
        self.rooms = held or Room.objects.lock(self._room_ids())
        self.quoted = self._read_quoted()
        self.seats = self._read_seats()
        self.posted = self._read_replays()
        self.files = self._read_files()

    def post(self) -> list[Posted]:
        new: list[Message] = []
        results: list[Posted] = []
        for draft, rendered in zip(self.drafts, self.rendered, strict=True):
            seat = self._seat(draft)
            earlier = self.posted.get(draft.key) if draft.client_id else None
            if earlier is not None:
                if seat and earlier.pk and not audience.Reader.of(seat).sees(earlier):
                    raise NotFound  # a note, by who is not of the staff any more
                if earlier.request_hash != draft.request_hash:
                    raise Message.IdempotencyConflict
                results.append(Posted(earlier, replayed=True))
                continue
            message = self._make(draft, seat, rendered)
            new.append(message)
            results.append(Posted(message, replayed=False))
            if draft.client_id:
                self.posted[draft.key] = message
        if new:
            self._write(new)
        return results

    # What is read, a query each (and one more for each open side-bar that somebody comes to)

    def _room_ids(self) -> set[int]:
        """Of the drafts, and of what they share: all locks are taken at once."""
        rooms = {draft.room for draft in self.drafts}
        shared = [pk for draft in self.drafts for pk in draft.shared]
        if shared:
            rooms.update(Message.objects.filter(pk__in=shared).values_list("room", flat=True))
        return rooms

    def _read_seats(self) -> dict[tuple[int, int], Participant]:
        """Of the authors and of all whom a message may name: chosen, or taken from the original."""
        people = {draft.author.pk for draft in self.drafts if not draft.is_note}
        people.update(user for draft in self.drafts for user in draft.to)
        for original in self.quoted.values():
            people.update(original.to, [original.author_id] if original.to else ())
        rows = _seats(self.rooms, people) if people else []
        seats = {(seat.room_id, seat.user_id): seat for seat in rows}
        self._seat_who_comes_by(seats)
        self.present: dict[int, set[int]] = defaultdict(set)
        """Of those, by room."""
        for seat in seats.values():
            seat.room = self.rooms[seat.room_id]
            self.present[seat.room_id].add(seat.user_id)
        return seats

    def _seat_who_comes_by(self, seats: dict[tuple[int, int], Participant]) -> None:
        """Whoever says something in an open side-bar, or is meant there, is in it from then on."""
        for room in self.rooms.values():
            if room.is_open_sidebar:
                here = [draft for draft in self.drafts if draft.room == room.pk]
                wanted = {draft.author.pk for draft in here if not draft.is_note}
                wanted.update(user for draft in here for user in draft.to)
                absent = {user for user in wanted if (room.pk, user) not in seats}
                for user, seat in room.seat_around(absent).items() if absent else ():
                    seats[room.pk, user] = seat

    def _read_replays(self) -> dict[tuple[UUID | None, int, int], Message]:
        ids = {draft.client_id for draft in self.drafts if draft.client_id}
        known = _known(ids) if ids else ()
        rows = Message.objects.filter(pk__in=known).with_people() if known else ()
        return {(m.client_id, m.room_id, m.author_id): m for m in rows}

    def _read_quoted(self) -> dict[int, Message]:
        ids = {pk for draft in self.drafts for pk in (draft.reply_to, *draft.shared) if pk}
        if not ids:
            return {}
        rows = Message.objects.filter(pk__in=ids).select_related("author", "room")
        if any(draft.shared for draft in self.drafts):
            rows = rows.prefetch_related("attachments")
        return {message.pk: message for message in rows}

    def _read_files(self) -> dict[int, Attachment]:
        ids = {pk for draft in self.drafts for pk in draft.attachments}
        if not ids:
            return {}
        free = Attachment.objects.filter(pk__in=ids, message__isnull=True).order_by("pk")
        # Locked, or they might be swept before they are written to.
        return {attachment.pk: attachment for attachment in free.select_for_update()}

    # What is asked of each draft

    def _seat(self, draft: Draft) -> Participant | None:
        if draft.is_note:
            return None
        try:
            return self.seats[draft.room, draft.author.pk]
        except KeyError:
            raise NotFound("There is no such room.") from None

    def _make(self, draft: Draft, seat: Participant | None, rendered: Rendered | None) -> Message:
        """The message, unsaved but for its numbers."""
        sources = [self._source(pk, draft.author) for pk in draft.shared]
        source = sources[0] if sources else None
        original = self._original(draft, seat)
        chosen, to = str(draft.audience), list(draft.to)
        if seat is not None:
            self._must_be_open(seat, draft)
            chosen, to = audience.choose(
                seat, draft.audience, draft.to, reply_to=original, present=self.present[draft.room]
            )
        body = draft.body
        if body is None:
            body = draft.digest or (source.body if source else "")
            rendered = None
        rendered = rendered or compose(body, blank=True)
        message = Message(
            room=self.rooms[draft.room],
            author=draft.author,
            author_role=seat.role if seat else "",
            client_id=draft.client_id,
            request_hash=draft.request_hash if draft.client_id else "",
            kind=draft.kind,
            status=Message.Status.STREAMING if draft.is_begun else Message.Status.COMPLETE,
            attempt=draft.attempt,
            audience=chosen,
            to=to,
            body=body,
            html=rendered.html,
            data=draft.data,
            reply_to=original,
            shared_from=source,
            created_at=self.now,
        )
        message.attached = self._attach(draft, message, sources)
        message.file_names = "\n".join(file.name for file in message.attached)
        message.shared_with = sources[1:]
        if not (body.strip() or message.attached or draft.is_note or draft.is_begun):
            raise Invalid(details={"body": ["Write something first."]})
        calls = rendered.mentions & CALLS
        if calls and draft.author.site_role is not None:
            message.mentions_everyone = "everyone" in calls
            message.mentions_here = "here" in calls
        message.named = rendered.mentions - CALLS
        return message

    def _must_be_open(self, seat: Participant, draft: Draft) -> None:
        room = seat.room
        if room.is_open:
            return
        if room.mode == Mode.SUPPORT and seat.role == Role.CUSTOMER:
            self._lock_sidebars(room)
            room.resume(by=draft.author)
        room.must_be_open()

    def _lock_sidebars(self, room: Room) -> None:
        """Its side-bars are opened with it. Locks are taken by id, and here others may have been
        taken that come later: so these are had at once, or not, and the batch is tried again.
        """
        if len(self.rooms) > 1:
            locking = Room.objects.select_for_update(no_key=True, nowait=True)
            list(locking.filter(parent=room).order_by("pk"))

    def _original(self, draft: Draft, seat: Participant | None) -> Message | None:
        """The message replied to: one of this room that the author may see."""
        if draft.reply_to is None:
            return None
        original = self.quoted.get(draft.reply_to)
        if original is None or original.room_id != draft.room or original.deleted_at:
            raise _absent("reply_to")
        if seat is not None and not audience.Reader.of(seat).sees(original):
            raise _absent("reply_to")
        return original

    def _source(self, pk: int, author: User) -> Message:
        """A message shared, which its sharer must see."""
        source = self.quoted.get(pk)
        if source is None:
            raise _absent("message")
        seat = self.seats.get((source.room_id, author.pk))
        if seat is None or not audience.Reader.of(seat).sees(source):
            raise NotFound
        if source.deleted_at:
            raise Message.Deleted
        if author.site_role is None:
            raise Forbidden("Guests cannot share messages.")
        if source.kind != Message.Kind.TEXT:
            raise Invalid("Only what somebody wrote can be shared.")
        if source.status == Message.Status.STREAMING:
            raise Conflict("This is still being written. Share it when it is done.")
        return source

    def _attach(
        self, draft: Draft, message: Message, sources: Sequence[Message]
    ) -> list[Attachment]:
        if sources:
            files = [file for source in sources for file in source.attachments.all()]
            must_be_few(len(files))
            return [file.copy_to(message) for file in files]
        attached = []
        for pk in draft.attachments:
            attachment = self.files.pop(pk, None)
            if attachment is None or attachment.uploader_id != draft.author.pk:
                raise _absent("attachments")
            if attachment.room_id != draft.room:
                raise _absent("attachments")
            attached.append(attachment)
        return attached

    # What is written, a statement each

    def _write(self, new: list[Message]) -> None:
        long = [message.room for message in new if self._number(message)]
        insert(new)
        for message in new:
            message.room.newest = message.pk
        _advance({message.room for message in new})
        self._write_attachments(new)
        Mention.objects.note(new)
        _audit_shares(new)
        signals.posted.send(Message, messages=new)
        for room in long:
            _warn(room)

    def _number(self, message: Message) -> bool:
        """Give it the room's next revision. True where the room has just grown too long."""
        room = message.room
        room.revision += 1
        room.message_count += 1
        message.revision = room.revision
        return bool(room.message_count == settings.CHAT_ROOM_MESSAGES_WARN)

    def _write_attachments(self, new: Iterable[Message]) -> None:
        uploaded: list[Attachment] = []
        copies: list[Attachment] = []
        for message in new:
            for position, attached in enumerate(message.attached):
                attached.message, attached.position = message, position
                (uploaded if attached.pk else copies).append(attached)
        Attachment.objects.bulk_update(uploaded, ["message", "position"])
        Attachment.objects.bulk_create(copies)


@prepared("rooms", "people")
def _seats(rooms: Collection[int], people: Collection[int]) -> QuerySet[Participant]:
    return Participant.objects.filter(room__in=rooms, user__in=people)


@prepared("ids")
def _known(ids: Collection[UUID]) -> QuerySet[Message, int]:
    known: QuerySet[Message] = Message.objects.filter(client_id__in=ids)
    return known.values_list("pk", flat=True)


def _audit_shares(new: Iterable[Message]) -> None:
    """Sharing lets others see what they could not."""
    entries = []
    for message in new:
        shown = {"audience": message.audience, "to": message.to, "room": message.room_id}
        sources = [message.shared_from] if message.shared_from else []
        for original in [*sources, *message.shared_with]:
            source = {"message": original.pk, "room": original.room_id}
            entries.append(
                AuditEntry.objects.entry(
                    "message.shared", on=message, by=message.author, before=source, after=shown
                )
            )
    AuditEntry.objects.bulk_create(entries)


def _warn(room: Room) -> None:
    """Tell a room, once, that it has grown longer than rooms should."""
    note = f"This room has {room.message_count} messages now. Consider going on in a new one."
    everyone = room.mode == Mode.TEAM
    to = audience.Audience.EVERYONE if everyone else audience.Audience.STAFF
    post_note(room, note, {"event": "long"}, audience=to)


def post_note(
    room: Room, body: str, data: dict[str, Any], *, audience: str, to: Iterable[int] = ()
) -> Message:
    """Have the system say something (a card, where `data.card` names one) in this locked room."""
    kind = Message.Kind.CARD if "card" in data else Message.Kind.SYSTEM
    draft = Draft(
        room=room.pk,
        author=User.objects.system(),
        body=body,
        audience=audience,
        to=tuple(sorted(to)),
        kind=kind,
        data=data,
    )
    (posted,) = post_all([draft], held=[room])
    return posted.message


def _absent(name: str) -> NotFound:
    return NotFound(details={name: ["There is no such thing here."]})


def _advance(rooms: Iterable[Room]) -> None:
    """Write where these locked rooms now stand, in one statement of constant text."""
    rows = [[room.pk, room.revision, room.newest, room.message_count] for room in rooms]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                ADVANCE.format(rows=POSTGRESQL_ROWS), [list(c) for c in zip(*rows, strict=True)]
            )
        else:
            cursor.execute(ADVANCE.format(rows=SQLITE_ROWS), [json.dumps(rows)])


ADVANCE = """
UPDATE rooms_room SET revision = v.revision, newest = v.newest, message_count = v.count
FROM ({rows}) AS v WHERE rooms_room.id = v.id
"""
POSTGRESQL_ROWS = """
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS r(id, revision, newest, count)
"""
SQLITE_ROWS = """
SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS revision,
    json_extract(value, '$[2]') AS newest, json_extract(value, '$[3]') AS count
FROM json_each(%s)
"""
