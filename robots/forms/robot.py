"""All that is set about a robot."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from accounts.models import User
from accounts.roles import SiteRole
from robots.forms.choices import explained
from robots.forms.persona import filled, presets
from robots.models import Robot
from robots.models.robot import ADMINS_ONLY, PERSONA_MAX, Style

NO_PRESET = ("", "Choose somebody to begin with")
NO_SETTINGS = frozenset({"preset", "picture", "remove_picture"})
"""What the form of a robot asks besides."""


class LinesField(forms.CharField):
    """A list, one thing a line."""

    widget = forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = (super().to_python(value) or "").splitlines()
        return [line.strip() for line in lines if line.strip()]


class RobotForm(forms.Form):
    """All that is set about a robot. Given a preset, it shows what that means."""

    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    handle = forms.CharField(
        max_length=32,
        help_text="What people type after @.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    preset = presets(NO_PRESET)
    persona = forms.CharField(
        required=False,
        max_length=PERSONA_MAX,
        help_text=Robot.persona.field.help_text,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    style = forms.ChoiceField(choices=Style.choices, label="How it puts things")
    picture = forms.FileField(
        required=False,
        help_text="PNG, JPEG, GIF or WebP, up to 2 MB.",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/gif,image/webp"}),
    )
    remove_picture = forms.BooleanField(required=False)
    trigger = forms.ChoiceField(
        choices=explained(Robot.Trigger),
        initial="mention",
        label="It answers",
        widget=forms.RadioSelect,
    )
    enabled = forms.BooleanField(required=False, initial=True)
    model = forms.CharField(
        max_length=200,
        help_text="As litellm names it, such as openai/gpt-4o-mini; or builtin/parrot.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    fallbacks = LinesField(
        required=False, help_text="Models to ask where it cannot answer, one a line."
    )
    temperature = forms.FloatField(
        required=False,
        help_text=Robot.temperature.field.help_text,
        widget=forms.NumberInput(attrs={"step": "0.1", "min": 0, "max": 2}),
    )
    max_tokens = forms.IntegerField(
        initial=1024, min_value=1, max_value=2**31 - 1, label="Longest answer", help_text="Tokens."
    )
    context_window = forms.IntegerField(
        initial=16_384,
        max_value=2**31 - 1,
        label="Context window",
        help_text=Robot.context_window.field.help_text,
    )
    daily_tokens = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=2**63 - 1,
        label="Tokens a day",
        help_text="In and out, by UTC; empty for no limit.",
    )
    daily_cost = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=12,
        decimal_places=4,
        label="Dollars a day",
        help_text="US dollars, by UTC; empty for no limit.",
    )
    api_base = forms.CharField(
        required=False,
        label="API base",
        help_text=Robot.api_base.field.help_text,
        widget=forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false"}),
    )
    key_env = forms.CharField(
        required=False,
        label="Key",
        help_text="The environment variable that holds its key, such as OPENAI_API_KEY.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(
        self,
        given: QueryDict | None = None,
        files: MultiValueDict[str, Any] | None = None,
        *,
        user: User,
        robot: Robot | None = None,
    ) -> None:
        looks = given is not None and "look" in given
        super().__init__(
            None if looks else given,
            None if looks else files,
            initial=_as_typed(given) if looks else _as_it_is(robot),
        )
        if robot is None or not robot.user.avatar:
            del self.fields["remove_picture"]
        if not user.is_at_least(SiteRole.ADMIN):
            for name in ADMINS_ONLY:
                self.fields[name].disabled = True
                self.initial[name] = getattr(robot, name, "")
            self.fields["model"].help_text += f" {_yours()}"

    @property
    def config(self) -> dict[str, Any]:
        """What was given, as the verbs take it: nothing of what is not this person's to set."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in NO_SETTINGS and not self.fields[name].disabled
        }


def _yours() -> str:
    """Whose models agents choose."""
    return f"Yours to choose are models of {', '.join(sorted(settings.CHAT_ROBOT_PROVIDERS))}."


def _as_typed(given: QueryDict | None) -> dict[str, Any]:
    """A box that is not ticked is not sent."""
    return {"enabled": False, **filled(given)}


def _as_it_is(robot: Robot | None) -> dict[str, Any]:
    if robot is None:
        return {}
    names = {"name": robot.user.name, "handle": robot.user.handle}
    return {**names, **{name: getattr(robot, name) for name in Robot.FIELDS}}
