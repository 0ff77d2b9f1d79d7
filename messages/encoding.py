"""A message as PROTOCOL has it: one dictionary, the same for every reader but for its quotes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from accounts.times import iso
from messages.markdown import excerpt, render
from messages.models import Attachment, Message, Reaction

if TYPE_CHECKING:
    from accounts.models import User

Encoded = dict[str, Any]
REACTING_SHOWN = 20


def encode_for(user: User, messages: QuerySet[Message] | Sequence[Message]) -> list[Encoded]:
    """Messages this user may see, each with those of its quotes that they may see."""
    rows = list(messages)
    quoted = {pk for row in rows for pk in (row.reply_to_id, row.shared_from_id) if pk}
    seen: set[int] = set()
    if quoted:
        visible = Message.objects.visible_to(user).filter(pk__in=quoted)
        seen = set(visible.values_list("pk", flat=True))
    return encode_all(rows, seen=seen)


def encode_all(messages: Sequence[Message], *, seen: Collection[int]) -> list[Encoded]:
    """With the quotes whose originals are among `seen`. Two queries, however many there are."""
    typeset(messages)
    files, reactions = gather(messages)
    return [
        encode(
            message,
            files=files.get(message.pk, ()),
            reactions=reactions.get(message.pk, ()),
            reply_to=message.reply_to_id in seen,
            shared_from=message.shared_from_id in seen,
        )
        for message in messages
    ]


def typeset(messages: Iterable[Message]) -> None:
    """Make the HTML of those being written, which is not kept with each piece of their text."""
    for message in messages:
        if message.status == Message.Status.STREAMING:
            message.html = render(message.body).html


def gather(
    messages: Iterable[Message],
) -> tuple[Mapping[int, list[Attachment]], Mapping[int, list[Reaction]]]:
    """Attachments and reactions by message id."""
    ids = [message.pk for message in messages]
    files: dict[int, list[Attachment]] = defaultdict(list)
    reactions: dict[int, list[Reaction]] = defaultdict(list)
    if ids:
        for attachment in Attachment.objects.filter(message__in=ids):
            files[attachment.message_id or 0].append(attachment)
        for reaction in Reaction.objects.filter(message__in=ids):
            reactions[reaction.message_id].append(reaction)
    return files, reactions


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
