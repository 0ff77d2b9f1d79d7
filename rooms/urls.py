"""The addresses of rooms' pages."""

from django.urls import path

from rooms import ids  # noqa: F401  # registers <id:…>
from rooms.views import door, lists, people, person, room, settings

urlpatterns = [
    path("", lists.home, name="home"),
    path("rooms/new/", lists.new, name="room_new"),
    path("rooms/browse/", lists.browse, name="room_browse"),
    path("desk/", lists.desk, name="desk"),
    path("direct/<str:handle>/", lists.direct, name="direct"),
    path("rooms/<id:room>/", room.room, name="room"),
    path("rooms/<id:room>/join/", lists.join, name="room_join"),
    path("rooms/<id:room>/people/", people.people, name="room_people"),
    path("rooms/<id:room>/people/<id:user>/", person.person, name="room_person"),
    path("rooms/<id:room>/people/@<str:handle>/", person.person, name="room_person_by_handle"),
    path("rooms/<id:room>/settings/", settings.settings, name="room_settings"),
    path("rooms/<id:room>/me/", settings.mine, name="room_me"),
    path("join/<str:token>/", door.join, name="join"),
]
