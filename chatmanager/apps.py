from django.apps import AppConfig


class ChatManagerConfig(AppConfig):
    name = "chatmanager"
    verbose_name = "Chat Manager"

    def ready(self) -> None:
        from chatmanager import checks  # noqa: F401
