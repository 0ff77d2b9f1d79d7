"""Saying something by a plain form, files and all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.errors import DomainError
from accounts.throttles import PostThrottle, slow_down
from messages.forms import SAID_OTHERWISE, ComposerForm
from messages.models import Attachment, Message
from messages.models.attachment import clean_name, must_be_few
from messages.posting import Draft, Posted
from rooms.models import Participant
from rooms.views.room import show
from rooms.views.seats import my_seat

DELETED_SINCE = "What you sent from here before was deleted. Send this to say it anew."


@require_POST
@login_required
def post(request: HttpRequest, room: int) -> HttpResponse:
    """Say it. What is refused is there again, with the reason above it."""
    seat = my_seat(request, room)
    form = ComposerForm(seat=seat, given=request.POST)
    try:
        posted = _say(request, seat, form)
    except Message.IdempotencyConflict:
        # Of what was deleted nobody knows any more whether it had these files.
        gone = _earlier(form).filter(deleted_at__isnull=False).exists()
        form.errors = [DELETED_SINCE if gone else SAID_OTHERWISE]
        form.client_id = uuid4()  # or it would be refused for ever
        return show(request, seat, form, status=Message.IdempotencyConflict.status)
    except DomainError as error:
        form.errors = _sentences(error)
        return show(request, seat, form, status=error.status)
    if not posted.replayed:
        posted.message.mark_read(by=seat.user)
    return redirect(f"{reverse('room', args=[room])}#message-{posted.message.pk}")


def _say(request: HttpRequest, seat: Participant, form: ComposerForm) -> Posted:
    """Files are kept only if they are said, and a form sent twice says what it said."""
    chosen = request.POST.get("audience") or None
    draft = Draft(
        room=seat.room_id,
        author=seat.user,
        body=form.body,
        audience=chosen,
        to=tuple(form.to) if chosen in (None, "only") else (),
        reply_to=form.reply_to,
        client_id=form.client_id,
    )
    chosen_files = request.FILES.getlist("files")
    if chosen_files and (earlier := _said_before(form, draft, chosen_files)):
        return Posted(earlier, replayed=True)
    slow_down(PostThrottle, request)
    must_be_few(len(chosen_files))
    files: list[Attachment] = []
    try:
        for file in chosen_files:
            files.append(Attachment.objects.upload(file, room=seat.room, by=seat.user))  # noqa: PERF401  # those before one that is refused are known
        attachments = tuple(file.pk for file in files)
        (posted,) = Message.objects.post_all([replace(draft, attachments=attachments)])
    except Message.IdempotencyConflict:
        Attachment.discard(files)
        # A form sent twice may have said it while these pictures were looked into.
        if earlier := _said_before(form, draft, chosen_files):
            return Posted(earlier, replayed=True)
        raise
    except Exception:
        Attachment.discard(files)
        raise
    return posted


def _earlier(form: ComposerForm) -> QuerySet[Message]:
    """The message that this form has made, if it was sent before."""
    mine: QuerySet[Message] = Message.objects.filter(room=form.seat.room_id, author=form.seat.user)
    return mine.filter(client_id=form.client_id)


def _said_before(
    form: ComposerForm, draft: Draft, files: Sequence[UploadedFile[bytes]]
) -> Message | None:
    """That message, if it has the same words and files."""
    earlier = _earlier(form).first()
    if earlier is None:
        return None
    attached = list(earlier.attachments.all())
    same = replace(draft, attachments=tuple(file.pk for file in attached))
    if earlier.request_hash != same.request_hash:
        return None
    sent = [(clean_name(file.name or ""), file.size) for file in files]
    return earlier if sent == [(file.name, file.size) for file in attached] else None


def _sentences(error: DomainError) -> list[str]:
    told = [sentence for sentences in error.details.values() for sentence in sentences]
    return told or [error.message]
