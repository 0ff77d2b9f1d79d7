"""The addresses of accounts below /api/v1/."""

from django.urls import path

from accounts import api

urlpatterns = [
    path("auth/token/", api.TokenView.as_view(), name="api_token"),
    path("auth/token/refresh/", api.TokenRefreshView.as_view(), name="api_token_refresh"),
    path("auth/logout/", api.LogoutView.as_view(), name="api_logout"),
    path("auth/ticket/", api.TicketView.as_view(), name="api_ticket"),
    path("me/", api.MeView.as_view(), name="api_me"),
    path("me/password/", api.PasswordView.as_view(), name="api_me_password"),
    path("me/avatar/", api.AvatarView.as_view(), name="api_me_avatar"),
    path("users/", api.UsersView.as_view(), name="api_users"),
]
