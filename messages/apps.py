from django.apps import AppConfig
from django.db.backends.signals import connection_created


class MessagesConfig(AppConfig):
    name = "messages"
    label = "chat_messages"  # django.contrib.messages owns the other one
    verbose_name = "Messages"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from messages import closing, listeners, search_index  # noqa: F401

        connection_created.connect(search_index.teach)
