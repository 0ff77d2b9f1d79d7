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
from django.views.generic import FormView, UpdateView

from accounts import pictures
from accounts.authentication import login_of
from accounts.errors import Forbidden, Invalid
from accounts.forms import PasswordForm, ProfileForm, SignInForm, add_errors
from accounts.models import User
from accounts.throttles import DoorThrottle, LoginThrottle, slow_down

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


class PasswordView(LoginRequiredMixin, FormView[PasswordForm]):
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


class ProfileView(LoginRequiredMixin, UpdateView[User, ProfileForm]):
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
    user.update_profile(by=user, name=given["name"], email=given["email"])
    if given["picture"]:
        user.set_avatar(given["picture"], by=user)
    elif given.get("remove_picture"):
        user.set_avatar(None, by=user)


@require_safe
@login_required
def avatar(request: HttpRequest, user: int, name: str) -> FileResponse:
    """A user's picture. Its name is random and changes with it, so it is cached for ever."""
    shown = get_object_or_404(User, pk=user)
    if not shown.avatar or pictures.name_of(shown.avatar) != name:
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
