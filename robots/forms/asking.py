"""Saying something to a robot, and having robots answer a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from django import forms
from django.http import QueryDict

from robots.models import Robot
from robots.router import Proposal
from rooms.forms import Labelled


class TryForm(forms.Form):
    """Something to say to a robot."""

    body = forms.CharField(
        strip=False,
        label="Say something to it",
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "Hello! What can you do?"}),
    )


class AskForm(forms.Form):
    """Whom to have answer a message."""

    robots = forms.TypedMultipleChoiceField(
        coerce=int,
        label="Who shall answer?",
        error_messages={"required": "Choose at least one."},
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self,
        given: QueryDict | None = None,
        *,
        robots: Sequence[Robot],
        proposals: Sequence[Proposal],
    ) -> None:
        first = [robots[0].pk] if len(robots) == 1 else []
        super().__init__(given, initial={"robots": first})
        reasons = {proposal.robot.pk: proposal.reason for proposal in proposals}
        likely = [proposal.robot for proposal in proposals]
        cast(forms.ChoiceField, self.fields["robots"]).choices = [
            (robot.pk, Labelled(robot.user.name, reasons.get(robot.pk, "")))
            for robot in [*likely, *(robot for robot in robots if robot.pk not in reasons)]
        ]
