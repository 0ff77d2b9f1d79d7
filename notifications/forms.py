"""How one wants to be told. What is right and wrong is the verb's to say."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from notifications.models import Preferences
from notifications.quiet import EVERY_DAY
from rooms.models import Participant

LEVELS = {
    Participant.Notify.ALL.value: "Every message",
    Participant.Notify.MENTIONS.value: "What mentions me, answers me or is whispered to me",
    Participant.Notify.NOTHING.value: "Nothing",
}
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class ClockField(forms.TimeField):
    """A time of day, by the browser's own choice of one."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        super().__init__(required=False, widget=widget, **kwargs)


class PreferencesForm(forms.Form):
    """All of it at once."""

    browser = forms.BooleanField(required=False)
    sounds = forms.BooleanField(required=False)
    mail = forms.BooleanField(required=False)
    push = forms.BooleanField(required=False)
    level = forms.ChoiceField(required=False, label="In rooms that I enter from now on")
    quiet_from = ClockField(label="From")
    quiet_until = ClockField(label="Until")
    quiet_days = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        choices=list(zip(EVERY_DAY, DAYS, strict=True)),
        label="On",
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: Any = None, *, own: Preferences) -> None:
        initial = {name: getattr(own, name) for name in self.base_fields}
        super().__init__(data, initial=initial)
        usual = LEVELS.get(settings.CHAT_NOTIFY_DEFAULT, "").lower()
        level = self.fields["level"]
        level.choices = [("", f"As the site has it: {usual}"), *LEVELS.items()]  # type: ignore[attr-defined]
