"""A message as PROTOCOL has it: one dictionary, the same for every reader but for its quotes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from accounts.prepared import prepared
from accounts.times import iso
from messages.markdown import excerpt, render
from messages.models import Attachment, Message, Reaction

Encoded = dict[str, Any]
REACTING_SHOWN = 20


def encode_for(user: User, messages: QuerySet[Message] | Sequence[Message]) -> list[Encoded]:
    """Messages this user may see, each with those of its quotes that they may see.

    At most four queries, however many there are: of quotes, authors, files and reactions each only
    where there may be any.
    """
    rows = list(messages)
    originals = _originals_of(user, rows)
    at_hand = [row.reply_to for row in rows if _has_original(row) and row.reply_to]
    _meet([*rows, *originals.values(), *at_hand])
    typeset(rows)
    files, reactions = gather(rows)
    encoded = []
    for row in rows:
        reply_to, shared_from = row.reply_to_id in originals, row.shared_from_id in originals
        if reply_to and not _has_original(row):
            row.reply_to = originals[row.reply_to_id or 0]
        if shared_from and not Message.shared_from.is_cached(row):
            row.shared_from = originals[row.shared_from_id or 0]
        encoded.append(
            encode(
                row,
                files=files.get(row.pk, ()),
                reactions=reactions.get(row.pk, ()),
                reply_to=reply_to,
                shared_from=shared_from,
            )
        )
    return encoded


def _has_original(row: Message) -> bool:
    """Who has just posted it handed on this very row: what it answers must stay the whole of it, by
    which it is decided who may see that.
    """
    return Message.reply_to.is_cached(row)


def _originals_of(user: User, rows: Iterable[Message]) -> dict[int, Message]:
    """What these quote, as far as the user may see it, by id."""
    quoted = {pk for row in rows for pk in (row.reply_to_id, row.shared_from_id) if pk}
    return {row.pk: row for row in _quoted(user=user.pk, pks=quoted)} if quoted else {}


@prepared("user", "pks")
def _quoted(user: int, pks: Collection[int]) -> QuerySet[Message]:
    """With no more than a quote shows."""
    found: QuerySet[Message] = Message.objects.visible_to(User(pk=user)).filter(pk__in=pks)
    return found.only("room", "author", "body")


def meet(messages: Collection[Message]) -> None:
    """Have their authors at hand and what they quote, whoever may see it: for those who ask
    `Reader.sees` of that, too.
    """
    quoted = {pk for row in messages for pk in (row.reply_to_id, row.shared_from_id) if pk}
    originals = {row.pk: row for row in _originals(pks=quoted)} if quoted else {}
    _meet([*messages, *originals.values()])
    for row in messages:
        if row.reply_to_id:
            row.reply_to = originals.get(row.reply_to_id)
        if row.shared_from_id:
            row.shared_from = originals.get(row.shared_from_id)


@prepared("pks")
def _originals(pks: Collection[int]) -> QuerySet[Message]:
    found: QuerySet[Message] = Message.objects.filter(pk__in=pks)
    return found


def _meet(rows: Collection[Message]) -> None:
    """Have their authors at hand. A join would read one again for each message they said."""
    author = Message.author.field
    strangers = [row for row in rows if not author.is_cached(row)]
    authors = {row.author_id for row in strangers}
    known = {author.pk: author for author in _authors(pks=authors)} if authors else {}
    for row in strangers:
        # As setting it does, which looks at much that is as it should be, for each of hundreds.
        author.set_cached_value(row, known[row.author_id])


@prepared("pks")
def _authors(pks: Collection[int]) -> QuerySet[User]:
    """With what everybody who meets them may know."""
    return User.objects.filter(pk__in=pks).only("handle", "name", "kind", "avatar")


def typeset(messages: Iterable[Message]) -> None:
    """Make the HTML of those being written, which is not kept with each piece of their text."""
    for message in messages:
        if message.status == Message.Status.STREAMING:
            message.html = render(message.body).html


def gather(
    messages: Iterable[Message],
) -> tuple[Mapping[int, list[Attachment]], Mapping[int, list[Reaction]]]:
    """Attachments and reactions by message id."""
    rows = list(messages)
    with_files = [row.pk for row in rows if row.file_names]
    changed = [row.pk for row in rows if row.version > 1]  # as by any reaction
    files: dict[int, list[Attachment]] = defaultdict(list)
    reactions: dict[int, list[Reaction]] = defaultdict(list)
    for attachment in _attachments(pks=with_files) if with_files else ():
        files[attachment.message_id or 0].append(attachment)
    for reaction in _reactions(pks=changed) if changed else ():
        reactions[reaction.message_id].append(reaction)
    return files, reactions


@prepared("pks")
def _attachments(pks: Collection[int]) -> QuerySet[Attachment]:
    return Attachment.objects.filter(message__in=pks)


@prepared("pks")
def _reactions(pks: Collection[int]) -> QuerySet[Reaction]:
    return Reaction.objects.filter(message__in=pks)


def encode(
    message: Message,
    *,
    files: Iterable[Attachment] = (),
    reactions: Iterable[Reaction] = (),
    reply_to: bool = False,
    shared_from: bool = False,
) -> Encoded:
    """`reply_to` and `shared_from`: whether the reader may see the original."""
    return {
        "id": message.pk,
        "version": message.version,
        "room": message.room_id,
        "kind": message.kind,
        "status": message.status,
        "author": {**message.author.public(), "role": message.author_role or None},
        "audience": message.audience,
        "to": message.to,
        "body": message.body,
        "html": message.html,
        "data": message.data,
        "reply_to": quote(message.reply_to) if reply_to else None,
        "shared_from": _origin(message.shared_from) if shared_from else None,
        "attachments": [encode_attachment(attachment) for attachment in files],
        "reactions": _count(reactions),
        "created_at": iso(message.created_at),
        "edited_at": iso(message.edited_at),
        "deleted_at": iso(message.deleted_at),
    }


def encode_attachment(attachment: Attachment) -> Encoded:
    return {
        "id": attachment.pk,
        "name": attachment.name,
        "type": attachment.type,
        "size": attachment.size,
        "url": attachment.url,
        "thumbnail": attachment.thumbnail_url,
        "width": attachment.width,
        "height": attachment.height,
    }


def quote(original: Message | None) -> Encoded | None:
    """What stands above a reply to it."""
    if original is None:
        return None
    return {
        "id": original.pk,
        "author": original.author.public(),
        "excerpt": excerpt(original.body),
    }


def _origin(original: Message | None) -> Encoded | None:
    if original is None:
        return None
    return {
        "author": original.author.public(),
        "message": original.pk,
        "room": original.room_id,
    }


def _count(reactions: Iterable[Reaction]) -> list[Encoded]:
    users: dict[str, list[int]] = defaultdict(list)
    for reaction in reactions:
        users[reaction.emoji].append(reaction.user_id)
    return [
        {"emoji": emoji, "count": len(ids), "users": ids[:REACTING_SHOWN]}
        for emoji, ids in users.items()
    ]
