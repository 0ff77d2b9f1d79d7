"""The composition: settings, addresses, server, tasks. Nothing imports it."""

from chatmanager.celery import app as celery_app

__all__ = ["celery_app"]
