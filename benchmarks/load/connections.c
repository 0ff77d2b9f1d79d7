/* Buffers, sockets, and who is connected to which room. */
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTING_AT_ONCE 32
#define CONNECTING_AT_MOST (600 * SECOND)

struct connection *connections;
int connection_count, ready, dead, told_to_end, room_count, room_members[MAX_ROOMS];
char *room_names[MAX_ROOMS];

static int started, epoll = -1;

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

void buffer_append(struct buffer *b, const void *data, size_t bytes)
{
	memcpy(buffer_room(b, bytes), data, bytes);
	b->end += bytes;
}

static void watch(struct connection *c, int how)
{
	struct epoll_event e = {.events = EPOLLIN | (c->writing ? EPOLLOUT : 0), .data.ptr = c};
	epoll_ctl(epoll, how, c->fd, &e);
}

void joined(struct connection *c)
{
	c->state = READY;
	ready++;
}

void bury(struct connection *c, const char *why)
{
	if (c->state == DEAD)
		return;
	if (dead++ < 3)
		fprintf(stderr, "load: connection %d ended: %.300s\n", (int)(c - connections), why);
	ready -= c->state == READY;
	c->state = DEAD;
	epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, 0);
	close(c->fd);
}

void flush(struct connection *c)
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

static void connected(struct connection *c)
{
	int error = 0;
	socklen_t size = sizeof error;
	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error)
		return bury(c, strerror(error));
	protocol->connected(c);
}

static void serve(struct connection *c, uint32_t events)
{
	if (c->state == DEAD)
		return;
	if (c->state == CONNECTING)
		return connected(c);
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
		counts.bytes += n;
	protocol->receive(c, at);
	if (c->in.start == c->in.end)
		c->in.start = c->in.end = 0;
}

void pump(int milliseconds)
{
	struct epoll_event events[512];
	int n = epoll_wait(epoll, events, 512, milliseconds);
	for (int i = 0; i < n; i++)
		if (events[i].data.ptr)
			serve(events[i].data.ptr, events[i].events);
		else
			told_to_end = 1;
}

/* When standard input is closed. */
void watch_for_the_end(void)
{
	struct epoll_event closed = {.events = EPOLLIN, .data.ptr = 0};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &closed))
		die("standard input must be something that can be waited for, such as a pipe");
}

static int room_named(const char *name)
{
	int r = 0;
	while (r < room_count && strcmp(room_names[r], name))
		r++;
	if (r == MAX_ROOMS)
		die("too many rooms");
	if (r == room_count)
		room_names[room_count++] = strdup(name);
	return r;
}

void read_targets(const char *file)
{
	char room[1024], path[256], token[2048];
	FILE *f = fopen(file, "r");
	if (!f)
		die("cannot read the targets");
	while (fscanf(f, "%1023s %255s %2047s", room, path, token) == 3) {
		char *others = strchr(room, '+');
		if (others)
			*others++ = 0;
		int r = room_named(room);
		if (connection_count % 1024 == 0)
			connections = realloc(connections, (connection_count + 1024) * sizeof *connections);
		connections[connection_count++] = (struct connection){
			.room = r, .member = room_members[r]++, .path = strdup(path), .token = strdup(token),
			.others = others ? strdup(others) : 0, .fd = -1};
	}
	fclose(f);
	if (!connection_count)
		die("no targets");
}

double connect_all(void)
{
	uint64_t from = now();
	epoll = epoll_create1(0);
	while (ready + dead < connection_count) {
		while (started < connection_count && started - ready - dead < CONNECTING_AT_ONCE)
			start_connecting(&connections[started++]);
		pump(100);
		if (now() - from > CONNECTING_AT_MOST)
			die("connecting took more than ten minutes");
		if (counts.errors)
			die("a connection was refused");
	}
	if (dead)
		die("not every connection was made");
	return (now() - from) / 1e9;
}
