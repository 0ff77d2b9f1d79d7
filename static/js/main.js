/** Every behaviour there is; each is quiet where its element is not. */
import "chat/elements/theme";
import "chat/elements/flash";
import "chat/elements/copy";
import "chat/elements/code";
import "chat/elements/dialog";
import "chat/elements/permission";
import "chat/elements/time-zone";
import "chat/elements/offline";
import "chat/elements/release";
import "chat/elements/sign-out";
import "chat/elements/waiting";
import "chat/elements/viewer";
import "chat/elements/keys";
import "chat/worker";
import { reachable } from "chat/dom";
import { connection, room } from "chat/page";
import { localise } from "chat/time";

localise(document);
reachable(document);

if (connection) await import("chat/elements/unsent");
if (connection) await import("chat/elements/rooms");
if (connection) await import("chat/elements/draft");
if (connection) await import("chat/elements/bell");
if (room) await import("chat/elements/room");
if (connection) await import("chat/elements/connection");
if (document.querySelector("[data-switcher]")) await import("chat/elements/switcher");
