#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/log.h"

#define TEXT_BYTES ((size_t)8 * 1024 * 1024)

static char directory[] = "/tmp/verdict-log-XXXXXX";
static char path[64], other_path[64];
static char *text; /* what was read back */

static void pause_ms(long ms)
{
    const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    nanosleep(&t, NULL);
}

static uint64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The whole file in `text`; its bytes. */
static size_t slurp(const char *name)
{
    FILE *f = fopen(name, "re");
    size_t n;

    assert_non_null(f);
    n = fread(text, 1, TEXT_BYTES - 1, f);
    fclose(f);
    text[n] = '\0';
    return n;
}

/* The file says so within ten seconds. */
static void await_text(const char *name, const char *want)
{
    for (int i = 0; i < 1000; i++) {
        if (access(name, F_OK) == 0 && slurp(name) > 0 && strstr(text, want) != NULL)
            return;
        pause_ms(10);
    }
    fail_msg("%s never said %s", name, want);
}

static size_t tell_lost(void *context, uint64_t lines, char *to, size_t room)
{
    (void)context;
    return (size_t)snprintf(to, room, "lost %ju\n", (uintmax_t)lines);
}

static struct log *start(const char *target, unsigned rings)
{
    const struct log_settings settings = {
        .path = target, .rings = rings, .ring_bytes = LOG_LINE_BYTES_MAX, .tell_lost = tell_lost
    };
    struct log *l = NULL;

    assert_int_equal(log_start(&settings, &l), 0);
    return l;
}

static bool put(struct log *l, unsigned ring, const char *line)
{
    return log_line(log_ring_of(l, ring), span_of(line));
}

/* Standard error goes to a pipe until said() gives it back. */
static int kept_stderr = -1, said_pipe = -1;

static void hear(void)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    kept_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    said_pipe = ends[0];
}

static const char *said(void)
{
    static char words[4096];
    ssize_t n, total = 0;

    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    while ((n = read(said_pipe, words + total, sizeof words - 1 - (size_t)total)) > 0)
        total += n;
    close(said_pipe);
    words[total] = '\0';
    return words;
}

static unsigned count_of(const char *in, const char *what)
{
    unsigned n = 0;

    for (; (in = strstr(in, what)) != NULL; in++)
        n++;
    return n;
}

/* The records of put_many() and of losses in `text`; every one is whole. */
struct tally {
    unsigned lines;
    uint64_t told;
};

static struct tally tally_text(void)
{
    struct tally tally = { 0 };

    for (const char *line = text; *line != '\0';) {
        const char *end = strchr(line, '\n');
        uintmax_t some;
        unsigned number;

        assert_non_null(end);
        if (sscanf(line, "lost %ju\n", &some) == 1) {
            tally.told += some;
        } else {
            assert_int_equal(sscanf(line, "line %06u ...................\n", &number), 1);
            assert_int_equal(end + 1 - line, 32);
            tally.lines++;
        }
        line = end + 1;
    }
    return tally;
}

static unsigned put_many(struct log *l, unsigned count)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < count; i++) {
        char line[64];

        snprintf(line, sizeof line, "line %06u ...................\n", i);
        taken += put(l, 0, line);
        if (i % 500 == 0)
            pause_ms(2);
    }
    return taken;
}

static void lines_reach_a_file_in_order(void **state)
{
    struct log *l = start(path, 2);
    struct stat st;

    (void)state;
    assert_true(put(l, 0, "one\n"));
    assert_true(put(l, 0, "two\n"));
    await_text(path, "one\ntwo\n"); /* without a stop, after the linger */
    assert_true(put(l, 1, "three\n"));
    log_stop(&l);
    assert_null(l);
    log_stop(&l);
    slurp(path);
    assert_string_equal(text, "one\ntwo\nthree\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    l = start(path, 1); /* appends */
    put(l, 0, "four\n");
    log_stop(&l);
    slurp(path);
    assert_string_equal(text, "one\ntwo\nthree\nfour\n");
}

/* Lines of 32 bytes, more than half of the ring, put while the writer lingers: written before the linger is over. */
static bool burst_is_heard(void)
{
    struct log *l = start(path, 1);
    uint64_t before_ms;
    bool heard = false;

    pause_ms(20); /* the writer sleeps by then */
    before_ms = clock_ms();
    put(l, 0, "line 000000 ...................\n"); /* wakes the writer */
    pause_ms(5);
    for (size_t bytes = 0; bytes <= LOG_LINE_BYTES_MAX / 2; bytes += 32)
        put(l, 0, "line 000001 ...................\n");
    while (!heard && clock_ms() - before_ms < 40) {
        pause_ms(1);
        heard = slurp(path) > 0;
    }
    log_stop(&l);
    unlink(path);
    return heard;
}

static void a_burst_interrupts_the_linger(void **state)
{
    bool heard = false;

    (void)state;
    for (int tries = 0; !heard && tries < 20; tries++) /* a busy machine may miss the moment, not each time */
        heard = burst_is_heard();
    assert_true(heard);
}

struct producer {
    struct log_ring *ring;
    unsigned number;
    unsigned put;
};

static void *produce(void *arg)
{
    struct producer *p = arg;

    for (unsigned i = 0; i < 5000; i++) {
        char line[128];
        const int n = snprintf(line, sizeof line, "%u %u %050u\n", p->number, i, i);

        p->put += log_line(p->ring, (struct span){ line, (size_t)n });
        if (i % 1000 == 0)
            pause_ms(20); /* let the writer fall asleep now and then */
    }
    return NULL;
}

static void no_line_of_many_threads_is_torn_or_lost_in_silence(void **state)
{
    struct producer producers[3];
    pthread_t threads[3];
    struct log *l = start(path, 3);
    unsigned put_total = 0, next[3] = { 0 }, lines = 0;
    uint64_t lost, told = 0;
    FILE *f;
    char line[128];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        producers[i] = (struct producer){ .ring = log_ring_of(l, i), .number = i };
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        put_total += producers[i].put;
    }
    lost = log_lost(l);
    assert_int_equal(put_total + lost, 15000);
    log_stop(&l);
    f = fopen(path, "re");
    while (fgets(line, sizeof line, f) != NULL) {
        unsigned who, number, again;
        uintmax_t some;

        if (sscanf(line, "lost %ju\n", &some) == 1) {
            told += some;
            continue;
        }
        assert_int_equal(sscanf(line, "%u %u %u\n", &who, &number, &again), 3);
        assert_int_equal(number, again);
        assert_true(who < 3 && number >= next[who]);
        next[who] = number + 1;
        lines++;
    }
    fclose(f);
    assert_int_equal(lines, put_total);
    assert_int_equal(told, lost);
}

static void off_takes_nothing(void **state)
{
    struct log *l = (struct log *)path;
    const struct log_settings settings = { .path = "off", .rings = 1 };

    (void)state;
    assert_int_equal(log_start(&settings, &l), 0);
    assert_null(l);
    assert_null(log_ring_of(l, 0));
    assert_false(log_line(log_ring_of(l, 0), SPAN("x\n")));
    assert_int_equal(log_lost(l), 0);
    log_reopen(l);
    log_stop(&l);
}

static void a_start_that_fails_says_why_and_leaks_nothing(void **state)
{
    struct log_settings settings = { .path = "/no/such/directory/log", .rings = 1 };
    struct log *l = NULL;
    const int next = dup(0);
    int after;

    (void)state;
    assert_int_equal(log_start(&settings, &l), -ENOENT);
    settings.path = directory;
    assert_int_equal(log_start(&settings, &l), -EISDIR);
    assert_int_equal(mkfifo(path, 0600), 0);
    settings.path = path;
    assert_int_equal(log_start(&settings, &l), -ENXIO);
    assert_null(l);
    close(next);
    after = dup(0);
    assert_int_equal(after, next);
    close(after);
}

static void reopening_follows_a_rotation(void **state)
{
    struct log *l = start(path, 1);

    (void)state;
    put(l, 0, "before\n");
    await_text(path, "before\n");
    assert_int_equal(rename(path, other_path), 0);
    put(l, 0, "still there\n");
    await_text(other_path, "still there\n");
    log_reopen(l);
    for (int i = 0; i < 200 && access(path, F_OK) != 0; i++)
        pause_ms(10);
    put(l, 0, "after\n");
    await_text(path, "after\n");
    assert_null(strstr(text, "still"));
    log_stop(&l);
}

static void a_reopening_that_fails_keeps_the_old_file(void **state)
{
    char moved[128];
    struct log *l = start(path, 1);

    (void)state;
    hear();
    assert_int_equal(rename(path, other_path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    log_reopen(l);
    pause_ms(150);
    put(l, 0, "kept\n");
    log_stop(&l);
    snprintf(moved, sizeof moved, "%s: Is a directory: cannot be opened anew", path);
    assert_non_null(strstr(said(), moved));
    assert_int_equal(rmdir(path), 0);
    slurp(other_path);
    assert_string_equal(text, "kept\n");
}

static void a_full_device_is_said_once_and_counted_at_the_end(void **state)
{
    struct log *l = start("/dev/full", 1);
    const char *words;

    (void)state;
    hear();
    put(l, 0, "one\n");
    pause_ms(120);
    put(l, 0, "two\n");
    pause_ms(1100); /* at least one more try */
    log_stop(&l);
    words = said();
    assert_int_equal(count_of(words, "verdict: log: /dev/full: No space left on device: lines are being lost\n"), 1);
    assert_int_equal(count_of(words, "verdict: log: /dev/full: 2 lines were lost\n"), 1);
}

/* A file that may not grow stands for a full disk: a part of a record is written, then none. */
static void after_a_full_disk_no_record_is_torn_and_losses_are_told(void **state)
{
    struct rlimit before, small;
    struct log *l = start(path, 1);
    struct tally tally = { 0 };
    unsigned taken;
    uint64_t lost;

    (void)state;
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){ .rlim_cur = 1000, .rlim_max = before.rlim_max };
    hear();
    setrlimit(RLIMIT_FSIZE, &small);
    taken = put_many(l, 20000);
    lost = log_lost(l);
    assert_true(lost > 0);
    assert_int_equal(lost + taken, 20000);
    assert_int_equal(slurp(path), 1000);
    setrlimit(RLIMIT_FSIZE, &before);
    for (int i = 0; i < 100 && log_lost(l) != tally.told; i++) {
        pause_ms(100);
        slurp(path);
        if (text[strlen(text) - 1] == '\n')
            tally = tally_text();
    }
    assert_int_equal(tally.lines, taken);
    assert_int_equal(tally.told, lost);
    log_stop(&l);
    assert_int_equal(count_of(said(), "File too large: lines are being lost"), 1);
}

static void a_torn_record_does_not_go_on_in_the_next_file(void **state)
{
    struct rlimit before, small;
    struct log *l = start(path, 1);

    (void)state;
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){ .rlim_cur = 12, .rlim_max = before.rlim_max };
    hear();
    setrlimit(RLIMIT_FSIZE, &small);
    put(l, 0, "first line\n");
    put(l, 0, "second line\n");
    put(l, 0, "3\n");
    pause_ms(150);
    assert_int_equal(rename(path, other_path), 0);
    log_reopen(l);
    await_text(path, "lost 1\n");
    setrlimit(RLIMIT_FSIZE, &before);
    log_stop(&l);
    said();
    slurp(path);
    assert_string_equal(text, "3\nlost 1\n");
    slurp(other_path);
    assert_string_equal(text, "first line\ns");
}

/* `text` gets what comes out of the pipe until it is closed. */
static size_t drain(int fd)
{
    size_t total = 0;
    ssize_t n;

    while ((n = read(fd, text + total, TEXT_BYTES - 1 - total)) > 0)
        total += (size_t)n;
    text[total] = '\0';
    return total;
}

static int open_fifo(void)
{
    int fd;

    assert_int_equal(mkfifo(path, 0600), 0);
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    fcntl(fd, F_SETFL, 0);
    return fd;
}

static void *read_all(void *arg)
{
    drain(*(int *)arg);
    return NULL;
}

static void a_slow_reader_delays_the_writer_only(void **state)
{
    int fd = open_fifo();
    struct log *l = start(path, 1);
    const uint64_t before_ms = clock_ms();
    const unsigned taken = put_many(l, 20000); /* 640 kB: pipe, batch and ring are full by then */
    const uint64_t took_ms = clock_ms() - before_ms, lost = log_lost(l);
    struct tally tally;
    pthread_t thread;

    (void)state;
    assert_true(took_ms < 3000);
    assert_true(lost > 0);
    assert_int_equal(taken + lost, 20000);
    assert_int_equal(pthread_create(&thread, NULL, read_all, &fd), 0);
    pause_ms(300);
    log_stop(&l);
    pthread_join(thread, NULL);
    close(fd);
    tally = tally_text();
    assert_int_equal(tally.lines, taken);
    assert_int_equal(tally.told, lost);
}

/* Not only when the server ends, and not for each line. */
static void losses_to_a_slow_reader_are_said_while_they_happen(void **state)
{
    int fd = open_fifo();
    struct log *l = start(path, 2);
    pthread_t thread;
    const char *words;

    (void)state;
    hear();
    put_many(l, 20000);
    pause_ms(1300);
    put_many(l, 20000);
    pause_ms(1300);
    words = said();
    assert_int_equal(count_of(words, "\n"), 1);
    assert_int_equal(count_of(words, ": taken too slowly: lines are being lost\n"), 1);
    assert_int_equal(pthread_create(&thread, NULL, read_all, &fd), 0);
    pause_ms(300);
    log_stop(&l);
    pthread_join(thread, NULL);
    close(fd);
    assert_true(tally_text().told > 0);
}

static void stop_does_not_wait_for_a_reader_that_never_reads(void **state)
{
    const int fd = open_fifo();
    struct log *l = start(path, 1);
    uint64_t before_ms, took_ms;
    const char *words;

    (void)state;
    put_many(l, 10000);
    hear();
    before_ms = clock_ms();
    log_stop(&l);
    took_ms = clock_ms() - before_ms;
    words = said();
    assert_true(took_ms >= 900 && took_ms < 3000);
    assert_int_equal(count_of(words, " lines were lost\n"), 1);
    close(fd);
}

static void a_closed_pipe_loses_lines_until_the_next_reader(void **state)
{
    int fd = open_fifo();
    struct log *l = start(path, 1);
    const char *words;

    (void)state;
    put(l, 0, "heard\n");
    assert_int_equal(read(fd, text, 100), 6);
    hear();
    close(fd);
    put(l, 0, "unheard\n");
    put(l, 0, "unheard\n");
    for (int i = 0; i < 100 && log_lost(l) < 2; i++)
        pause_ms(10);
    pause_ms(1200); /* a record of the loss, lost too, is no lost line */
    assert_int_equal(log_lost(l), 2);
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    fcntl(fd, F_SETFL, 0);
    put(l, 0, "heard again\n");
    log_reopen(l);
    assert_int_equal(read(fd, text, 7), 7);
    log_stop(&l);
    assert_memory_equal(text, "lost 2\n", 7);
    drain(fd);
    assert_string_equal(text, "heard again\n");
    close(fd);
    words = said();
    assert_int_equal(count_of(words, "Broken pipe: lines are being lost"), 1);
    assert_int_equal(count_of(words, "were lost"), 0);
}

static void standard_output_keeps_its_flags(void **state)
{
    const int kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    int ends[2], flags;
    struct log *l;

    (void)state;
    fflush(stdout);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    l = start("-", 1);
    put(l, 0, "out\n");
    log_reopen(l); /* nothing to open anew */
    put(l, 0, "side\n");
    log_stop(&l);
    flags = fcntl(STDOUT_FILENO, F_GETFL);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    drain(ends[0]);
    close(ends[0]);
    assert_string_equal(text, "out\nside\n");
    assert_int_equal(flags & (O_NONBLOCK | O_APPEND), 0);
}

static void too_long_a_line_is_counted(void **state)
{
    struct log *l = start(path, 1);
    char *line = malloc(LOG_LINE_BYTES_MAX + 1);

    (void)state;
    memset(line, 'x', LOG_LINE_BYTES_MAX + 1);
    line[LOG_LINE_BYTES_MAX] = '\n';
    assert_false(log_line(log_ring_of(l, 0), (struct span){ line, LOG_LINE_BYTES_MAX + 1 }));
    assert_true(log_line(log_ring_of(l, 0), (struct span){ line + 1, LOG_LINE_BYTES_MAX }));
    assert_int_equal(log_lost(l), 1);
    log_stop(&l);
    free(line);
    assert_int_equal(slurp(path), LOG_LINE_BYTES_MAX + strlen("lost 1\n"));
}

static int setup_group(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_DFL); /* the writer must not need it ignored */
    text = malloc(TEXT_BYTES);
    if (text == NULL || mkdtemp(directory) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/log", directory);
    snprintf(other_path, sizeof other_path, "%s/log.1", directory);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    unlink(path);
    unlink(other_path);
    return 0;
}

static int teardown_group(void **state)
{
    (void)state;
    free(text);
    return rmdir(directory);
}

#define TEST(name) cmocka_unit_test_teardown(name, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_reach_a_file_in_order),
        TEST(a_burst_interrupts_the_linger),
        TEST(no_line_of_many_threads_is_torn_or_lost_in_silence),
        TEST(off_takes_nothing),
        TEST(a_start_that_fails_says_why_and_leaks_nothing),
        TEST(reopening_follows_a_rotation),
        TEST(a_reopening_that_fails_keeps_the_old_file),
        TEST(a_full_device_is_said_once_and_counted_at_the_end),
        TEST(after_a_full_disk_no_record_is_torn_and_losses_are_told),
        TEST(a_torn_record_does_not_go_on_in_the_next_file),
        TEST(a_slow_reader_delays_the_writer_only),
        TEST(losses_to_a_slow_reader_are_said_while_they_happen),
        TEST(stop_does_not_wait_for_a_reader_that_never_reads),
        TEST(a_closed_pipe_loses_lines_until_the_next_reader),
        TEST(standard_output_keeps_its_flags),
        TEST(too_long_a_line_is_counted),
    };

    return cmocka_run_group_tests_name("log", tests, setup_group, teardown_group);
}
