"""The API of rooms: the rooms, the people in them, and the links that lead there."""
