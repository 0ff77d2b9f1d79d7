/* Ours: docs/protocol.md. */
#include "load.h"
#include <time.h>

/* We are greeted, and told of each room that we have joined it: that of the path, and those we ask for. */
static void opened(struct connection *c)
{
	char frame[64];
	c->awaited = 1 + (strstr(c->path, "/rooms/") != 0);
	for (char *room = c->others; room && *room; room += strspn(room, "+")) {
		int n = snprintf(frame, sizeof frame, "{\"type\":\"join\",\"room\":%ld}", strtol(room, &room, 10));
		c->awaited++;
		websocket_send(c, frame, n);
	}
}

static int names(const char *data, size_t bytes, const char *type)
{
	return memmem(data, bytes < 400 ? bytes : 400, type, strlen(type)) != 0;
}

static void receive_frame(struct connection *c, const char *data, size_t bytes, uint64_t at)
{
	if (names(data, bytes, "\"error\"") && !names(data, bytes, "\"messages\"")) {
		count_error(data, bytes);
	} else if (c->state == JOINING) {
		int came = names(data, bytes, "\"type\":\"hello\"") || names(data, bytes, "\"type\":\"joined\"");
		if (came && !--c->awaited)
			joined(c);
	} else if (names(data, bytes, "\"posted\"")) {
		counts.answered++; /* in addition to "messages" */
	} else if (names(data, bytes, "\"messages\"")) {
		scan(c, data, bytes, at);
	}
}

static void post(struct connection *c, const char *text, uint32_t number)
{
	char frame[4800];
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	uint64_t milliseconds = t.tv_sec * 1000ull + t.tv_nsec / 1000000;
	int n = snprintf(frame, sizeof frame,
		"{\"type\":\"post\",\"room\":%s,\"client_id\":\"%08x-%04x-7%03x-8%03x-%04x%08x\",\"body\":\"%s\"}",
		room_names[c->room], (unsigned)(milliseconds >> 16), (unsigned)(milliseconds & 0xffff),
		number >> 12 & 0xfff, number & 0xfff, run & 0xffff, number, text);
	websocket_send(c, frame, n);
}

const struct protocol chat = {
	.name = "chat",
	.connected = websocket_upgrade,
	.receive = websocket_receive,
	.opened = opened,
	.receive_frame = receive_frame,
	.post = post,
	.answers = 1,
};
