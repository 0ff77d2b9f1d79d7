"""The Celery application, for `celery -A chatmanager worker` and for the worker inside the server."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatmanager.settings")

app = Celery("chatmanager")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
