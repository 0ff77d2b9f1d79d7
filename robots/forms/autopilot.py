"""How robots of a room take turns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from robots.forms.choices import explained
from robots.models import Robot
from robots.models.autopilot import GOAL_MAX, LASTS_AT_MOST, TOKENS_MAX
from robots.turns import ROBOTS_MAX, STRATEGIES, TURNS_MAX, Name

LEAST = min(strategy.least for strategy in STRATEGIES.values())


class AutopilotForm(forms.Form):
    """How robots of a room take turns: each of them has a field for its place among them."""

    strategy = forms.ChoiceField(
        choices=explained(Name),
        initial=Name.ROUND_ROBIN.value,
        label="How",
        widget=forms.RadioSelect,
    )
    goal = forms.CharField(
        required=False,
        max_length=GOAL_MAX,
        label="What about",
        help_text="A question, a task, or what shall be reached.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    turns = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=TURNS_MAX,
        label="Turns",
        help_text="Empty: as many as is usual for it.",
    )
    minutes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=int(LASTS_AT_MOST.total_seconds()) // 60,
        label="Minutes",
        help_text="Empty: as the site has set it.",
    )
    tokens = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=TOKENS_MAX,
        label="Tokens",
        help_text="Empty: no limit.",
    )
    cost = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=12,
        decimal_places=4,
        label="US dollars",
        help_text="Empty: no limit.",
    )

    def __init__(self, given: QueryDict | None = None, *, robots: Sequence[Robot]) -> None:
        super().__init__(given)
        self.robots = {f"place-{robot.pk}": robot for robot in robots}
        most = min(len(robots), ROBOTS_MAX)
        places = [(number, f"{number}.") for number in range(1, most + 1)]
        for number, (name, robot) in enumerate(self.robots.items(), start=1):
            self.fields[name] = forms.TypedChoiceField(
                coerce=int,
                empty_value=None,
                required=False,
                choices=[("", "Not in it"), *places],
                initial=number if number <= most else "",
                label=robot.user.name,
            )

    def places(self) -> list[tuple[Robot, forms.BoundField]]:
        """The robots, each with the field of its place."""
        return [(robot, self[name]) for name, robot in self.robots.items()]

    def clean(self) -> dict[str, Any]:
        """It takes two, and they cannot have the same place."""
        given = super().clean() or self.cleaned_data
        taken = [given[name] for name in self.robots if given.get(name)]
        if len(taken) < LEAST:
            self.add_error(None, "Give a place to two robots at least.")
        elif len(set(taken)) < len(taken):
            self.add_error(None, "Give each robot a place of its own.")
        return given

    @property
    def session(self) -> dict[str, Any]:
        """What was given, as the verb takes it."""
        given = dict(self.cleaned_data)
        places = {name: given.pop(name) for name in self.robots}
        taken = [(place, name) for name, place in places.items() if place]
        minutes = given.pop("minutes")
        return {
            **given,
            "robots": [self.robots[name] for _, name in sorted(taken)],
            "lasting": None if minutes is None else timedelta(minutes=minutes),
        }
