"""The pages of accounts."""

from django.urls import path
from django.views.generic import RedirectView

from accounts import views

urlpatterns = [
    path("login/", views.SignInView.as_view(), name="login"),
    path("logout/", views.SignOutView.as_view(), name="logout"),
    path("password/", views.PasswordView.as_view(), name="password_change"),
    path("profile/", views.ProfileView.as_view(), name="profile"),
    path("status/", views.StatusView.as_view(), name="status"),
    path("avatars/<int:user>/<str:name>", views.avatar, name="avatar"),
    # One way to change one's password: the admin's would know nothing of the other logins.
    path("admin/password_change/", RedirectView.as_view(pattern_name="password_change")),
]
