from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.connections import give_back
from accounts.errors import Forbidden, Invalid, TooLarge
from accounts.models import User
from messages.sniffing import HEAD, PLAYED, SHOWN, sniff
from messages.thumbnails import look_into
from rooms.models import Participant, Room
from rooms.modes import Role

if TYPE_CHECKING:
    from messages.models.message import Message


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def visible_to(self, user: User) -> AttachmentQuerySet:
        """Those of messages one may see, and one's own that are not attached yet."""
        from messages.models.message import Message

        seen = Message.objects.visible_to(user).filter(pk=OuterRef("message"))
        here = Participant.objects.filter(room=OuterRef("room"), user=user)
        mine = Q(message__isnull=True, uploader=user) & Exists(here)
        return self.filter(mine | Exists(seen))

    def expired(self) -> AttachmentQuerySet:
        """Uploaded and never attached, for longer than they are kept."""
        oldest = timezone.now() - settings.CHAT_ATTACHMENT_KEEP_UNATTACHED
        return self.filter(message__isnull=True, created_at__lt=oldest)

    def sweep(self, batch: int = 500) -> int:
        """Remove what expired, in batches. Returns how many."""
        swept = 0
        while some := self._sweep_some(batch):
            swept += some
        return swept

    @transaction.atomic
    def _sweep_some(self, batch: int) -> int:
        """Locked, as one that is posted at this moment would go with its message's."""
        rows = list(self.expired().select_for_update(skip_locked=True)[:batch])
        Attachment.discard(rows)
        return len(rows)

    def upload(self, file: File[bytes], *, room: Room, by: User) -> Attachment:
        """Store a file that a message of this room may name later.

        Looks into pictures, which may take seconds: not within a transaction.
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
        found = Attachment(
            room=room,
            uploader=by,
            name=clean_name(file.name or ""),
            type=sniff(head),
            size=size,
        )
        found.store(file)
        return found


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
    thumbnail = models.FileField(max_length=200, blank=True, editable=False)
    width = models.PositiveIntegerField(
        null=True, editable=False, help_text="Pixels of a picture, as it is shown."
    )
    height = models.PositiveIntegerField(null=True, editable=False)
    position = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Among the files of its message."
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["position", "pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"], condition=Q(message__isnull=True), name="unattached_by_age"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    # Verbs

    def store(self, file: File[bytes]) -> None:
        """Save it with its content, and with a thumbnail where it is a picture."""
        give_back()  # a picture may wait long for its turn
        look = look_into(file, self.type, self.uploader_id)
        self.width, self.height = look.width, look.height
        try:
            place = f"attachments/{self.room_id}/{secrets.token_hex(16)}"
            self.file.name = default_storage.save(place, file)
            if look.thumbnail:
                small = ContentFile(look.thumbnail)
                self.thumbnail.name = default_storage.save(f"{self.file.name}.webp", small)
            self.save()
        except Exception:
            _delete_unused(self.stored)
            raise

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
            thumbnail=self.thumbnail.name,
            width=self.width,
            height=self.height,
        )

    @staticmethod
    @transaction.atomic
    def discard(attachments: list[Attachment]) -> None:
        """Remove the rows, and after commit the files that no other row points to."""
        files = {file: small for attachment in attachments for file, small in attachment.stored}
        Attachment.objects.filter(pk__in=[attachment.pk for attachment in attachments]).delete()
        transaction.on_commit(lambda: _delete_unused(files.items()))

    # Questions

    @property
    def is_shown(self) -> bool:
        """Whether a browser may show it in place: a picture that could be read to its end."""
        return self.type in SHOWN and bool(self.thumbnail)

    @property
    def is_played(self) -> bool:
        """Whether a page offers to play it."""
        return self.type in PLAYED

    @property
    def url(self) -> str:
        return f"/attachments/{self.pk}/{quote(self.name, safe='')}"

    @property
    def thumbnail_url(self) -> str | None:
        return f"/attachments/{self.pk}/thumbnail/" if self.thumbnail else None

    @property
    def stored(self) -> list[tuple[str, str]]:
        """Its file and thumbnail in the storage, as far as they are there."""
        return [(self.file.name, self.thumbnail.name or "")] if self.file.name else []


def _delete_unused(stored: Iterable[tuple[str, str]]) -> None:
    """Of these files and their thumbnails those that no row points to."""
    files = dict(stored)
    used = Attachment.objects.filter(file__in=files).values_list("file", flat=True)
    for file in files.keys() - set(used):
        for name in filter(None, (file, files[file])):
            default_storage.delete(name)


def must_be_few(count: int) -> None:
    """Raises Invalid where these are more files than go with a message."""
    most = settings.CHAT_ATTACHMENTS_MAX
    if count > most:
        raise Invalid(details={"attachments": [f"At most {most} files go with a message."]})
