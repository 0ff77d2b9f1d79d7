"""The app's beginning."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who is who, and who is signed in."""

    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Begin to hear."""
        from accounts import listeners  # noqa: F401
