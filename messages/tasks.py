"""Recurring work, started by `chatmanager/schedule.py`."""

from celery import shared_task

from messages.models import Attachment


@shared_task
def sweep_attachments() -> None:
    """Remove the files that were uploaded and never posted."""
    Attachment.objects.sweep()
