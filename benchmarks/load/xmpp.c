/* XMPP (RFC 6120, 6121) over TCP, as its servers like it best: an anonymous login, then a room of XEP-0045.
 * What comes is no more parsed than is needed to tell where a message's stanza begins and ends. */
#include "load.h"

#define HOST "localhost"
#define ROOMS "conference.localhost"

enum step { OPENING, LOGGING_IN, OPENING_AGAIN, BINDING, ENTERING };

static void say(struct connection *c, const char *what)
{
	buffer_append(&c->out, what, strlen(what));
	flush(c);
}

static void open_stream(struct connection *c)
{
	say(c, "<?xml version='1.0'?><stream:stream to='" HOST "' xmlns='jabber:client' "
	       "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>");
}

static void connected(struct connection *c)
{
	c->state = JOINING;
	c->step = OPENING;
	open_stream(c);
}

static void log_in(struct connection *c)
{
	say(c, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>");
}

static void bind_resource(struct connection *c)
{
	say(c, "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
}

static void enter_room(struct connection *c)
{
	char presence[512];
	snprintf(presence, sizeof presence,
		"<presence to='%s@" ROOMS "/member%d'><x xmlns='http://jabber.org/protocol/muc'>"
		"<history maxstanzas='0'/></x></presence>", room_names[c->room], c->member);
	say(c, presence);
}

/* What ends each step, and what is done then. */
static const struct { const char *awaited; void (*next)(struct connection *); } steps[] = {
	[OPENING] = {"</stream:features>", log_in},
	[LOGGING_IN] = {"<success", open_stream},
	[OPENING_AGAIN] = {"</stream:features>", bind_resource},
	[BINDING] = {"</iq>", enter_room},
	[ENTERING] = {"code='110'", joined}, /* our own presence, which comes after all others */
};

static int says(const char *data, size_t bytes, const char *what)
{
	return memmem(data, bytes, what, strlen(what)) != 0;
}

static void join(struct connection *c)
{
	struct buffer *in = &c->in;
	const char *data = in->data + in->start;
	size_t bytes = in->end - in->start;
	if (says(data, bytes, "<failure") || says(data, bytes, "type='error'") || says(data, bytes, "<stream:error"))
		return count_error(data, bytes);
	if (!says(data, bytes, steps[c->step].awaited))
		return;
	in->start = in->end;
	steps[c->step++].next(c);
}

/* Of messages only those to the room: one that is refused is sent back whole, as an error. */
static void receive_message(struct connection *c, const char *data, size_t bytes, uint64_t at)
{
	const char *head_ends = memchr(data, '>', bytes);
	if (says(data, head_ends - data, "type='groupchat'"))
		scan(c, data, bytes, at);
	else
		count_error(data, bytes);
}

static void receive(struct connection *c, uint64_t at)
{
	static const char begins[] = "<message", ends[] = "</message>";
	struct buffer *in = &c->in;
	if (c->state == JOINING)
		return join(c);
	while (c->state == READY) {
		char *data = in->data + in->start, *stop = in->data + in->end;
		char *from = memmem(data, stop - data, begins, sizeof begins - 1);
		char *to = from ? memmem(from, stop - from, ends, sizeof ends - 1) : 0;
		if (!from && stop - data > (long)sizeof begins)
			in->start = in->end - sizeof begins; /* what is left may be the beginning of one */
		if (!to)
			return;
		to += sizeof ends - 1;
		receive_message(c, from, to - from, at);
		in->start = to - in->data;
	}
}

static void post(struct connection *c, const char *text, uint32_t number)
{
	char stanza[4800];
	snprintf(stanza, sizeof stanza, "<message to='%s@" ROOMS "' type='groupchat' id='m%u'><body>%s</body></message>",
		room_names[c->room], number, text);
	say(c, stanza);
}

const struct protocol xmpp = {
	.name = "xmpp",
	.connected = connected,
	.receive = receive,
	.post = post,
};
