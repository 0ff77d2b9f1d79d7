"""Every robot there is, and trying one."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib import messages as flash
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
)

from accounts import pictures
from accounts.admin import who
from accounts.errors import DomainError, Invalid
from accounts.models import User
from accounts.roles import SiteRole
from robots import keys
from robots.forms.robot import LinesField
from robots.models import Reply, Robot, RobotSeat
from rooms.admin import DiscreetAdmin, list_of
from rooms.models import Room

TAKEN = "taken"
"""Where a robot of a list holds what it has taken today."""


class RobotForm(forms.ModelForm[Robot]):
    """A robot, with what its user is called and looks like."""

    handle = forms.CharField(
        max_length=32, widget=UnfoldAdminTextInputWidget, help_text="What people type after @."
    )
    name = forms.CharField(max_length=80, widget=UnfoldAdminTextInputWidget)
    picture = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="PNG, JPEG, GIF or WebP, up to 2 MB.",
    )
    api_base = forms.URLField(
        label="API base",
        required=False,
        assume_scheme="https",
        widget=UnfoldAdminURLInputWidget,
        help_text=Robot.api_base.field.help_text,
    )
    fallbacks = LinesField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Models to ask where it cannot answer: in this order, one a line.",
    )

    class Meta:
        model = Robot
        fields = [*Robot.FIELDS]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            user = self.instance.user
            self.initial.update(handle=user.handle, name=user.name)

    def clean_handle(self) -> str:
        """One that nobody else has."""
        return self._fit_for_a_user("handle")

    def clean_name(self) -> str:
        """One that can be shown."""
        return self._fit_for_a_user("name")

    def clean_key_env(self) -> str:
        """None of the server's own."""
        name: str = self.cleaned_data["key_env"]
        try:
            if name:
                keys.must_be_nameable(name)
        except Invalid as error:
            raise ValidationError(error.details["key_env"]) from error
        return name

    def clean_picture(self) -> UploadedFile[Any] | None:
        """A picture indeed."""
        upload: UploadedFile[Any] | None = self.cleaned_data["picture"]
        try:
            if upload:
                pictures.checked(upload)
        except Invalid as error:
            raise ValidationError(error.details["avatar"]) from error
        return upload

    def _fit_for_a_user(self, field: str) -> str:
        user = copy(self.instance.user) if self.instance.pk else User(kind=User.Kind.ROBOT)
        given: str = self.cleaned_data[field]
        setattr(user, field, given)
        try:
            user.full_clean(exclude=["password"])
        except ValidationError as error:
            if field in error.message_dict:
                raise ValidationError(error.message_dict[field]) from error
        return given


@admin.register(Robot)
class RobotAdmin(DiscreetAdmin):
    """Every robot there is. None is deleted: what they said must stand."""

    form = RobotForm
    list_display = ["handle", "name", "model", "trigger", "enabled", "today", "retired_at"]
    list_filter = ["enabled", "trigger", "style", ("retired_at", admin.EmptyFieldListFilter)]
    list_select_related = ["user"]
    search_fields = ["user__handle", "user__name", "model"]
    ordering = ["user__handle"]
    actions = ["enable", "disable", "retire"]
    change_form_outer_before_template = "robots/_try_it.html"
    fieldsets = [
        (None, {"fields": ["handle", "name", "picture", "enabled"]}),
        ("The model", {"fields": ["model", "temperature", "max_tokens", "context_window"]}),
        ("Who it is", {"fields": ["persona", "style", "trigger"]}),
        ("Where it is served", {"fields": ["api_base", "key_env", "fallbacks"]}),
        ("What it may cost", {"fields": ["daily_tokens", "daily_cost", "today"]}),
        ("How things stand", {"fields": ["ways", "created_by", "created_at", "retired_at"]}),
    ]

    class Media:
        css = {"all": ["css/admin.css"]}

    @admin.display(description="Handle", ordering="user__handle")
    def handle(self, robot: Robot) -> str:
        """Its user's."""
        return robot.user.handle

    @admin.display(description="Name", ordering="user__name")
    def name(self, robot: Robot) -> str:
        """Its user's."""
        return robot.user.name

    @admin.display(description="Today")
    def today(self, robot: Robot) -> str:
        """What it has taken since midnight, UTC."""
        tokens, cost = vars(robot).get(TAKEN) or robot.spent_today()
        return f"{tokens:,} tokens, ${cost:.2f}"

    @admin.display(description="See also")
    def ways(self, robot: Robot) -> SafeString:
        """To its answers, and to the rooms it sits in."""
        replies = list_of(Reply, "answers", robot__user__id__exact=robot.user_id)
        return format_html(
            "{} · {}", replies, list_of(RobotSeat, "seats", robot__id__exact=robot.pk)
        )

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """A page of them; what they have taken today is asked once for all."""
        page: ChangeList = super().get_changelist_instance(request)
        spent = Robot.objects.filter(pk__in=[robot.pk for robot in page.result_list]).spent_today()
        for robot in page.result_list:
            vars(robot)[TAKEN] = spent[robot.pk]
        return page

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """What is told and not set; of who has been retired, all of it."""
        told = ["today", "ways", "created_by", "created_at", "retired_at"]
        return [*told, "handle", "name"] if obj and obj.retired_at else told

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """All; but only what there is to see where nothing can be set any more."""
        if obj is None:
            return self.fieldsets[:-1]
        if not obj.retired_at:
            return self.fieldsets
        (title, first), *others = self.fieldsets
        shown = [name for name in first["fields"] if name != "picture"]
        return [(title, {"fields": shown}), *others]

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Site admins set up all of a robot."""
        return who(request).is_at_least(SiteRole.ADMIN)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As long as it is there."""
        retired = isinstance(obj, Robot) and obj.retired_at is not None
        return not retired and self.has_add_permission(request)

    def save_model(self, request: HttpRequest, obj: Robot, form: Any, change: bool) -> None:
        """By the verbs, which are told what was changed."""
        given = {name: form.cleaned_data[name] for name in form.changed_data if name != "picture"}
        if change:
            robot = Robot.objects.get(pk=obj.pk)
            robot.update(**given, by=who(request))
        else:
            robot = Robot.objects.add(**given, by=who(request))
            obj.__dict__.update(robot.__dict__)
        if upload := form.cleaned_data["picture"]:
            robot.set_avatar(upload, by=who(request))

    @admin.action(description="Switch on")
    def enable(self, request: HttpRequest, queryset: QuerySet[Robot]) -> None:
        """Each by the verb."""
        self.do(request, queryset, lambda robot: robot.update(enabled=True, by=who(request)))

    @admin.action(description="Switch off")
    def disable(self, request: HttpRequest, queryset: QuerySet[Robot]) -> None:
        """Each by the verb."""
        self.do(request, queryset, lambda robot: robot.update(enabled=False, by=who(request)))

    @admin.action(description="Retire: take it out of every room, for good")
    def retire(self, request: HttpRequest, queryset: QuerySet[Robot]) -> None:
        """Each by the verb."""
        self.do(request, queryset, lambda robot: robot.retire(by=who(request)))

    def get_urls(self) -> list[URLPattern]:
        """One more: to try a robot."""
        trying = self.admin_site.admin_view(self.try_it)
        return [path("<int:pk>/try/", trying, name="robots_robot_try"), *super().get_urls()]

    @method_decorator(require_POST)
    def try_it(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask it something in one's direct room with it, and go there to see the answer."""
        robot = Robot.objects.present().select_related("user").filter(pk=pk).first()
        if robot is None or not self.has_view_permission(request, robot):
            raise Http404
        try:
            room = Room.objects.direct(robot.user, by=who(request))
            room.messages.post(request.POST.get("body", ""), by=who(request))
        except DomainError as error:
            self.message_user(request, error.message, flash.ERROR)
            return redirect("admin:robots_robot_change", robot.pk)
        return redirect(reverse("room", args=[room.pk]))
