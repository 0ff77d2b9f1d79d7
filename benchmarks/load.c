/* A load generator for chat servers: one thread, epoll, raw WebSockets.
 *
 * Every message's text carries a marker, "@@RUN,SEQ,CLOCK;", and padding. Receivers look for it in whatever
 * frames they are sent, so that servers of different protocols are measured by the same rule, and a frame may
 * bring several messages. A message counts as delivered when every member of its room has received it.
 *
 *   --window W  closed loop: at most W messages under way, that is not yet delivered to all members of their room
 *   --rate R    open loop: R messages a second; latency counts from the moment a message was due
 *
 * Targets are lines of "ROOM PATH TOKEN" (TOKEN "-" for none), one connection each. Prints one line of JSON;
 * "begin" and "end" on stderr mark the measured window.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ull
#define MAX_MESSAGES (1u << 23)
#define MAX_ROOMS 10000
#define MARKER 37 /* "@@00000,00000000,0000000000000000000;" */
#define CONNECTING_AT_ONCE 32
#define GIVEN_UP_AFTER (10 * SECOND)

enum state { NEW, CONNECTING, UPGRADING, JOINING, READY, DEAD };

struct buffer { char *data; size_t start, end, size; };

struct connection {
	enum state state;
	int fd, room, writing;
	char *path, *token;
	struct buffer in, out;
	int64_t last; /* the last message seen in this frame: body and HTML of one message carry the same marker */
};

struct histogram { uint64_t count[64 * 64], total, max; };

static struct connection *connections;
static int connection_count, ready, dead, started;
static char *room_names[MAX_ROOMS];
static int room_members[MAX_ROOMS], room_count;

static int port, window, text_bytes = 200, everybody_sends, is_chat, epoll;
static double rate, warm_seconds = 1, seconds = 3;

static unsigned run;
static uint32_t sent, oldest, completed;
static uint64_t *sent_at;
static uint16_t *delivered, *sent_room;

static uint64_t begin, end; /* of the measured window */
static uint64_t measured_messages, measured_deliveries, measured_bytes, lost, doubled, errors, answered;
static struct histogram latency;
static char padding[4096];

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static double cpu_seconds(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void die(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(2);
}

/* Latencies, in 64 steps to each power of two */

static void histogram_add(struct histogram *h, uint64_t value)
{
	if (value < 1)
		value = 1;
	int exponent = 63 - __builtin_clzll(value);
	int step = exponent < 6 ? (int)value : (exponent - 5) * 64 + (int)((value >> (exponent - 6)) & 63);
	h->count[step]++;
	h->total++;
	if (value > h->max)
		h->max = value;
}

static double histogram_quantile_ms(const struct histogram *h, double q)
{
	uint64_t wanted = (uint64_t)ceil(q * h->total), seen = 0;
	for (int i = 0; h->total && i < 64 * 64; i++)
		if ((seen += h->count[i]) >= wanted)
			return i < 64 ? i / 1e6 : ldexp(1 + (i % 64 + 0.5) / 64, i / 64 + 5) / 1e6;
	return 0;
}

/* Buffers and sockets */

static char *buffer_room(struct buffer *b, size_t bytes)
{
	if (b->start) {
		memmove(b->data, b->data + b->start, b->end - b->start);
		b->end -= b->start;
		b->start = 0;
	}
	if (b->size < b->end + bytes) {
		b->size = 2 * (b->end + bytes);
		if (!(b->data = realloc(b->data, b->size)))
			die("out of memory");
	}
	return b->data + b->end;
}

static void buffer_append(struct buffer *b, const void *data, size_t bytes)
{
	memcpy(buffer_room(b, bytes), data, bytes);
	b->end += bytes;
}

static void watch(struct connection *c, int how)
{
	struct epoll_event e = {.events = EPOLLIN | (c->writing ? EPOLLOUT : 0), .data.ptr = c};
	epoll_ctl(epoll, how, c->fd, &e);
}

static void bury(struct connection *c, const char *why)
{
	if (c->state == DEAD)
		return;
	if (dead++ < 3)
		fprintf(stderr, "load: connection %d ended: %.300s\n", (int)(c - connections), why);
	c->state = DEAD;
	epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, 0);
	close(c->fd);
}

static void flush(struct connection *c)
{
	while (c->out.start < c->out.end) {
		ssize_t n = send(c->fd, c->out.data + c->out.start, c->out.end - c->out.start, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return bury(c, strerror(errno));
		if (n < 0) {
			if (!c->writing) {
				c->writing = 1;
				watch(c, EPOLL_CTL_MOD);
			}
			return;
		}
		c->out.start += n;
	}
	c->out.start = c->out.end = 0;
	if (c->writing) {
		c->writing = 0;
		watch(c, EPOLL_CTL_MOD);
	}
}

/* WebSocket: RFC 6455. A mask of zeros is a mask. */

static void send_frame(struct connection *c, int opcode, const char *data, size_t bytes)
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

static void start_connecting(struct connection *c)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int one = 1;
	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	if ((c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) < 0)
		die("no more sockets: raise the limit of open files (ulimit -n)");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	connect(c->fd, (void *)&address, sizeof address);
	c->state = CONNECTING;
	c->writing = 1;
	watch(c, EPOLL_CTL_ADD);
}

static void upgrade(struct connection *c)
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

/* What servers send */

static void count_delivery(struct connection *c, const char *marker, uint64_t at)
{
	if (strtoul(marker + 2, 0, 10) != run)
		return;
	uint32_t number = strtoul(marker + 8, 0, 10);
	if (number >= sent || number == c->last)
		return;
	c->last = number;
	int members = room_members[sent_room[number]];
	if (++delivered[number] > members) {
		doubled++;
		return;
	}
	int measured = at >= begin && at < end;
	if (measured) {
		uint64_t due = strtoull(marker + 17, 0, 10);
		measured_deliveries++;
		histogram_add(&latency, at > due ? at - due : 1);
	}
	if (delivered[number] == members) {
		completed++;
		measured_messages += measured;
	}
}

static void scan(struct connection *c, const char *data, size_t bytes, uint64_t at)
{
	const char *stop = data + bytes;
	c->last = -1;
	while (stop - data >= MARKER && (data = memchr(data, '@', stop - data - (MARKER - 1)))) {
		if (data[1] == '@' && data[MARKER - 1] == ';') {
			count_delivery(c, data, at);
			data += MARKER;
		} else {
			data++;
		}
	}
}

static int names(const char *data, size_t bytes, const char *type)
{
	return memmem(data, bytes < 400 ? bytes : 400, type, strlen(type)) != 0;
}

static void receive_frame(struct connection *c, const char *data, size_t bytes, uint64_t at)
{
	if (!is_chat) {
		scan(c, data, bytes, at);
	} else if (names(data, bytes, "\"error\"") && !names(data, bytes, "\"messages\"")) {
		if (errors++ < 3)
			fprintf(stderr, "load: refused: %.*s\n", bytes < 300 ? (int)bytes : 300, data);
	} else if (c->state == JOINING) {
		if (names(data, bytes, "\"joined\"")) {
			c->state = READY;
			ready++;
		}
	} else if (names(data, bytes, "\"posted\"")) {
		answered++; /* for the sender alone, in addition to "messages" */
	} else if (names(data, bytes, "\"messages\"")) {
		scan(c, data, bytes, at);
	}
}

static void receive(struct connection *c, uint64_t at)
{
	struct buffer *in = &c->in;
	if (c->state == UPGRADING) {
		char *head = in->data + in->start, *body = memmem(head, in->end - in->start, "\r\n\r\n", 4);
		if (!body)
			return;
		if (memcmp(head + 8, " 101", 4)) {
			*body = 0;
			return bury(c, head);
		}
		in->start = body + 4 - in->data;
		c->state = is_chat ? JOINING : READY;
		ready += !is_chat;
	}
	while (c->state != DEAD && in->end - in->start >= 2) {
		unsigned char *head = (unsigned char *)in->data + in->start;
		size_t held = in->end - in->start, length = head[1] & 127, n = 2;
		if (length == 126) {
			if (held < (n = 4))
				break;
			length = head[2] << 8 | head[3];
		} else if (length == 127) {
			if (held < (n = 10))
				break;
			for (length = 0, n = 2; n < 10; n++)
				length = length << 8 | head[n];
		}
		if (held - n < length)
			break;
		if ((head[0] & 15) == 9)
			send_frame(c, 10, (char *)head + n, length);
		else if ((head[0] & 15) == 8)
			return bury(c, "closed by the server");
		else
			receive_frame(c, (char *)head + n, length, at);
		in->start += n + length;
	}
	if (in->start == in->end)
		in->start = in->end = 0;
}

static void serve(struct connection *c, uint32_t events)
{
	if (c->state == DEAD)
		return;
	if (c->state == CONNECTING) {
		int error = 0;
		socklen_t size = sizeof error;
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
		return error ? bury(c, strerror(error)) : upgrade(c);
	}
	if (events & EPOLLOUT)
		flush(c);
	if (c->state == DEAD || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	ssize_t n = recv(c->fd, buffer_room(&c->in, 65536), 65536, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		return bury(c, n ? strerror(errno) : "hung up");
	uint64_t at = now();
	c->in.end += n;
	if (at >= begin && at < end)
		measured_bytes += n;
	receive(c, at);
}

static void pump(int milliseconds)
{
	struct epoll_event events[512];
	int n = epoll_wait(epoll, events, 512, milliseconds);
	for (int i = 0; i < n; i++)
		serve(events[i].data.ptr, events[i].events);
}

/* What we send */

static struct connection *sender(void)
{
	static uint64_t state = 88172645463325252ull;
	for (int i = 0; everybody_sends && i < 1000; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		if (connections[state % connection_count].state == READY)
			return &connections[state % connection_count];
	}
	return &connections[0];
}

static void post(uint64_t due)
{
	char text[4200], frame[4800];
	struct connection *c = sender();
	int n;
	if (sent == MAX_MESSAGES)
		die("too many messages");
	if (c->state != READY)
		die("the sender has lost its connection");
	snprintf(text, sizeof text, "@@%05u,%08u,%019llu;%.*s", run, sent, (unsigned long long)due, text_bytes - MARKER, padding);
	if (is_chat) {
		struct timespec t;
		clock_gettime(CLOCK_REALTIME, &t);
		uint64_t milliseconds = t.tv_sec * 1000ull + t.tv_nsec / 1000000;
		n = snprintf(frame, sizeof frame,
			"{\"type\":\"post\",\"room\":%s,\"client_id\":\"%08x-%04x-7%03x-8%03x-%04x%08x\",\"body\":\"%s\"}",
			room_names[c->room], (unsigned)(milliseconds >> 16), (unsigned)(milliseconds & 0xffff),
			sent >> 12 & 0xfff, sent & 0xfff, run & 0xffff, sent, text);
	} else {
		n = snprintf(frame, sizeof frame, "{\"message\":\"%s\"}", text);
	}
	sent_at[sent] = now();
	sent_room[sent++] = c->room;
	send_frame(c, 1, frame, n);
}

static void give_up_on_the_oldest(uint64_t at)
{
	for (; oldest < sent; oldest++) {
		int whole = delivered[oldest] >= room_members[sent_room[oldest]];
		if (!whole && at - sent_at[oldest] < GIVEN_UP_AFTER)
			return;
		lost += !whole;
		completed += !whole;
	}
}

/* The run */

static void read_targets(const char *file)
{
	char room[64], path[256], token[2048];
	FILE *f = fopen(file, "r");
	if (!f)
		die("cannot read the targets");
	while (fscanf(f, "%63s %255s %2047s", room, path, token) == 3) {
		int r = 0;
		while (r < room_count && strcmp(room_names[r], room))
			r++;
		if (r == MAX_ROOMS)
			die("too many rooms");
		if (r == room_count)
			room_names[room_count++] = strdup(room);
		room_members[r]++;
		if (connection_count % 1024 == 0)
			connections = realloc(connections, (connection_count + 1024) * sizeof *connections);
		connections[connection_count++] =
			(struct connection){.room = r, .path = strdup(path), .token = strdup(token), .fd = -1};
	}
	fclose(f);
	if (!connection_count)
		die("no targets");
}

static double connect_all(void)
{
	uint64_t from = now();
	while (ready + dead < connection_count) {
		while (started < connection_count && started - ready - dead < CONNECTING_AT_ONCE)
			start_connecting(&connections[started++]);
		pump(100);
		if (now() - from > 120 * SECOND)
			die("connecting took more than two minutes");
		if (errors)
			die("a connection was refused");
	}
	if (dead)
		die("not every connection was made");
	return (now() - from) / 1e9;
}

static void read_options(int argc, char **argv)
{
	static struct option options[] = {
		{"port", 1, 0, 'p'}, {"targets", 1, 0, 't'}, {"protocol", 1, 0, 'P'}, {"window", 1, 0, 'w'}, {"rate", 1, 0, 'r'},
		{"senders", 1, 0, 's'}, {"warm", 1, 0, 'W'}, {"seconds", 1, 0, 'S'}, {"bytes", 1, 0, 'b'}, {0}};
	for (int o; (o = getopt_long(argc, argv, "", options, 0)) != -1;)
		switch (o) {
		case 'p': port = atoi(optarg); break;
		case 't': read_targets(optarg); break;
		case 'P': is_chat = !strcmp(optarg, "chat"); break;
		case 'w': window = atoi(optarg); break;
		case 'r': rate = atof(optarg); break;
		case 's': everybody_sends = !strcmp(optarg, "everybody"); break;
		case 'W': warm_seconds = atof(optarg); break;
		case 'S': seconds = atof(optarg); break;
		case 'b': text_bytes = atoi(optarg); break;
		default: exit(2);
		}
	if (!port || !connection_count || (window > 0) == (rate > 0) || text_bytes < MARKER || text_bytes > 4000)
		die("wanted: --port P --targets FILE --protocol chat|tutorial, --window W or --rate R, "
		    "[--senders first|everybody] [--warm S] [--seconds S] [--bytes 37..4000]");
}

int main(int argc, char **argv)
{
	epoll = epoll_create1(0);
	read_options(argc, argv);
	run = getpid() % 100000;
	sent_at = calloc(MAX_MESSAGES, sizeof *sent_at);
	delivered = calloc(MAX_MESSAGES, sizeof *delivered);
	sent_room = calloc(MAX_MESSAGES, sizeof *sent_room);
	for (size_t i = 0; i < sizeof padding - 1; i++)
		padding[i] = i % 8 == 7 ? ' ' : 'x';

	double connected = connect_all();
	for (uint64_t until = now() + SECOND / 5; now() < until;)
		pump(20);

	uint64_t from = now();
	double due = from, cpu = 0;
	uint32_t sent_before = 0;
	begin = from + (uint64_t)(warm_seconds * SECOND);
	end = begin + (uint64_t)(seconds * SECOND);
	int measuring = 0;
	for (uint64_t t; (t = now()) < end;) {
		if (!measuring && t >= begin) {
			measuring = 1;
			cpu = cpu_seconds();
			sent_before = sent;
			fprintf(stderr, "begin\n");
		}
		give_up_on_the_oldest(t);
		if (window) {
			while ((int)(sent - completed) < window)
				post(now());
			pump(10);
		} else {
			for (; due <= t; due += SECOND / rate)
				post((uint64_t)due);
			double wait = (due - now()) / 1e6;
			pump(wait < 1 ? 0 : wait > 10 ? 10 : (int)wait);
		}
	}
	fprintf(stderr, "end\n");
	cpu = cpu_seconds() - cpu;
	uint32_t sent_after = sent;
	for (uint64_t until = now() + GIVEN_UP_AFTER; (completed < sent || (is_chat && answered < sent)) && now() < until;)
		pump(20);
	uint64_t undelivered = 0;
	for (uint32_t i = 0; i < sent; i++) {
		int members = room_members[sent_room[i]];
		undelivered += delivered[i] < members ? members - delivered[i] : 0;
	}
	printf("{\"connections\":%d,\"rooms\":%d,\"connect_s\":%.2f,\"sent_per_s\":%.1f,\"messages_per_s\":%.1f,"
	       "\"deliveries_per_s\":%.0f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.1f,\"client_cpu\":%.2f,"
	       "\"megabytes_per_s\":%.1f,\"lost\":%llu,\"undelivered\":%llu,\"unanswered\":%llu,\"doubled\":%llu,\"errors\":%llu,\"dead\":%d}\n",
	       connection_count, room_count, connected, (sent_after - sent_before) / seconds, measured_messages / seconds,
	       measured_deliveries / seconds, histogram_quantile_ms(&latency, .5), histogram_quantile_ms(&latency, .99),
	       latency.max / 1e6, cpu / seconds, measured_bytes / seconds / 1e6, (unsigned long long)lost,
	       (unsigned long long)undelivered, is_chat ? sent - (unsigned long long)answered : 0ull, (unsigned long long)doubled, (unsigned long long)errors, dead);
	return 0;
}
