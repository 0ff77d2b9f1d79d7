"""How a robot differs in one room, and what becomes there of questions to a busy one."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from robots.forms.choices import explained
from robots.forms.persona import filled, presets
from robots.models import RobotPolicy, RobotSeat
from robots.models.robot import PERSONA_MAX
from robots.models.seat import AS_ELSEWHERE, OVERRIDES, STYLES_HERE, TITLE_MAX


class SeatForm(forms.Form):
    """How a robot differs in one room. What is empty is as elsewhere."""

    title = forms.CharField(
        required=False,
        max_length=TITLE_MAX,
        help_text="What it is here, to people; such as: keeps the minutes.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    preset = presets(AS_ELSEWHERE)
    persona = forms.CharField(
        required=False,
        max_length=PERSONA_MAX,
        label="Persona here",
        help_text="Empty: it is who it is elsewhere.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    style = forms.ChoiceField(required=False, choices=STYLES_HERE, label="How it puts things here")

    def __init__(self, given: QueryDict | None = None, *, seat: RobotSeat | None = None) -> None:
        looks = given is not None and "look" in given
        overrides = {name: getattr(seat, name, "") for name in OVERRIDES}
        super().__init__(None if looks else given, initial=filled(given) if looks else overrides)

    @property
    def overrides(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in OVERRIDES}


class PolicyForm(forms.Form):
    """What becomes of questions to a robot that is busy."""

    when_busy = forms.ChoiceField(
        choices=explained(RobotPolicy.WhenBusy),
        label="When a robot that is answering is asked again",
        widget=forms.RadioSelect,
    )
