"""Who changed what others may see or do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from accounts import origin

if TYPE_CHECKING:
    from accounts.models.user import User

LABEL_LENGTH = 200


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Entries may be read and added; the bulk ways to change them are closed too."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AuditEntry.AppendOnly

    update = delete = bulk_update = update_or_create = _refuse
    aupdate = adelete = abulk_update = aupdate_or_create = _refuse


class AuditEntryManager(models.Manager["AuditEntry"]):
    def get_queryset(self) -> AuditEntryQuerySet:
        return AuditEntryQuerySet(self.model, using=self._db)

    def record(
        self,
        action: str,
        *,
        on: models.Model | None,
        by: User | None,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> AuditEntry:
        """Write down that `by` did `action` ("room.role_changed") to `on`.

        `before` and `after` are JSON. `by` is None where nobody is known (a failed login).
        """
        entry = self.entry(action, on=on, by=by, before=before, after=after)
        entry.save()
        return entry

    def entry(
        self,
        action: str,
        *,
        on: models.Model | None,
        by: User | None,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> AuditEntry:
        """The same, to be added together with others by `bulk_create`."""
        return self.model(
            action=action,
            by=by,
            by_label=str(by or "")[:LABEL_LENGTH],
            target_type=on._meta.label_lower if on else "",
            target_id="" if on is None or on.pk is None else str(on.pk),
            target_label=str(on if on is not None else "")[:LABEL_LENGTH],
            before=before,
            after=after,
            address=origin.current().address,
        )


class AuditEntry(models.Model):
    """One change: who, what, on what, before and after, when, from where. Never edited.

    The person and the target are named without a foreign key constraint and with a copy of
    their name, so that an entry stands as it was when they are gone.
    """

    class AppendOnly(TypeError):
        """Entries are added, never changed or removed."""

    action = models.CharField(max_length=60)
    by = models.ForeignKey(
        "accounts.User",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="audit_entries",
    )
    by_label = models.CharField(max_length=LABEL_LENGTH, blank=True)
    target_type = models.CharField(max_length=80, blank=True)
    target_id = models.CharField(max_length=40, blank=True)
    target_label = models.CharField(max_length=LABEL_LENGTH, blank=True)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    at = models.DateTimeField(default=timezone.now, editable=False)
    address = models.GenericIPAddressField(null=True)

    objects = AuditEntryManager()

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["at"], name="audit_at"),
            models.Index(fields=["target_type", "target_id", "at"], name="audit_target"),
            models.Index(fields=["action", "at"], name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.by_label or 'nobody'} {self.action}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the entry; raise AppendOnly if it is there already."""
        if not self._state.adding:
            raise self.AppendOnly
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise AppendOnly."""
        raise self.AppendOnly
