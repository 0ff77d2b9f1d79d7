"""Saying something by a plain form, files and all."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.errors import DomainError
from accounts.throttles import PostThrottle, slow_down
from messages.forms import ComposerForm
from messages.models import Attachment, Message
from messages.models.attachment import must_be_few
from messages.posting import Draft, Posted
from rooms.models import Participant
from rooms.views.room import show
from rooms.views.seats import my_seat


@require_POST
@login_required
def post(request: HttpRequest, room: int) -> HttpResponse:
    """Say it. What is refused is there again, with the reason above it."""
    seat = my_seat(request, room)
    form = ComposerForm(seat=seat, given=request.POST)
    try:
        posted = _say(request, seat, form)
    except DomainError as error:
        form.errors = _sentences(error)
        return show(request, seat, form, status=error.status)
    if not posted.replayed:
        posted.message.mark_read(by=seat.user)
    return redirect(f"{reverse('room', args=[room])}#message-{posted.message.pk}")


def _say(request: HttpRequest, seat: Participant, form: ComposerForm) -> Posted:
    """Files are kept only if they are said, and a form sent twice says what it said."""
    chosen = request.POST.get("audience") or None
    earlier = Message.objects.filter(
        client_id=form.client_id, room=seat.room, author=seat.user
    ).first()
    if earlier is not None and request.FILES:
        return Posted(earlier, replayed=True)
    slow_down(PostThrottle, request)
    chosen_files = request.FILES.getlist("files")
    must_be_few(len(chosen_files))
    files: list[Attachment] = []
    try:
        for file in chosen_files:
            files.append(Attachment.objects.upload(file, room=seat.room, by=seat.user))  # noqa: PERF401  # those before one that is refused are known
        draft = Draft(
            room=seat.room_id,
            author=seat.user,
            body=form.body,
            audience=chosen,
            to=tuple(form.to) if chosen in (None, "only") else (),
            reply_to=form.reply_to,
            attachments=tuple(file.pk for file in files),
            client_id=form.client_id,
        )
        (posted,) = Message.objects.post_all([draft])
    except Exception:
        Attachment.discard(files)
        raise
    return posted


def _sentences(error: DomainError) -> list[str]:
    told = [sentence for sentences in error.details.values() for sentence in sentences]
    return told or [error.message]
