"""What robots may answer from, as staff write it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.admin import who
from accounts.roles import SiteRole
from robots.models import Article
from robots.models.article import BODY_MAX
from rooms.admin import DiscreetAdmin


class ArticleForm(forms.ModelForm[Article]):
    """An article, as long as one may be."""

    body = forms.CharField(
        max_length=BODY_MAX, widget=UnfoldAdminTextareaWidget, help_text="Markdown."
    )

    class Meta:
        model = Article
        fields = ["title", "body", "published"]


@admin.register(Article)
class ArticleAdmin(DiscreetAdmin):
    """What robots may answer from. What is published is for everybody."""

    list_display = ["title", "published", "by", "updated_at"]
    list_filter = ["published", "updated_at"]
    list_select_related = ["by"]
    search_fields = ["title", "body"]
    ordering = ["title", "pk"]
    actions = ["publish", "withdraw"]
    form = ArticleForm

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """They are written here."""
        return who(request).is_at_least(SiteRole.AGENT)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Likewise."""
        return self.has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Likewise."""
        return self.has_add_permission(request)

    def save_model(self, request: HttpRequest, obj: Article, form: Any, change: bool) -> None:
        """By the verbs."""
        given, by = form.cleaned_data, who(request)
        if not change:
            article = Article.objects.write(**given, by=by)
            obj.__dict__.update(article.__dict__)
            return
        article = Article.objects.get(pk=obj.pk)
        article.update(title=given["title"], body=given["body"], by=by)
        if given["published"]:
            article.publish(by=by)
        else:
            article.withdraw(by=by)

    def delete_model(self, request: HttpRequest, obj: Article) -> None:
        """By the verb."""
        obj.remove(by=who(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        """Each by the verb."""
        for article in queryset:
            article.remove(by=who(request))

    @admin.action(description="Publish: let robots answer from them")
    def publish(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        """Each by the verb."""
        self.do(request, queryset, lambda article: article.publish(by=who(request)))

    @admin.action(description="Withdraw: make them drafts again")
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        """Each by the verb."""
        self.do(request, queryset, lambda article: article.withdraw(by=who(request)))
