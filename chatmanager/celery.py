"""The Celery application, of `celery -A chatmanager worker` and of the embedded worker."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatmanager.settings")

app = Celery("chatmanager")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
