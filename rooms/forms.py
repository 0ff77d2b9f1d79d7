"""The forms of rooms' pages. What is right and wrong is the verbs' to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.http import QueryDict

from accounts.api import known_to
from accounts.errors import DomainError
from accounts.models import User
from accounts.models import user as users
from accounts.roles import SiteRole
from robots.models import Robot
from rooms.models import Room
from rooms.models.invitation import LONGEST_LIFETIME, MOST_USES
from rooms.models.room import NAME_MAX
from rooms.modes import Mode


@dataclass(frozen=True)
class Labelled:
    """A choice that says what it means."""

    title: str
    hint: str = ""

    def __str__(self) -> str:
        return self.title


MODES = [
    (Mode.TEAM.value, Labelled("Team room", "People who work together, all of one kind")),
    (Mode.SUPPORT.value, Labelled("Support room", "A customer, and staff with notes of their own")),
]
VISIBILITIES = [
    (
        Room.Visibility.PRIVATE.value,
        Labelled("Private", "Only those who are invited know that it exists"),
    ),
    (
        Room.Visibility.PUBLIC.value,
        Labelled("Public", "Any member of the site may find it and join"),
    ),
]
HISTORIES = [
    (Room.History.ALL.value, Labelled("All of it", "Newcomers can read what was said before")),
    (
        Room.History.JOINED.value,
        Labelled("From joining on", "Newcomers read what is said once they are in"),
    ),
]


class RoomForm(forms.Form):
    """A room to be opened. `people` are handles, read into users."""

    name = forms.CharField(
        max_length=NAME_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Autumn release"}),
    )
    description = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What it is for. Everyone in it can read this.",
    )
    mode = forms.ChoiceField(choices=MODES, initial=Mode.TEAM, widget=forms.RadioSelect)
    visibility = forms.ChoiceField(
        choices=VISIBILITIES, initial="private", label="Who can find it", widget=forms.RadioSelect
    )
    people = forms.CharField(
        required=False,
        label="People to bring in",
        help_text="Their handles, such as: ben, cleo",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    robots = forms.TypedMultipleChoiceField(
        coerce=int,
        required=False,
        label="Robots to bring in",
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, given: QueryDict | None, *, user: User) -> None:
        super().__init__(given)
        self.user = user
        if not user.is_at_least(SiteRole.AGENT):
            del self.fields["mode"]
        robots = Robot.objects.known_to(user).filter(enabled=True).order_by("user__name", "pk")
        offered = [(robot.user_id, robot.user.name) for robot in robots]
        cast(forms.ChoiceField, self.fields["robots"]).choices = offered

    def clean_people(self) -> list[User]:
        """Everybody named must be there, for this user."""
        words = self.cleaned_data["people"].replace(",", " ").split()
        handles = {word.removeprefix("@").lower() for word in words}
        found = list(known_to(self.user).filter(handle__in=handles).exclude(kind=User.Kind.ROBOT))
        missing = handles - {person.handle for person in found}
        if missing:
            raise forms.ValidationError(f"There is nobody called {', '.join(sorted(missing))}.")
        return found

    def clean(self) -> dict[str, Any]:
        """Robots come in as everybody does."""
        given: dict[str, Any] = {**(super().clean() or self.cleaned_data)}
        robots = User.objects.filter(pk__in=given.pop("robots", []))
        return {**given, "people": [*given.get("people", []), *robots]}


class SettingsForm(forms.Form):
    """What a room's managers may change."""

    name = forms.CharField(max_length=NAME_MAX)
    description = forms.CharField(
        required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 2})
    )
    visibility = forms.ChoiceField(
        choices=VISIBILITIES, label="Who can find it", widget=forms.RadioSelect
    )
    history = forms.ChoiceField(
        choices=HISTORIES, label="What newcomers can read", widget=forms.RadioSelect
    )

    def __init__(self, given: QueryDict | None, *, room: Room) -> None:
        super().__init__(given, initial={name: getattr(room, name) for name in self.base_fields})
        if room.mode == Mode.SUPPORT or room.is_sidebar:
            del self.fields["visibility"]
        if room.is_sidebar:
            del self.fields["history"], self.fields["description"]


class LinkForm(forms.Form):
    """A link into a room."""

    role = forms.CharField(required=False)
    expires_in = forms.IntegerField(min_value=1, max_value=LONGEST_LIFETIME)
    uses = forms.IntegerField(required=False, min_value=1, max_value=MOST_USES)


class GuestForm(forms.Form):
    """What a guest is called."""

    name = forms.CharField(
        max_length=users.NAME_MAX,
        label="Your name",
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}),
        help_text="Others in the room see it, and that you are a guest.",
    )


def show_error(form: forms.BaseForm, error: DomainError) -> None:
    """Show what a verb found wrong beside its field, or above the form."""
    for field, sentences in error.details.items():
        form.add_error(field if field in form.fields else None, sentences)
    if not error.details:
        form.add_error(None, error.message)
