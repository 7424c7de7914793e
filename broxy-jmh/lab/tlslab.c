/*
 * tlslab - load for proxies that speak TLS to their clients: what tunlab is for plain ones.
 *
 *   tlslab origin --port P      the origin of the tunlab beside it
 *   tlslab load MODE [options]  one measured run, one TSV row on stdout, with tunlab's columns
 *   tlslab header               the names of the columns
 *
 * MODE: full (a connection with a full handshake, CONNECT, 64 bytes there and back), resumed (the same with a resumed session),
 * pingpong, bulk (down), idle. A thread for each client, OpenSSL, loopback only. See README.md.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define GIB (1024.0 * 1024 * 1024)
#define ECHO 0
#define SOURCE 2
#define MAX_LATENCIES (1u << 20)

static struct {
    const char *mode, *name;
    struct sockaddr_in proxy;
    int origin_port, proxy_pid, origin_pid, cpu, conc, plain, size, count;
    double secs;
} opt = {.name = "-", .conc = 1, .size = 64, .count = 500, .secs = 1};

static SSL_CTX *context;
static uint64_t started, deadline;

struct client {
    pthread_t thread;
    SSL_SESSION *session;
    uint64_t units, bytes, errors, resumed;
    uint32_t *latencies;
    unsigned used;
};

static void die(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "tlslab: ");
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\n");
    va_end(ap);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

/* ------------------------------------------------------------------ connections */

static int keep_session(SSL *ssl, SSL_SESSION *session) {
    struct client *c = SSL_get_ex_data(ssl, 0);
    if (c->session) SSL_SESSION_free(c->session);
    c->session = session;
    return 1;
}

static int read_all(SSL *ssl, char *into, int count) {
    for (int got = 0; got < count;) {
        int n = SSL_read(ssl, into + got, count - got);
        if (n <= 0) return -1;
        got += n;
    }
    return 0;
}

/* A connection with an open tunnel to a port of the origin, or NULL. */
static SSL *open_tunnel(struct client *c, int service) {
    struct sockaddr_in to = opt.proxy;
    struct timeval patience = {20, 0};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket: %s", strerror(errno));
    if (opt.plain) to.sin_port = htons(ntohs(to.sin_port) + service);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    SSL *ssl = SSL_new(context);
    SSL_set_ex_data(ssl, 0, c);
    if (!strcmp(opt.mode, "resumed") && c->session) SSL_set_session(ssl, c->session);
    SSL_set_fd(ssl, fd);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) || SSL_connect(ssl) != 1) goto failed;
    if (!opt.plain) {
        char head[256];
        int length = snprintf(head, sizeof head, "CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
                              opt.origin_port + service, opt.origin_port + service);
        if (SSL_write(ssl, head, length) != length) goto failed;
        for (int at = 0, end = 0; end < 4; at++) {
            if (at == sizeof head || read_all(ssl, head + at, 1)) goto failed;
            end = head[at] == "\r\n\r\n"[end] ? end + 1 : head[at] == '\r';
        }
    }
    return ssl;
failed:
    SSL_free(ssl);
    close(fd);
    return NULL;
}

static void close_tunnel(SSL *ssl) {
    int fd = SSL_get_fd(ssl);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
}

/* ------------------------------------------------------------------ modes */

static void note(struct client *c, uint64_t begun) {
    c->units++;
    if (c->used < MAX_LATENCIES / opt.conc) c->latencies[c->used++] = now_ns() - begun;
}

static int echo(SSL *ssl, char *bytes, int count) {
    return SSL_write(ssl, bytes, count) == count && !read_all(ssl, bytes, count) ? 0 : -1;
}

static void connections(struct client *c) {
    char bytes[64] = "tlslab";
    while (now_ns() < deadline) {
        uint64_t begun = now_ns();
        SSL *ssl = open_tunnel(c, ECHO);
        if (!ssl || echo(ssl, bytes, sizeof bytes)) {
            c->errors++;
            if (c->errors > 100) die("too many errors");
        } else {
            if (SSL_session_reused(ssl)) c->resumed++;
            note(c, begun);
        }
        if (ssl) close_tunnel(ssl);
    }
}

static void messages(struct client *c, SSL *ssl) {
    char *bytes = calloc(1, opt.size);
    while (now_ns() < deadline) {
        uint64_t begun = now_ns();
        if (echo(ssl, bytes, opt.size)) die("the tunnel broke");
        note(c, begun);
    }
    free(bytes);
}

static void source(struct client *c, SSL *ssl) {
    static const char ask[] = "1099511627776\n";
    char *bytes = malloc(1 << 18);
    if (SSL_write(ssl, ask, sizeof ask - 1) <= 0) die("the tunnel broke");
    while (now_ns() < deadline) {
        int n = SSL_read(ssl, bytes, 1 << 18);
        if (n <= 0) die("the tunnel broke");
        c->bytes += n;
    }
    free(bytes);
}

static pthread_barrier_t ready;

static void *run(void *of) {
    struct client *c = of;
    SSL *ssl = NULL;
    int bulk = !strcmp(opt.mode, "bulk"), ping = !strcmp(opt.mode, "pingpong");
    if ((bulk || ping) && !(ssl = open_tunnel(c, bulk ? SOURCE : ECHO))) die("no tunnel");
    if (!strcmp(opt.mode, "resumed")) { /* the first session is not measured */
        char byte = 1;
        SSL *first = open_tunnel(c, ECHO);
        if (!first || echo(first, &byte, 1)) die("no tunnel");
        close_tunnel(first);
    }
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&ready); /* the clock is set */
    if (bulk) source(c, ssl);
    else if (ping) messages(c, ssl);
    else connections(c);
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&ready); /* the figures are taken */
    if (ssl) close_tunnel(ssl);
    return NULL;
}

/* ------------------------------------------------------------------ figures, as tunlab's */

struct usage {
    double user, sys, origin, lab, cpu, all, steal;
};

static double ticks(char *fields, int skip, int count) {
    double sum = 0;
    for (int i = 0; i < skip + count; i++) {
        char *end;
        while (*fields == ' ') fields++;
        double v = strtod(fields, &end);
        if (end == fields) while (*end && *end != ' ') end++;
        if (i >= skip) sum += v;
        fields = end;
    }
    return sum / sysconf(_SC_CLK_TCK);
}

static void proc_times(int pid, double *user, double *sys) {
    char path[64], buf[1024] = "";
    *user = *sys = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = pid > 0 ? fopen(path, "r") : NULL;
    if (!f) return;
    if (fgets(buf, sizeof buf, f)) {
        char *after = strrchr(buf, ')') + 2; /* field 3, "state" */
        *user = ticks(after, 11, 1);
        *sys = ticks(after, 12, 1);
    }
    fclose(f);
}

static struct usage usage_now(void) {
    struct usage u = {0};
    struct rusage r;
    double a, b;
    char line[512], want[16];
    proc_times(opt.proxy_pid, &u.user, &u.sys);
    proc_times(opt.origin_pid, &a, &b);
    u.origin = a + b;
    getrusage(RUSAGE_SELF, &r);
    u.lab = r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
    snprintf(want, sizeof want, "cpu%d ", opt.cpu);
    FILE *f = fopen("/proc/stat", "r");
    while (f && fgets(line, sizeof line, f)) {
        char *fields = strchr(line, ' ');
        double busy = fields ? ticks(fields, 0, 3) + ticks(fields, 5, 2) : 0;
        if (!strncmp(line, "cpu ", 4)) u.all = busy, u.steal = ticks(fields, 7, 1);
        if (!strncmp(line, want, strlen(want))) u.cpu = busy;
    }
    if (f) fclose(f);
    return u;
}

static long status_kb(const char *key) {
    char path[64], line[256];
    long v = -1;
    snprintf(path, sizeof path, "/proc/%d/status", opt.proxy_pid);
    FILE *f = opt.proxy_pid > 0 ? fopen(path, "r") : NULL;
    if (!f) return -1;
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key))) v = atol(line + strlen(key));
    fclose(f);
    return v;
}

static const char HEADER[] =
    "name\tmode\tvariant\tconc\tsecs\tunits\trate_per_s\tproxy_cpu_us_per_unit\tproxy_user_share\t"
    "cpu_busy_us_per_unit\tp50_us\tp99_us\tp999_us\tmax_us\terrors\treconnects\tproxy_cpu_pct\t"
    "lab_cpu_pct\torigin_cpu_pct\trss_kb\thwm_kb\tother_cpu_pct\tsteal_pct";

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static double percentile(const uint32_t *sorted, unsigned count, double p) {
    unsigned i = p * count;
    return count ? sorted[i < count ? i : count - 1] / 1000.0 : 0;
}

static int run_load(void) {
    struct client *clients = calloc(opt.conc, sizeof *clients);
    uint32_t *all = malloc(sizeof *all * MAX_LATENCIES);
    unsigned used = 0;
    uint64_t errors = 0, resumed = 0, connections_made = 0;
    double units = 0;
    int bulk = !strcmp(opt.mode, "bulk");
    pthread_barrier_init(&ready, NULL, opt.conc + 1);
    for (int i = 0; i < opt.conc; i++) {
        clients[i].latencies = malloc(sizeof(uint32_t) * (MAX_LATENCIES / opt.conc));
        if (pthread_create(&clients[i].thread, NULL, run, &clients[i])) die("no thread");
    }
    pthread_barrier_wait(&ready);
    struct usage a = usage_now();
    started = now_ns();
    deadline = started + opt.secs * 1e9;
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&ready);
    double secs = (now_ns() - started) / 1e9;
    struct usage b = usage_now();
    pthread_barrier_wait(&ready);
    for (int i = 0; i < opt.conc; i++) {
        struct client *c = &clients[i];
        pthread_join(c->thread, NULL);
        units += bulk ? c->bytes / GIB : c->units;
        errors += c->errors;
        resumed += c->resumed;
        connections_made += c->units;
        memcpy(all + used, c->latencies, c->used * sizeof *all);
        used += c->used;
    }
    if (!strcmp(opt.mode, "resumed") && resumed < connections_made) die("only %llu of %llu sessions were resumed",
            (unsigned long long)resumed, (unsigned long long)connections_made);
    if (!strcmp(opt.mode, "full") && resumed) die("%llu sessions were resumed", (unsigned long long)resumed);
    qsort(all, used, sizeof *all, by_value);
    double cpu = b.user - a.user + b.sys - a.sys, per = units > 0 ? 1e6 / units : 0;
    double other = b.all - a.all - cpu - (b.lab - a.lab) - (b.origin - a.origin);
    printf("%s\t%s\t%s\t%d\t%.3f\t%.3f\t%.3f\t%.2f\t%.2f\t%.2f\t%.1f\t%.1f\t%.1f\t%.1f\t%llu\t%d\t%.0f\t%.0f\t%.0f\t%ld\t%ld\t%.0f\t%.0f\n",
           opt.name, opt.mode, "tls", opt.conc, secs, units, units / secs, cpu * per, cpu > 0 ? (b.user - a.user) / cpu : 0,
           (b.cpu - a.cpu) * per, percentile(all, used, .5), percentile(all, used, .99), percentile(all, used, .999),
           used ? all[used - 1] / 1000.0 : 0, (unsigned long long)errors, 0, 100 * cpu / secs, 100 * (b.lab - a.lab) / secs,
           100 * (b.origin - a.origin) / secs, status_kb("VmRSS:"), status_kb("VmHWM:"), 100 * other / secs,
           100 * (b.steal - a.steal) / secs);
    return 0;
}

static int run_idle(void) {
    struct client one = {0};
    SSL **all = calloc(opt.count, sizeof *all);
    char bytes[1024] = "tlslab";
    long before = status_kb("VmRSS:");
    for (int i = 0; i < opt.count; i++)
        if (!(all[i] = open_tunnel(&one, ECHO))) die("tunnel %d of %d does not open", i, opt.count);
    usleep(200000);
    long opened = status_kb("VmRSS:");
    int answered = 0;
    for (int i = 0; i < opt.count; i++)
        if (!echo(all[i], bytes, sizeof bytes)) answered++;
    usleep(200000);
    long touched = status_kb("VmRSS:");
    struct usage a = usage_now();
    printf("held %d answered %d rss_before_kb %ld rss_open_kb %ld rss_touched_kb %ld kb_per_open %.2f kb_per_touched %.2f\n",
           opt.count, answered, before, opened, touched, (double)(opened - before) / opt.count,
           (double)(touched - before) / opt.count);
    fflush(stdout);
    usleep(opt.secs * 1e6);
    struct usage b = usage_now();
    printf("idle_cpu_ms_per_s %.1f rss_end_kb %ld\n", 1e3 * (b.user + b.sys - a.user - a.sys) / opt.secs, status_kb("VmRSS:"));
    return 0;
}

static void parse_addr(const char *s, struct sockaddr_in *a) {
    char host[64];
    int port;
    if (sscanf(s, "%63[^:]:%d", host, &port) != 2) die("want HOST:PORT, not %s", s);
    a->sin_family = AF_INET;
    a->sin_port = htons(port);
    if (inet_pton(AF_INET, host, &a->sin_addr) != 1 || (ntohl(a->sin_addr.s_addr) >> 24) != 127) die("loopback addresses only");
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && !strcmp(argv[1], "header")) return puts(HEADER) < 0;
    if (argc > 1 && !strcmp(argv[1], "origin")) {
        char path[4096];
        const char *slash = strrchr(argv[0], '/');
        snprintf(path, sizeof path, "%.*stunlab", slash ? (int)(slash - argv[0] + 1) : 0, argv[0]);
        argv[0] = path;
        execvp(path, argv);
        die("%s does not run: %s", path, strerror(errno));
    }
    if (argc < 3 || strcmp(argv[1], "load")) die("usage: tlslab origin|load MODE|header [options]");
    opt.mode = argv[2];
    if (!strstr(" full resumed pingpong bulk idle ", opt.mode)) die("unknown mode %s", opt.mode);
    for (int i = 3; i < argc; i++) {
        const char *k = argv[i], *v = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(k, "--plain-tcp")) { opt.plain = 1; continue; }
        if (!strcmp(k, "--origin")) opt.origin_port = atoi(v);
        else if (!strcmp(k, "--proxy")) parse_addr(v, &opt.proxy);
        else if (!strcmp(k, "--name")) opt.name = v;
        else if (!strcmp(k, "--pid")) opt.proxy_pid = atoi(v);
        else if (!strcmp(k, "--origin-pid")) opt.origin_pid = atoi(v);
        else if (!strcmp(k, "--cpu")) opt.cpu = atoi(v);
        else if (!strcmp(k, "-c")) opt.conc = atoi(v);
        else if (!strcmp(k, "--secs")) opt.secs = atof(v);
        else if (!strcmp(k, "--size")) opt.size = atoi(v);
        else if (!strcmp(k, "--count")) opt.count = atoi(v);
        else if (!strcmp(k, "--dir") && !strcmp(v, "down")) ;
        else die("unknown option %s %s", k, v);
        i++;
    }
    if (opt.conc < 1 || opt.conc > 256 || opt.secs > 120) die("want -c from 1 to 256 and --secs <= 120");
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    return !strcmp(opt.mode, "idle") ? run_idle() : run_load();
}
