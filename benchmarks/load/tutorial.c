/* The chat of the Channels tutorial: who is connected is in the room. */
#include "load.h"

static void post(struct connection *c, const char *text, uint32_t number)
{
	char frame[4800];
	(void)number;
	int n = snprintf(frame, sizeof frame, "{\"message\":\"%s\"}", text);
	websocket_send(c, frame, n);
}

const struct protocol tutorial = {
	.name = "tutorial",
	.connected = websocket_upgrade,
	.receive = websocket_receive,
	.opened = joined,
	.receive_frame = scan,
	.post = post,
};
