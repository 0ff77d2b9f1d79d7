from django.apps import AppConfig


class ThreadsConfig(AppConfig):
    name = "threads"
    verbose_name = "Side-bars"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from threads import frames, listeners  # noqa: F401
