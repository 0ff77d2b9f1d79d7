/* What was posted and what of it came, to whom and when. */
#include "load.h"
#include <math.h>

#define GIVEN_UP_AFTER (10 * SECOND)

struct message {
	uint64_t sent_at;
	uint64_t *had_by; /* a bit for each member of its room */
	int room, delivered;
};

struct histogram { uint64_t count[64 * 64], total, max; };

struct counts counts;
uint32_t sent, completed;
uint64_t begin = UINT64_MAX, end = UINT64_MAX;

static struct message *messages;
static uint32_t oldest;
static struct histogram latency;

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

double latency_ms(double quantile)
{
	return histogram_quantile_ms(&latency, quantile);
}

double latency_max_ms(void)
{
	return latency.max / 1e6;
}

/* Every message to every member of its room exactly once */

uint32_t count_post(int room)
{
	if (!messages)
		messages = calloc(MAX_MESSAGES, sizeof *messages);
	if (!messages || sent == MAX_MESSAGES)
		die("too many messages");
	messages[sent] = (struct message){
		.sent_at = now(), .room = room, .had_by = calloc(room_members[room] / 64 + 1, sizeof(uint64_t))};
	if (!messages[sent].had_by)
		die("out of memory");
	return sent++;
}

static void count_delivery(struct connection *c, const char *marker, uint64_t at)
{
	if (strtoul(marker + 2, 0, 10) != run)
		return;
	uint32_t number = strtoul(marker + 8, 0, 10);
	if (number >= sent || number == c->last)
		return;
	c->last = number;
	struct message *m = &messages[number];
	if (m->room != c->room) {
		counts.strayed++;
		return;
	}
	uint64_t *had_by = &m->had_by[c->member / 64], bit = 1ull << c->member % 64;
	if (*had_by & bit) {
		counts.doubled++;
		return;
	}
	*had_by |= bit;
	int measured = at >= begin && at < end;
	if (measured) {
		uint64_t due = strtoull(marker + 17, 0, 10);
		counts.deliveries++;
		histogram_add(&latency, at > due ? at - due : 1);
	}
	if (++m->delivered == room_members[m->room]) {
		completed++;
		counts.messages += measured;
	}
}

/* One frame, or one stanza. */
void scan(struct connection *c, const char *data, size_t bytes, uint64_t at)
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

void count_error(const char *data, size_t bytes)
{
	if (counts.errors++ < 3)
		fprintf(stderr, "load: refused: %.*s\n", bytes < 300 ? (int)bytes : 300, data);
}

void give_up_on_the_oldest(uint64_t at)
{
	for (; oldest < sent; oldest++) {
		const struct message *m = &messages[oldest];
		int whole = m->delivered >= room_members[m->room];
		if (!whole && at - m->sent_at < GIVEN_UP_AFTER)
			return;
		counts.lost += !whole;
		completed += !whole;
	}
}

void count_undelivered(void)
{
	for (uint32_t i = 0; i < sent; i++)
		counts.undelivered += room_members[messages[i].room] - messages[i].delivered;
}
