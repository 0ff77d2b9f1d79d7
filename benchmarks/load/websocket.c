/* WebSocket: RFC 6455. A mask of zeros is a mask. */
#include "load.h"

enum opcode { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };

static void send_frame(struct connection *c, enum opcode opcode, const char *data, size_t bytes)
{
	unsigned char head[14] = {0x80 | opcode};
	int n = 2;
	if (bytes < 126) {
		head[1] = 0x80 | bytes;
	} else if (bytes < 65536) {
		head[1] = 0x80 | 126;
		head[n++] = bytes >> 8;
		head[n++] = bytes;
	} else {
		die("a message is too long");
	}
	buffer_append(&c->out, head, n + 4);
	buffer_append(&c->out, data, bytes);
	flush(c);
}

void websocket_send(struct connection *c, const char *text, size_t bytes)
{
	send_frame(c, TEXT, text, bytes);
}

void websocket_upgrade(struct connection *c)
{
	char request[4096], authorization[3072] = "";
	if (strcmp(c->token, "-"))
		snprintf(authorization, sizeof authorization, "Authorization: Bearer %s\r\n", c->token);
	int n = snprintf(request, sizeof request,
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
		c->path, port, authorization);
	c->state = UPGRADING;
	buffer_append(&c->out, request, n);
	flush(c);
}

/* Whether it is one now. */
static int upgraded(struct connection *c)
{
	struct buffer *in = &c->in;
	char *head = in->data + in->start, *body = memmem(head, in->end - in->start, "\r\n\r\n", 4);
	if (!body)
		return 0;
	if (memcmp(head + 8, " 101", 4)) {
		*body = 0;
		bury(c, head);
		return 0;
	}
	in->start = body + 4 - in->data;
	c->state = JOINING;
	protocol->opened(c);
	return 1;
}

/* Zero where the head has not come whole. */
static size_t head_length(const unsigned char *head, size_t held, size_t *length)
{
	size_t n = 2;
	*length = head[1] & 127;
	if (*length == 126) {
		if (held < (n = 4))
			return 0;
		*length = head[2] << 8 | head[3];
	} else if (*length == 127) {
		if (held < 10)
			return 0;
		for (*length = 0; n < 10; n++)
			*length = *length << 8 | head[n];
	}
	return n;
}

void websocket_receive(struct connection *c, uint64_t at)
{
	struct buffer *in = &c->in;
	if (c->state == UPGRADING && !upgraded(c))
		return;
	while (c->state != DEAD && in->end - in->start >= 2) {
		unsigned char *head = (unsigned char *)in->data + in->start;
		size_t length, held = in->end - in->start, n = head_length(head, held, &length);
		if (!n || held - n < length)
			break;
		char *data = (char *)head + n;
		switch (head[0] & 15) {
		case PING: send_frame(c, PONG, data, length); break;
		case CLOSE: return bury(c, "closed by the server");
		default:
			counts.frames++;
			protocol->receive_frame(c, data, length, at);
		}
		in->start += n + length;
	}
}
