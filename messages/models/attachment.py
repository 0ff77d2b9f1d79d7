from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

import puremagic
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.errors import Forbidden, Invalid, TooLarge
from accounts.models import User
from rooms.models import Room
from rooms.modes import Role

if TYPE_CHECKING:
    from messages.models.message import Message

INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
HEAD = 4096


def sniff(head: bytes) -> str:
    """The media type the first bytes show; what is not known is a bag of bytes."""
    try:
        return puremagic.from_string(head, mime=True) or "application/octet-stream"
    except (puremagic.PureError, ValueError):
        return "application/octet-stream"


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def visible_to(self, user: User) -> AttachmentQuerySet:
        """Those of messages one may see, and one's own that are not attached yet."""
        from messages.models.message import Message

        seen = Message.objects.visible_to(user).filter(pk=OuterRef("message"))
        mine = Q(message__isnull=True, uploader=user, room__participants__user=user)
        return self.filter(mine | Exists(seen))

    def expired(self) -> AttachmentQuerySet:
        """Uploaded and never attached, for longer than they are kept."""
        oldest = timezone.now() - settings.CHAT_ATTACHMENT_KEEP_UNATTACHED
        return self.filter(message__isnull=True, created_at__lt=oldest)

    def sweep(self, batch: int = 500) -> int:
        """Remove what expired, in batches. Returns how many."""
        swept = 0
        while rows := list(self.expired()[:batch]):
            Attachment.discard(rows)
            swept += len(rows)
        return swept

    @transaction.atomic
    def upload(self, file: File[bytes], *, room: Room, by: User) -> Attachment:
        """Store a file that a message of this room may name later.

        Raises NotFound, Forbidden, Room.Closed, Invalid (empty), TooLarge.
        """
        seat = room.seat_of(by)
        if seat.role != Role.CUSTOMER:  # whose message opens the room again
            room.must_be_open()
        if not seat.may_write:
            raise Forbidden("You may read here, but not write.")
        size = file.size or 0
        if size > settings.CHAT_ATTACHMENT_MAX_SIZE:
            most = settings.CHAT_ATTACHMENT_MAX_SIZE // 2**20
            raise TooLarge(f"A file may be at most {most} MB.")
        if not size:
            raise Invalid(details={"file": ["The file is empty."]})
        head = file.read(HEAD)
        file.seek(0)
        name = clean_name(file.name or "")
        stored = default_storage.save(f"attachments/{room.pk}/{secrets.token_hex(16)}", file)
        return self.create(
            room=room, uploader=by, file=stored, name=name, type=sniff(head), size=size
        )


def clean_name(name: str) -> str:
    """A name that is shown and offered for download: no path, no control characters."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(char for char in name if char.isprintable())[-120:].strip(". ")
    return name or "file"


class Attachment(models.Model):
    """A file of a message. Copies made by sharing point to the same stored file."""

    room = models.ForeignKey("rooms.Room", models.CASCADE, related_name="attachments")
    uploader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    message = models.ForeignKey(
        "chat_messages.Message", models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    file = models.FileField(max_length=200, db_index=True)
    name = models.CharField(max_length=120)
    type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"], condition=Q(message__isnull=True), name="unattached_by_age"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def copy_to(self, message: Message) -> Attachment:
        """An unsaved row that lets another message carry the same file."""
        return Attachment(
            room_id=message.room_id,
            uploader_id=message.author_id,
            message=message,
            file=self.file.name,
            name=self.name,
            type=self.type,
            size=self.size,
        )

    @property
    def is_inline(self) -> bool:
        """Whether a browser may show it in place: everything else is only downloaded."""
        return self.type in INLINE

    @property
    def url(self) -> str:
        return f"/attachments/{self.pk}/{quote(self.name, safe='')}"

    @staticmethod
    def undo(uploads: list[Attachment]) -> None:
        """Remove the files of uploads whose rows were rolled back: nobody would find them again."""
        _delete_unused({upload.file.name for upload in uploads})

    @staticmethod
    @transaction.atomic
    def discard(attachments: list[Attachment]) -> None:
        """Remove the rows, and after commit the files that no other row points to."""
        files = {attachment.file.name for attachment in attachments}
        Attachment.objects.filter(pk__in=[attachment.pk for attachment in attachments]).delete()
        transaction.on_commit(lambda: _delete_unused(files))


def _delete_unused(files: set[str | None]) -> None:
    used = set(Attachment.objects.filter(file__in=files).values_list("file", flat=True))
    for name in files - used:
        if name:
            default_storage.delete(name)
