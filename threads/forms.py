"""The forms of side-bars' pages. What is right and wrong is the verbs' to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.http import QueryDict

from accounts.models import User
from messages.audience import Audience, choices_for
from messages.forms import audiences_for
from rooms.forms import Labelled
from rooms.models import Participant, Room
from rooms.models.room import NAME_MAX
from rooms.modes import Role

NAMED = 100
"""People that a form offers by name; of a larger room, others are named by handle."""


class OpenForm(forms.Form):
    """A side-bar to be opened. `invite` and `others` are people of the room around it."""

    title = forms.CharField(
        required=False,
        max_length=NAME_MAX,
        label="What it is about",
        help_text="May be left empty.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    access = forms.ChoiceField(
        label="Who may take part", initial=Room.Visibility.OPEN, widget=forms.RadioSelect
    )
    invite = forms.TypedMultipleChoiceField(
        coerce=int,
        required=False,
        label="Bring in at once",
        widget=forms.CheckboxSelectMultiple,
    )
    others = forms.CharField(
        required=False,
        label="Others, by their handles",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "ben, cleo"}),
    )

    def __init__(self, given: QueryDict | None, *, seat: Participant) -> None:
        super().__init__(given)
        around = seat.room.participants.exclude(role=Role.CUSTOMER).exclude(user=seat.user)
        self.around = around.select_related("user")
        people = list(self.around.order_by("user__name", "pk")[: NAMED + 1])
        if len(people) <= NAMED:
            del self.fields["others"]
        offered = [(other.user_id, other.user.name) for other in people[:NAMED]]
        _offer(self.fields["invite"], offered)
        _offer(self.fields["access"], _accesses(seat))

    def clean_others(self) -> list[User]:
        """Everybody named must be in the room around it."""
        words = self.cleaned_data["others"].replace(",", " ").split()
        handles = {word.removeprefix("@").lower() for word in words}
        found = [other.user for other in self.around.filter(user__handle__in=handles)]
        missing = handles - {person.handle for person in found}
        if missing:
            raise forms.ValidationError(f"Nobody here is called {', '.join(sorted(missing))}.")
        return found

    def clean(self) -> dict[str, Any]:
        """All who are to be brought in, as users."""
        given: dict[str, Any] = {**(super().clean() or self.cleaned_data)}
        chosen = self.around.filter(user__in=given.pop("invite", []))
        people = [*(other.user for other in chosen), *given.pop("others", [])]
        return {**given, "invite": people}


class SaidForm(forms.Form):
    """Something to be said in the room around a side-bar."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    body = forms.CharField(
        strip=False,
        required=False,
        label="The copy, which you may change",
        widget=forms.Textarea(attrs={"rows": 6, "autofocus": True}),
    )
    audience = forms.ChoiceField(label="Who will see it", widget=forms.RadioSelect)
    to = forms.TypedMultipleChoiceField(
        coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(
        self,
        given: QueryDict | None = None,
        *,
        seat: Participant,
        people: Sequence[Participant],
        initial: dict[str, Any],
    ) -> None:
        """`seat` is the one in the room around, `people` are the others there."""
        # Where customers could see it, that must be chosen, not left as it is.
        cautious = Audience.STAFF in choices_for(seat)
        usual = Audience.STAFF if cautious else Audience.EVERYONE
        super().__init__(given, initial={"audience": usual, **initial})
        shown = [{"name": other.user.name, "role": other.role} for other in people]
        everyone = {"value": "everyone", "label": "Everyone", "says": "Just the two of you."}
        _offer(
            self.fields["audience"],
            [
                (choice["value"], Labelled(choice["label"], choice["says"]))
                for choice in audiences_for(seat, shown) or [everyone]
            ],
        )
        _offer(self.fields["to"], [(other.user_id, other.user.name) for other in people])

    @property
    def said(self) -> dict[str, Any]:
        """As the verbs take it."""
        given = self.cleaned_data
        return {
            "client_id": given["client_id"],
            "body": given["body"].replace("\r\n", "\n"),
            "audience": given["audience"],
            "to": given["to"] if given["audience"] == Audience.ONLY else (),
        }


def _accesses(seat: Participant) -> list[tuple[str, Labelled]]:
    support = seat.room.participants.filter(role=Role.CUSTOMER).exists()
    all_but = " but customers" if support else ""
    return [
        (
            Room.Visibility.OPEN.value,
            Labelled("Open", f"All who are in the room{all_but} see it and may come by"),
        ),
        (
            Room.Visibility.PRIVATE.value,
            Labelled("Private", "Only those you bring in know that it exists"),
        ),
    ]


def _offer(field: forms.Field, choices: Any) -> None:
    cast(forms.ChoiceField, field).choices = list(choices)
