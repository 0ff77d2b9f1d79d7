from rooms.models.invitation import Invitation
from rooms.models.participant import Participant
from rooms.models.room import Room

__all__ = ["Invitation", "Participant", "Room"]
