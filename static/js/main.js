/** Every behaviour there is; each is quiet where its element is not. */
import "chat/elements/theme";
import "chat/elements/flash";
import "chat/elements/copy";
import "chat/elements/dialog";
import { connection, room } from "chat/page";
import { localise } from "chat/time";

localise(document);

if (connection) await import("chat/elements/rooms");
if (room) await import("chat/elements/room");
