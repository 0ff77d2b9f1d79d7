"""The forms of accounts' pages. What is right and wrong is the verbs' to say."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm

from accounts import status, time_zones
from accounts.errors import Invalid
from accounts.models import User

LONGEST_NAME = 150


class SignInForm(AuthenticationForm):
    """A handle and its password. Whoever may not sign in is told the same as who errs."""

    error_messages = {
        "invalid_login": "User name and password do not go together.",
        "inactive": "User name and password do not go together.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name"

    def clean_username(self) -> str:
        """Handles are lower-case; people type them as they like. Long ones are nobody's."""
        return str(self.cleaned_data["username"]).lower()[:LONGEST_NAME]


class PasswordForm(forms.Form):
    """The password as it is, and twice as it shall be."""

    current = forms.CharField(
        label="Current password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    password = forms.CharField(
        label="New password",
        strip=False,
        help_text="At least 8 characters, and not one that many people use.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="New password, again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        """Typing errors show when one types twice."""
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("password", again):
            raise forms.ValidationError("The two new passwords are not the same.")
        return again


class ProfileForm(forms.ModelForm[User]):
    """How one is shown to others."""

    picture = forms.FileField(
        required=False,
        help_text="PNG, JPEG, GIF or WebP, up to 2 MB.",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/gif,image/webp"}),
    )
    remove_picture = forms.BooleanField(required=False)

    class Meta:
        model = User
        fields = ["name", "email", "time_zone"]
        labels = {"email": "E-mail address"}
        help_texts = {"email": "Seen by site admins alone."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].widget = forms.Select(choices=zone_choices())
        if not self.instance.avatar:
            del self.fields["remove_picture"]


class StatusForm(forms.Form):
    """What one says of oneself for a while."""

    emoji = forms.CharField(required=False, max_length=16)
    text = forms.CharField(
        label="What is it?",
        required=False,
        max_length=status.LONGEST,
        widget=forms.TextInput(attrs={"placeholder": "Such as: at the dentist"}),
    )
    after = forms.ChoiceField(label="Clear it after", required=False)

    def __init__(self, *args: Any, ends: bool, **kwargs: Any) -> None:
        """`ends`: whether what is said now has an end, which may be kept."""
        super().__init__(*args, **kwargs)
        kept = [(status.KEPT, "the time set before")] if ends else []
        cast(forms.ChoiceField, self.fields["after"]).choices = [*kept, *status.AFTER.items()]


def zone_choices() -> list[tuple[str, Any]]:
    """Every place, and first of all the site's own."""
    return [("", f"As the site has it ({settings.CHAT_TIME_ZONE})"), *time_zones.choices()]


def add_errors(form: forms.BaseForm, error: Invalid) -> None:
    """Show what a verb found wrong beside its field, or above the form."""
    for field, sentences in error.details.items():
        shown = "picture" if field == "avatar" else field
        form.add_error(shown if shown in form.fields else None, sentences)
    if not error.details:
        form.add_error(None, error.message)
