"""The addresses of rooms below /api/v1/."""

from django.urls import path

from rooms import ids  # noqa: F401  # registers <id:…>
from rooms.api import invitations, people, rooms

urlpatterns = [
    path("auth/guest/", invitations.GuestView.as_view(), name="api_guest"),
    path("rooms/", rooms.RoomsView.as_view(), name="api_rooms"),
    path("rooms/direct/", rooms.DirectRoomView.as_view(), name="api_direct_room"),
    path("rooms/<id:room>/", rooms.RoomView.as_view(), name="api_room"),
    path("rooms/<id:room>/join/", rooms.JoinView.as_view(), name="api_room_join"),
    path("rooms/<id:room>/leave/", rooms.LeaveView.as_view(), name="api_room_leave"),
    path("rooms/<id:room>/close/", rooms.CloseView.as_view(), name="api_room_close"),
    path("rooms/<id:room>/reopen/", rooms.ReopenView.as_view(), name="api_room_reopen"),
    path("rooms/<id:room>/archive/", rooms.ArchiveView.as_view(), name="api_room_archive"),
    path("rooms/<id:room>/owner/", people.OwnerView.as_view(), name="api_room_owner"),
    path("rooms/<id:room>/me/", rooms.MySeatView.as_view(), name="api_my_seat"),
    path(
        "rooms/<id:room>/participants/", people.ParticipantsView.as_view(), name="api_participants"
    ),
    path(
        "rooms/<id:room>/participants/<id:user>/",
        people.ParticipantView.as_view(),
        name="api_participant",
    ),
    path(
        "rooms/<id:room>/invitations/",
        invitations.InvitationsView.as_view(),
        name="api_invitations",
    ),
    path("invitations/accept/", invitations.AcceptView.as_view(), name="api_accept_invitation"),
    path(
        "invitations/<id:invitation>/", invitations.InvitationView.as_view(), name="api_invitation"
    ),
]
