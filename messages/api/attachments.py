"""Files, uploaded first and named in the post."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api_calls import caller, valid
from accounts.api_schema import errors
from accounts.throttles import CallThrottle, PostThrottle
from messages.api.shapes import AttachmentSerializer
from messages.encoding import encode_attachment
from messages.models import Attachment
from rooms.api.rooms import seat_in


class Upload(serializers.Serializer[Any]):
    """A file."""

    file = serializers.FileField(allow_empty_file=True)


class AttachmentsView(APIView):
    """The files of a room that are not part of a message yet."""

    parser_classes = (MultiPartParser,)
    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="upload_attachment",
        request=Upload,
        responses={201: AttachmentSerializer, **errors(400, 401, 403, 404, 409, 413)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Store a file of up to 25 MB. A post names it by its id within 24 hours, or it goes."""
        seat = seat_in(request, room)
        file = valid(Upload, request.data)["file"]
        attachment = Attachment.objects.upload(file, room=seat.room, by=caller(request))
        return Response(encode_attachment(attachment), status=201)
