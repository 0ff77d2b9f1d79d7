"""The pages of rooms: lists, one room, its people, its settings, the door for guests."""
