/* What the parts of the load generator know of each other. See load.c for what it does. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ull
#define MAX_MESSAGES (1u << 23)
#define MAX_ROOMS 10000
#define MARKER 37 /* "@@00000,00000000,0000000000000000000;" */

enum state { NEW, CONNECTING, UPGRADING, JOINING, READY, DEAD };

struct buffer { char *data; size_t start, end, size; };

struct connection {
	enum state state;
	int fd, room, member, writing;
	int step; /* of joining, where a protocol has several */
	int awaited; /* of what is said when we have joined, where it is several */
	char *path, *token, *others; /* "2+3": rooms to join besides that of the path */
	struct buffer in, out;
	int64_t last; /* the last message seen in this frame: body and HTML of one message carry the same marker */
};

/* How a server is spoken to. */
struct protocol {
	const char *name;
	void (*connected)(struct connection *);
	void (*receive)(struct connection *, uint64_t at); /* more is in `in` */
	void (*post)(struct connection *, const char *text, uint32_t number);
	int answers; /* each post is answered, to its sender alone */

	/* Of those that travel in WebSockets. */
	void (*opened)(struct connection *);
	void (*receive_frame)(struct connection *, const char *data, size_t bytes, uint64_t at);
};

extern const struct protocol tutorial, chat, socketio, xmpp;
extern const struct protocol *protocol;
extern int port;
extern unsigned run;

/* load.c */
uint64_t now(void);
void die(const char *what);

/* connections.c */
extern struct connection *connections;
extern int connection_count, ready, dead, told_to_end, room_count, room_members[MAX_ROOMS];
extern char *room_names[MAX_ROOMS];
void read_targets(const char *file);
double connect_all(void);
void pump(int milliseconds);
void watch_for_the_end(void);
void buffer_append(struct buffer *, const void *data, size_t bytes);
void flush(struct connection *);
void joined(struct connection *);
void bury(struct connection *, const char *why);

/* counting.c */
struct counts {
	uint64_t messages, deliveries, bytes; /* within the measured window */
	uint64_t lost, undelivered, strayed, doubled, errors, answered, frames;
};
extern struct counts counts;
extern uint32_t sent, completed;
extern uint64_t begin, end; /* of the measured window */
uint32_t count_post(int room);
void scan(struct connection *, const char *data, size_t bytes, uint64_t at);
void count_error(const char *data, size_t bytes);
void give_up_on_the_oldest(uint64_t at);
void count_undelivered(void);
double latency_ms(double quantile);
double latency_max_ms(void);

/* websocket.c */
void websocket_upgrade(struct connection *);
void websocket_receive(struct connection *, uint64_t at);
void websocket_send(struct connection *, const char *text, size_t bytes);
