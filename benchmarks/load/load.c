/* A load generator for chat servers: one thread, epoll, raw sockets.
 *
 * Every message's text carries a marker, "@@RUN,SEQ,CLOCK;", and padding. Receivers look for it in whatever
 * frames they are sent, so that servers of different protocols are measured by the same rule, and a frame may
 * bring several messages. A message counts as delivered when every member of its room has received it.
 *
 *   --window W  closed loop: at most W messages under way, that is not yet delivered to all members of their room
 *   --rate R    open loop: R messages a second; latency counts from the moment a message was due
 *   --idle      nothing is sent: the connections stay until standard input is closed
 *
 * Targets are lines of "ROOM PATH TOKEN" (PATH and TOKEN "-" for none), one connection each; "ROOM+ROOM" joins the
 * others, too, and posts to the first. Nothing is joined where the path is of no room. Prints one line of JSON; "begin"
 * and "end" on stderr mark the measured window. If idle, prints one line when all are there, and one at the end.
 */
#include "load.h"
#include <getopt.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define WAITED_FOR_THE_REST (10 * SECOND)
#define LONGEST_TEXT 4000

static const struct protocol *protocols[] = {&tutorial, &chat, &socketio, &xmpp, 0};

const struct protocol *protocol;
int port;
unsigned run;

static int window, text_bytes = 200, everybody_sends, is_idle;
static double rate, warm_seconds = 1, seconds = 3;
static char padding[LONGEST_TEXT];

struct measured { double connected, cpu, sent; };

uint64_t now(void)
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

void die(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(2);
}

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
	char text[LONGEST_TEXT + 200];
	struct connection *c = sender();
	if (c->state != READY)
		die("the sender has lost its connection");
	uint32_t number = count_post(c->room);
	snprintf(text, sizeof text, "@@%05u,%08u,%019llu;%.*s",
		run, number, (unsigned long long)due, text_bytes - MARKER, padding);
	protocol->post(c, text, number);
}

static void post_what_is_due(double *due)
{
	if (window) {
		while ((int)(sent - completed) < window)
			post(now());
		return pump(10);
	}
	for (; *due <= now(); *due += SECOND / rate)
		post((uint64_t)*due);
	double wait = (*due - now()) / 1e6;
	pump(wait < 1 ? 0 : wait > 10 ? 10 : (int)wait);
}

static void stay(void)
{
	double connected = connect_all();
	watch_for_the_end();
	printf("{\"connections\":%d,\"rooms\":%d,\"connect_s\":%.3f}\n", connection_count, room_count, connected);
	fflush(stdout);
	for (counts.frames = 0; !told_to_end;)
		pump(1000);
	printf("{\"frames\":%llu,\"errors\":%llu,\"dead\":%d}\n",
	       (unsigned long long)counts.frames, (unsigned long long)counts.errors, dead);
}

static struct measured measure(void)
{
	struct measured m = {.connected = connect_all()};
	for (uint64_t until = now() + SECOND / 5; now() < until;)
		pump(20);

	double due = now();
	int measuring = 0;
	begin = now() + (uint64_t)(warm_seconds * SECOND);
	end = begin + (uint64_t)(seconds * SECOND);
	for (uint64_t t; (t = now()) < end;) {
		if (!measuring && t >= begin) {
			measuring = 1;
			m.cpu = cpu_seconds();
			m.sent = sent;
			fprintf(stderr, "begin\n");
		}
		give_up_on_the_oldest(t);
		post_what_is_due(&due);
	}
	fprintf(stderr, "end\n");
	m.cpu = cpu_seconds() - m.cpu;
	m.sent = sent - m.sent;
	return m;
}

static uint64_t unanswered(void)
{
	return protocol->answers ? sent - counts.answered : 0;
}

static void await_the_rest(void)
{
	for (uint64_t until = now() + WAITED_FOR_THE_REST; (completed < sent || unanswered()) && now() < until;)
		pump(20);
	for (uint64_t until = now() + SECOND / 10; now() < until;)
		pump(20); /* what should not come at all */
	count_undelivered();
}

static void report(struct measured m)
{
	printf("{\"connections\":%d,\"rooms\":%d,\"connect_s\":%.2f,\"sent_per_s\":%.1f,\"messages_per_s\":%.1f,"
	       "\"deliveries_per_s\":%.0f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.1f,\"client_cpu\":%.2f,"
	       "\"megabytes_per_s\":%.1f,",
	       connection_count, room_count, m.connected, m.sent / seconds, counts.messages / seconds,
	       counts.deliveries / seconds, latency_ms(.5), latency_ms(.99), latency_max_ms(), m.cpu / seconds,
	       counts.bytes / seconds / 1e6);
	printf("\"lost\":%llu,\"undelivered\":%llu,\"unanswered\":%llu,\"doubled\":%llu,\"strayed\":%llu,"
	       "\"errors\":%llu,\"dead\":%d}\n",
	       (unsigned long long)counts.lost, (unsigned long long)counts.undelivered, (unsigned long long)unanswered(),
	       (unsigned long long)counts.doubled, (unsigned long long)counts.strayed, (unsigned long long)counts.errors,
	       dead);
}

static const struct protocol *protocol_named(const char *name)
{
	int i = 0;
	while (protocols[i] && strcmp(protocols[i]->name, name))
		i++;
	return protocols[i];
}

static void read_options(int argc, char **argv)
{
	static struct option options[] = {
		{"port", 1, 0, 'p'}, {"targets", 1, 0, 't'}, {"protocol", 1, 0, 'P'}, {"window", 1, 0, 'w'}, {"rate", 1, 0, 'r'},
		{"senders", 1, 0, 's'}, {"warm", 1, 0, 'W'}, {"seconds", 1, 0, 'S'}, {"bytes", 1, 0, 'b'},
		{"idle", 0, 0, 'i'}, {0}};
	for (int o; (o = getopt_long(argc, argv, "", options, 0)) != -1;)
		switch (o) {
		case 'p': port = atoi(optarg); break;
		case 't': read_targets(optarg); break;
		case 'P': protocol = protocol_named(optarg); break;
		case 'w': window = atoi(optarg); break;
		case 'r': rate = atof(optarg); break;
		case 's': everybody_sends = !strcmp(optarg, "everybody"); break;
		case 'W': warm_seconds = atof(optarg); break;
		case 'S': seconds = atof(optarg); break;
		case 'b': text_bytes = atoi(optarg); break;
		case 'i': is_idle = 1; break;
		default: exit(2);
		}
	if (!port || !connection_count || !protocol || (window > 0) + (rate > 0) + is_idle != 1 ||
	    text_bytes < MARKER || text_bytes > LONGEST_TEXT)
		die("wanted: --port P --targets FILE --protocol tutorial|chat|socketio|xmpp, --window W or --rate R or --idle, "
		    "[--senders first|everybody] [--warm S] [--seconds S] [--bytes 37..4000]");
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	if (is_idle) {
		stay();
		return 0;
	}
	run = getpid() % 100000;
	for (size_t i = 0; i < sizeof padding - 1; i++)
		padding[i] = i % 8 == 7 ? ' ' : 'x';
	struct measured m = measure();
	await_the_rest();
	report(m);
	return 0;
}
