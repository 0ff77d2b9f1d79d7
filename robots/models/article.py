from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts.errors import Forbidden, Invalid
from accounts.models import AuditEntry, User
from accounts.roles import SiteRole

TITLE_MAX = 200
BODY_MAX = 50_000
"""Characters."""


class ArticleQuerySet(models.QuerySet["Article"]):
    def published(self) -> ArticleQuerySet:
        """Those that anybody may be answered from."""
        return self.filter(published=True)


class ArticleManager(models.Manager.from_queryset(ArticleQuerySet)):  # type: ignore[misc]
    @transaction.atomic
    def write(self, title: str, body: str, *, by: User, published: bool = False) -> Article:
        """Raises Forbidden, Invalid (by field)."""
        _must_write(by)
        article = Article(title=title, body=body, published=published, by=by)
        article._check()
        article.save()
        AuditEntry.objects.record("article.written", on=article, by=by, after=article._told())
        return article


class Article(models.Model):
    """Something known, in Markdown, that robots answer from. What is published is for everybody."""

    title = models.CharField(max_length=TITLE_MAX)
    body = models.TextField(help_text="Markdown.")
    published = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
        help_text="Who wrote it as it now is.",
    )

    objects = ArticleManager()

    class Meta:
        ordering: ClassVar = ["title", "pk"]
        indexes: ClassVar = [models.Index(fields=["published", "updated_at"])]

    def __str__(self) -> str:
        return self.title

    # Verbs

    @transaction.atomic
    def update(self, *, by: User, title: str | None = None, body: str | None = None) -> None:
        """Put it differently; what is None stays. Raises Forbidden, Invalid (by field)."""
        before = self._reload_for(by)
        self.title = self.title if title is None else title
        self.body = self.body if body is None else body
        self._check()
        self._save("article.changed", before, by=by)

    @transaction.atomic
    def publish(self, *, by: User) -> None:
        """Let robots answer from it. Raises Forbidden."""
        before = self._reload_for(by)
        self.published = True
        self._save("article.published", before, by=by)

    @transaction.atomic
    def withdraw(self, *, by: User) -> None:
        """Make it a draft again. Raises Forbidden."""
        before = self._reload_for(by)
        self.published = False
        self._save("article.withdrawn", before, by=by)

    @transaction.atomic
    def remove(self, *, by: User) -> None:
        """Raises Forbidden."""
        before = self._reload_for(by)
        AuditEntry.objects.record("article.removed", on=self, by=by, before=before)
        self.delete()

    # What the verbs are made of

    def _reload_for(self, by: User) -> dict[str, object]:
        """As it now is, for somebody who may change it. Returns what an audit entry says of it."""
        _must_write(by)
        self.refresh_from_db(from_queryset=Article.objects.select_for_update())
        return self._told()

    def _save(self, action: str, before: dict[str, object], *, by: User) -> None:
        after = self._told()
        if after == before:
            return
        self.updated_at, self.by = timezone.now(), by
        self.save()
        AuditEntry.objects.record(action, on=self, by=by, before=before, after=after)

    def _check(self) -> None:
        """Raises Invalid, with details by field."""
        self.title = self.title.strip()
        wrong: dict[str, list[str]] = {}
        for name, longest in (("title", TITLE_MAX), ("body", BODY_MAX)):
            text = getattr(self, name)
            if not text.strip() or "\0" in text:
                wrong[name] = ["Write something."]
            elif len(text) > longest:
                wrong[name] = [f"At most {longest} characters."]
        if wrong:
            raise Invalid(details=wrong)

    def _told(self) -> dict[str, object]:
        return {"title": self.title, "body": self.body, "published": self.published}


def _may_write(user: User) -> bool:
    return user.is_at_least(SiteRole.AGENT)


def _must_write(user: User) -> None:
    if user.kind != User.Kind.SYSTEM and not _may_write(user):
        raise Forbidden("Articles are written by agents and above.")
