"""The pages of accounts: sign in and out, password, profile, pictures."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages as flash
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import LoginView, LogoutView
from django.forms import BaseForm
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse_lazy
from django.views.decorators.http import require_safe
from django.views.generic import FormView, UpdateView, View
from django.views.generic.base import ContextMixin

from accounts import pictures, status
from accounts.authentication import login_of
from accounts.errors import Forbidden, Invalid, NotFound
from accounts.forms import PasswordForm, ProfileForm, SignInForm, StatusForm, add_errors
from accounts.models import User
from accounts.throttles import DoorThrottle, LoginThrottle, slow_down
from rooms.views.sidebar import sidebar

FOR_EVER = "private, max-age=31536000, immutable"


class SignInView(LoginView):
    """A session begins. Where it leads (`next`) is on this site, or it is ignored."""

    template_name = "accounts/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Try a password, and not too many of them from one address."""
        slow_down(DoorThrottle, request)
        return super().post(request, *args, **kwargs)


class SignOutView(LogoutView):
    """A session ends; by POST alone, so that no link can do it."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """End it, and have the browser forget the pages and pictures it kept of it.

        What scripts kept is theirs to wipe: where more than one person signs in on a device, each
        has their own.
        """
        response: HttpResponse = super().post(request, *args, **kwargs)
        response["Clear-Site-Data"] = '"cache"'
        return response


class OwnPage(LoginRequiredMixin, ContextMixin):
    """About oneself, beside one's rooms as every other page."""

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """With the list of rooms."""
        beside = sidebar(me(cast(View, self).request), here="profile")
        return super().get_context_data(sidebar=beside, **context)


class PasswordView(OwnPage, FormView[PasswordForm]):
    """A new password: every other login ends, this one goes on."""

    template_name = "accounts/password.html"
    form_class = PasswordForm
    success_url = reverse_lazy("profile")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Guests and customers have none to change."""
        if isinstance(request.user, User) and request.user.kind != User.Kind.PERSON:
            raise Forbidden("This account has no password.")
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: PasswordForm) -> HttpResponse:
        """Change it, or show what is wrong with it."""
        slow_down(LoginThrottle, self.request)
        user, given = me(self.request), form.cleaned_data
        try:
            user.change_own_password(
                given["current"], given["password"], keep=login_of(self.request)
            )
        except Invalid as error:
            add_errors(form, error)
            return self.form_invalid(form)
        update_session_auth_hash(self.request, user)
        flash.success(self.request, "Your password is changed. You are signed out elsewhere.")
        return super().form_valid(form)


class ProfileView(OwnPage, UpdateView[User, ProfileForm]):
    """How one is shown to others."""

    template_name = "accounts/profile.html"
    form_class = ProfileForm
    success_url = reverse_lazy("profile")
    context_object_name = "account"

    def get_object(self, queryset: Any = None) -> User:
        """Oneself, read afresh: a form that fails leaves the signed-in user as it is."""
        return User.objects.get(pk=me(self.request).pk)

    def form_valid(self, form: ProfileForm) -> HttpResponse:
        """Change it, or show what is wrong with it."""
        try:
            change_profile(self.get_object(), form)
        except Invalid as error:
            add_errors(form, error)
            return self.form_invalid(form)
        flash.success(self.request, "Your profile is saved.")
        return redirect(self.success_url)


def change_profile(user: User, form: BaseForm) -> None:
    """What the form says, by the user's verbs."""
    given = form.cleaned_data
    shown = {field: given[field] for field in ("name", "email", "time_zone")}
    user.update_profile(by=user, **shown)
    if given["picture"]:
        user.set_avatar(given["picture"], by=user)
    elif given.get("remove_picture"):
        user.set_avatar(None, by=user)


class StatusView(OwnPage, FormView[StatusForm]):
    """What one says of oneself for a while: in one's own words, or in those that are at hand."""

    template_name = "accounts/status.html"
    form_class = StatusForm
    success_url = reverse_lazy("profile")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Guests and customers have none."""
        if isinstance(request.user, User) and request.user.kind != User.Kind.PERSON:
            raise NotFound
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """With what is at hand."""
        return super().get_context_data(presets=status.PRESETS, **context)

    def get_initial(self) -> dict[str, Any]:
        """What is said now."""
        now = me(self.request).status
        if now is None:
            return {}
        after = status.KEPT if now["expires_at"] else ""
        return {"emoji": now["emoji"], "text": now["text"], "after": after}

    def get_form_kwargs(self) -> dict[str, Any]:
        """With whether there is an end to keep."""
        now = me(self.request).status
        return {**super().get_form_kwargs(), "ends": bool(now and now["expires_at"])}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Clear it, or say what a preset says, or what the form does."""
        user = me(request)
        if "clear" in request.POST:
            user.clear_status(by=user)
            flash.success(request, "Your status is cleared.")
            return redirect(self.success_url)
        preset = status.PRESETS.get(request.POST.get("preset", ""))
        if preset is None:
            return super().post(request, *args, **kwargs)
        until = status.end_of(preset.after, user.zone)
        user.set_status(preset.emoji, preset.text, until=until, by=user)
        return self._said()

    def form_valid(self, form: StatusForm) -> HttpResponse:
        """Say it, or show what is wrong with it."""
        user, given = me(self.request), form.cleaned_data
        try:
            kept = given["after"] == status.KEPT
            until = user.status_until if kept else status.end_of(given["after"], user.zone)
            user.set_status(given["emoji"], given["text"], until=until, by=user)
        except Invalid as error:
            add_errors(form, error)
            return self.form_invalid(form)
        return self._said()

    def _said(self) -> HttpResponse:
        flash.success(self.request, "Your status is set.")
        return redirect(self.success_url)


@require_safe
@login_required
def avatar(request: HttpRequest, user: int, name: str) -> FileResponse:
    """A user's picture. Its name is random and changes with it, so it is cached for ever."""
    shown = get_object_or_404(User, pk=user)
    if not shown.avatar or pictures.name_of(str(shown.avatar)) != name:
        raise Http404
    try:
        content = shown.avatar.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(content, content_type=pictures.content_type(name))
    response["Cache-Control"] = FOR_EVER
    response["Content-Security-Policy"] = "default-src 'none'"
    return response


def me(request: HttpRequest) -> User:
    """Who is signed in, where somebody must be."""
    return cast(User, request.user)  # LoginRequiredMixin has seen to it
