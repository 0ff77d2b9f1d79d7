"""The forms of messages' pages. What is right and wrong is the verbs' to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.http import QueryDict

from messages.audience import Audience, choices_for
from messages.encoding import Encoded, quote
from messages.models import Message
from rooms.forms import Labelled
from rooms.ids import read_id
from rooms.models import Participant
from rooms.modes import Mode, Role

ICONS = {Audience.EVERYONE: "everyone", Audience.STAFF: "staff", Audience.ONLY: "only"}
LABELS = {
    Audience.EVERYONE: "Everyone",
    Audience.STAFF: "Note to staff",
    Audience.ONLY: "Whisper",
}

SAID_OTHERWISE = "You have sent something else from here before. Send this to say it as well."


def may_write_in(seat: Participant) -> bool:
    """Whether to show where one writes. A customer's message reopens a closed conversation."""
    reopens = seat.room.mode == Mode.SUPPORT and seat.role == Role.CUSTOMER
    return seat.may_write and (seat.room.is_open or reopens)


def audiences_for(seat: Participant, people: Sequence[Encoded]) -> list[dict[str, str]]:
    """What one may choose here, and in plain words who sees it. In a room of two: nothing."""
    if seat.room.is_direct:
        return []
    allowed = choices_for(seat)
    customers = [person["name"] for person in people if person["role"] == Role.CUSTOMER]
    robots = any(person["role"] == Role.ROBOT for person in people)
    says = {
        Audience.EVERYONE: (
            f"Everyone here sees this, {', '.join(customers)} too."
            if customers
            else "Everyone in this room sees this."
        ),
        Audience.STAFF: "Only staff see this. Customers do not."
        + (" Nor do robots: whisper to one to ask it." if robots else ""),
        Audience.ONLY: "Only the people you choose see this"
        + (", and the staff." if seat.room.mode == Mode.SUPPORT else "."),
    }
    return [
        {
            "value": audience.value,
            "label": LABELS[audience],
            "icon": ICONS[audience],
            "says": says[audience],
        }
        for audience in Audience
        if audience in allowed
    ]


class ComposerForm:
    """What one is writing in a room: nothing yet, or what was sent and refused.

    `client_id` is made with the page, so that a form sent twice says it once.
    """

    def __init__(
        self, *, seat: Participant, given: QueryDict | None = None, reply_to: int | None = None
    ) -> None:
        given = given or QueryDict()
        self.seat = seat
        self.max_length = settings.CHAT_MESSAGE_MAX_LENGTH
        self.body = given.get("body", "").replace("\r\n", "\n")
        self.client_id = _uuid(given.get("client_id", "")) or uuid4()
        self.to = [user for user in map(read_id, given.getlist("to")) if user is not None]
        self.reply_to = reply_to or read_id(given.get("reply_to", ""))
        self.errors: list[str] = []
        self._chosen = given.get("audience", "")
        self._original = self._find_original()

    @property
    def audience(self) -> str:
        """What is chosen: by the writer, else by what they reply to, else as is usual here."""
        if self._chosen:
            return self._chosen
        allowed = choices_for(self.seat)
        if self._original is not None and self._original.audience in allowed:
            return str(self._original.audience)
        return str(allowed[0]) if allowed else Audience.EVERYONE

    def original(self) -> Encoded | None:
        """The message replied to, as a quote, if one may see it."""
        return quote(self._original)

    def _find_original(self) -> Message | None:
        if self.reply_to is None:
            return None
        visible = Message.objects.visible_to(self.seat.user).filter(deleted_at=None)
        found: Message | None = (
            visible.filter(room=self.seat.room, pk=self.reply_to).with_people().first()
        )
        if found is not None and found.audience == Audience.ONLY and not self.to:
            self.to = sorted({*found.to, found.author_id} - {self.seat.user_id})
        return found


class EditForm(forms.Form):
    """Other words for a message."""

    body = forms.CharField(
        strip=False,
        label="Message",
        widget=forms.Textarea(attrs={"rows": 4, "autofocus": True}),
    )


class ShareForm(forms.Form):
    """A copy for others: what it says, where it goes, who sees it there."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    body = forms.CharField(
        strip=False,
        required=False,
        label="The copy, which you may change",
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    room = forms.TypedChoiceField(
        coerce=int, label="Goes to", widget=forms.Select(attrs={"data-look": ""})
    )
    audience = forms.ChoiceField(label="Who will see it", widget=forms.RadioSelect)
    to = forms.TypedMultipleChoiceField(
        coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(
        self,
        given: QueryDict | None = None,
        *,
        rooms: dict[int, str],
        seat: Participant,
        people: Sequence[Participant],
        initial: dict[str, Any],
    ) -> None:
        super().__init__(given, initial=initial)
        shown = [{"name": other.user.name, "role": other.role} for other in people]
        audiences = audiences_for(seat, shown)
        everyone = {"value": "everyone", "label": "Everyone", "says": f"Just {seat.room} and you."}
        _offer(self.fields["room"], rooms.items())
        _offer(
            self.fields["audience"],
            [
                (choice["value"], Labelled(choice["label"], choice["says"]))
                for choice in audiences or [everyone]
            ],
        )
        _offer(self.fields["to"], [(other.user_id, other.user.name) for other in people])


def offer_anew(form: forms.Form) -> None:
    """Something else was sent from this form before: this may be sent as well, but not under the
    same `client_id`, which would be refused for ever.
    """
    data = cast(QueryDict, form.data).copy()
    data["client_id"] = str(uuid4())
    form.data = data
    form.add_error(None, SAID_OTHERWISE)


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


def _offer(field: forms.Field, choices: Iterable[tuple[Any, Any]]) -> None:
    cast(forms.ChoiceField, field).choices = list(choices)
