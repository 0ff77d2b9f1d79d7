/* socket.io 4, of the server in peers/socketio: https://socket.io/docs/v4/socket-io-protocol/, in WebSockets from the
 * beginning. Engine.IO's packets begin with one digit, those of socket.io within them with another. */
#include "load.h"

enum step { OPENING, CONNECTING_TO_NAMESPACE, JOINING_ROOM };

static void opened(struct connection *c)
{
	c->step = OPENING;
}

static int begins(const char *data, size_t bytes, const char *with)
{
	return bytes >= strlen(with) && !memcmp(data, with, strlen(with));
}

static void join(struct connection *c, const char *data, size_t bytes)
{
	char frame[128];
	if (c->step == OPENING && begins(data, bytes, "0{")) {
		c->step = CONNECTING_TO_NAMESPACE;
		websocket_send(c, "40", 2);
	} else if (c->step == CONNECTING_TO_NAMESPACE && begins(data, bytes, "40")) {
		c->step = JOINING_ROOM;
		int n = snprintf(frame, sizeof frame, "420[\"join\",\"%s\"]", room_names[c->room]);
		websocket_send(c, frame, n);
	} else if (c->step == JOINING_ROOM && begins(data, bytes, "430")) {
		joined(c);
	} else {
		count_error(data, bytes);
	}
}

static void receive_frame(struct connection *c, const char *data, size_t bytes, uint64_t at)
{
	if (begins(data, bytes, "2"))
		websocket_send(c, "3", 1); /* their ping, our pong */
	else if (c->state == JOINING)
		join(c, data, bytes);
	else if (begins(data, bytes, "42[\"message\""))
		scan(c, data, bytes, at);
	else
		count_error(data, bytes);
}

static void post(struct connection *c, const char *text, uint32_t number)
{
	char frame[4800];
	(void)number;
	int n = snprintf(frame, sizeof frame, "42[\"message\",\"%s\"]", text);
	websocket_send(c, frame, n);
}

const struct protocol socketio = {
	.name = "socketio",
	.connected = websocket_upgrade,
	.receive = websocket_receive,
	.opened = opened,
	.receive_frame = receive_frame,
	.post = post,
};
