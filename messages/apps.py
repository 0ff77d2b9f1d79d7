from django.apps import AppConfig


class MessagesConfig(AppConfig):
    name = "messages"
    label = "chat_messages"  # django.contrib.messages owns the other one
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from messages import closing, listeners  # noqa: F401
