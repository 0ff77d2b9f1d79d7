"""Accounts in the Django admin. Changes go through the verbs, so that all of them are audited."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib import messages as flash
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm

from accounts.authentication import login_of
from accounts.errors import DomainError, Invalid
from accounts.forms import add_errors
from accounts.models import AuditEntry, Login, Ticket, User
from accounts.models.user import PROFILE
from accounts.roles import SiteRole

# A refresh token ends with its login, which is shown here; Django's group page is replaced below.
for model in (BlacklistedToken, OutstandingToken, Group):
    admin.site.unregister(model)


def who(request: HttpRequest) -> User:
    """The admin at work; nobody else gets this far."""
    return cast(User, request.user)


class ReadOnlyAdmin(ModelAdmin):
    """To look at, not to touch."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody removes one."""
        return False


class UserForm(forms.ModelForm[User]):
    """A user as the admin changes them; the site role is a choice of one."""

    role = forms.ChoiceField(
        label="Site role",
        required=False,
        choices=[("", "none"), *SiteRole.choices],
        help_text="Each has the rights of those before it.",
    )

    class Meta:
        model = User
        fields = ["handle", "name", "email", "time_zone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "role" in self.fields:
            self.fields["role"].initial = self.instance.site_role

    def clean_email(self) -> str | None:
        """No address is no address, not an empty one: those would have to be unique."""
        return (self.cleaned_data["email"] or "").lower() or None

    def clean_role(self) -> SiteRole | None:
        """Only people have one, and they always do."""
        role = self.cleaned_data["role"]
        if bool(role) != (self.instance.kind == User.Kind.PERSON):
            raise forms.ValidationError("People have a site role, and nobody else.")
        return SiteRole(role) if role else None


class NewPersonForm(forms.ModelForm[User]):
    """A new person, with a password and a site role."""

    password = forms.CharField(strip=False, widget=forms.PasswordInput)
    role = forms.ChoiceField(label="Site role", choices=SiteRole.choices)

    class Meta:
        model = User
        fields = ["handle", "name", "email"]

    def clean(self) -> dict[str, Any] | None:
        """The password fits the site's rules."""
        given = super().clean()
        try:
            self.instance.must_have_good(self.cleaned_data.get("password", ""))
        except Invalid as error:
            add_errors(self, error)
        return given


class PasswordForm(AdminPasswordChangeForm):
    """Somebody's new password: their logins end, and the audit knows who did it."""

    def __init__(self, *args: Any, by: User, keep: Login | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by, self.keep = by, keep
        self.fields.pop("usable_password", None)  # who must not come in is deactivated

    def save(self, commit: bool = True) -> User:
        """By the verb."""
        user: User = self.user
        keep = self.keep if user == self.by else None
        user.change_password(self.cleaned_data["password1"], by=self.by, keep=keep)
        return user


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User], ModelAdmin):
    """Everybody there is. Nobody is removed: what they said and did must stand."""

    form = UserForm
    add_form = NewPersonForm
    list_display = ["handle", "name", "kind", "role", "email", "is_active", "created_at"]
    list_filter = ["kind", "is_active", "groups"]
    search_fields = ["handle", "name", "email"]
    ordering = ["handle"]
    actions = ["deactivate", "activate"]
    filter_horizontal = []
    readonly_fields = ["kind", "is_active", "created_at"]
    fieldsets = [
        (None, {"fields": ["handle", "name", "email", "time_zone", "role"]}),
        ("How things stand", {"fields": ["kind", "is_active", "created_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["handle", "name", "email", "password", "role"]})]

    @admin.display(description="Site role")
    def role(self, user: User) -> str:
        """The highest they hold; read from what is prefetched, not asked for each row."""
        held = {group.name for group in user.groups.all()}
        roles = [role for role in SiteRole if role.value in held]
        return roles[-1].label if roles else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With their groups, in one query for all rows."""
        return super().get_queryset(request).prefetch_related("groups")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Deactivate them instead."""
        return False

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Django's page, with a form that knows who asks; on a copy, as requests share `self`."""
        own = copy(self)
        own.change_password_form = partial(PasswordForm, by=who(request), keep=login_of(request))
        return super(UserAdmin, own).user_change_password(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """By the verbs."""
        given = form.cleaned_data
        if not change:
            person = User.objects.create_person(
                obj.handle,
                obj.name,
                given["password"],
                SiteRole(given["role"]),
                email=obj.email,
                by=who(request),
            )
            obj.pk = person.pk
            obj.__dict__.update(person.__dict__)
            return
        user = User.objects.get(pk=obj.pk)
        profile = {field: given[field] for field in PROFILE}
        self._tell(request, user, lambda: user.update_profile(by=who(request), **profile))
        if given.get("role"):
            self._tell(request, user, lambda: user.set_site_role(given["role"], by=who(request)))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing hangs on a user here: groups are the role's."""

    @admin.action(description="Deactivate: end every login, let nobody in")
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Each by the verb."""
        for user in queryset:
            self._tell(request, user, lambda user=user: user.deactivate(by=who(request)))

    @admin.action(description="Activate: let them sign in again")
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Each by the verb."""
        for user in queryset:
            self._tell(request, user, lambda user=user: user.activate(by=who(request)))

    def _tell(self, request: HttpRequest, user: User, verb: Any) -> None:
        try:
            verb()
        except DomainError as error:
            self.message_user(request, f"{user}: {error.message}", flash.ERROR)


@admin.register(Group)
class GroupAdmin(ReadOnlyAdmin):
    """The site roles and their permissions. Who holds which is chosen on the user."""

    list_display = ["name"]
    fields = ["name", "permissions"]


@admin.register(Login)
class LoginAdmin(ReadOnlyAdmin):
    """Who is and was signed in."""

    list_display = ["user", "kind", "created_at", "expires_at", "ended_at", "address", "user_agent"]
    list_filter = ["kind", "created_at"]
    search_fields = ["user__handle", "user__name", "address"]
    list_select_related = ["user"]
    exclude = ["auth_hash"]
    ordering = ["-pk"]
    actions = ["end"]

    @admin.action(description="End these logins now")
    def end(self, request: HttpRequest, queryset: QuerySet[Login]) -> None:
        """Each by the verb."""
        for login in queryset:
            login.end(by=who(request))


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    """Ways to the socket, used and not."""

    list_display = ["login", "expires_at", "taken_at"]
    search_fields = ["login__user__handle"]
    list_select_related = ["login__user"]
    exclude = ["token_hash"]
    ordering = ["-pk"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who changed what others may see or do."""

    list_display = ["at", "by_label", "action", "target_type", "target_label", "address"]
    list_filter = ["action", "target_type", "at"]
    search_fields = ["action", "by_label", "target_type", "target_id", "target_label", "address"]
    fields = [
        "at",
        "by_label",
        "action",
        "target_type",
        "target_id",
        "target_label",
        "before",
        "after",
        "address",
    ]
    ordering = ["-pk"]
    date_hierarchy = "at"
