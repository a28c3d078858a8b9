/* Runs contenders side by side: in every round each once, in an order drawn anew, as cron would start them. A machine
 * that gets slower for a while then slows all of them down; hence ratios are taken within a round, and their median
 * over all rounds is what counts. Judges nothing.
 *
 *   rounds ROUNDS SECONDS FILE
 *
 * FILE: a line for each contender: its name and its words, parted by tabs. The first is what the others are held against.
 * SECONDS: who takes longer is killed, and counts as having taken that long.
 * Prints a line for each, parted by tabs: name, exit status of the last run (or "killed"), wall ms, CPU ms, peak KiB, and
 * wall and CPU as a multiple of the first one's.
 *
 * Static and vfork: the kernel counts this program's own memory as the least that a child ever had. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONTENDERS = 16, WORDS = 40, ROUNDS = 1000 };

struct contender {
    char *words[WORDS + 1]; /* the first is its name */
    double wall[ROUNDS], cpu[ROUNDS], peak[ROUNDS];
    int status; /* of its last run; -1: killed */
};

static struct contender contenders[CONTENDERS];
static char *const as_cron[] = {"PATH=/usr/bin:/bin", "HOME=/root", "LOGNAME=root", "SHELL=/bin/sh", NULL};

static void die(const char *what) {
    perror(what);
    exit(2);
}

static double ms_of(struct timeval t) { return t.tv_sec * 1e3 + t.tv_usec / 1e3; }

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static pid_t start(char *const *words) {
    pid_t child = vfork();
    if (child == 0) {
        setpgid(0, 0);
        execve(words[0], words, as_cron);
        _exit(127);
    }
    if (child < 0) die("vfork");
    return child;
}

static void run_once(struct contender *who, int round, int seconds) {
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    double until = now_ms() + seconds * 1e3, began = now_ms();
    pid_t child = start(who->words + 1);
    struct rusage used;
    int status, was_killed = 0;
    while (wait4(child, &status, WNOHANG, &used) == 0) {
        double left = until - now_ms();
        if (left <= 0) {
            was_killed = 1;
            kill(-child, SIGKILL);
            wait4(child, &status, 0, &used);
            break;
        }
        struct timespec wait = {(time_t)(left / 1e3), (long)(left * 1e6) % 1000000000};
        sigtimedwait(&ended, NULL, &wait);
    }
    who->wall[round] = now_ms() - began;
    who->cpu[round] = ms_of(used.ru_utime) + ms_of(used.ru_stime);
    who->peak[round] = used.ru_maxrss;
    who->status = was_killed ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *all, int count) {
    double sorted[ROUNDS];
    memcpy(sorted, all, count * sizeof *all);
    qsort(sorted, count, sizeof *sorted, by_size);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static double median_ratio(const double *of, const double *to, int count) {
    double ratios[ROUNDS];
    for (int at = 0; at < count; at++) ratios[at] = of[at] / to[at];
    return median(ratios, count);
}

static int read_contenders(const char *path) {
    static char line[8192];
    FILE *file = fopen(path, "r");
    if (!file) die(path);
    int count = 0;
    while (count < CONTENDERS && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *rest = strdup(line), *word;
        for (int at = 0; at < WORDS && (word = strsep(&rest, "\t")); at++) contenders[count].words[at] = word;
        count++;
    }
    fclose(file);
    return count;
}

static void draw_order(int *order, int count) {
    for (int at = 0; at < count; at++) order[at] = at;
    for (int at = count - 1; at > 0; at--) {
        int other = random() % (at + 1), kept = order[at];
        order[at] = order[other];
        order[other] = kept;
    }
}

int main(int argc, char **argv) {
    if (argc != 4) return fputs("rounds ROUNDS SECONDS FILE\n", stderr), 2;
    int rounds = atoi(argv[1]), seconds = atoi(argv[2]), count = read_contenders(argv[3]), order[CONTENDERS];
    if (rounds < 1 || rounds > ROUNDS || seconds < 1) return fputs("rounds: 1 to 1000\n", stderr), 2;
    int out = dup(1), null = open("/dev/null", O_RDWR);
    if (out < 0 || null < 0 || fcntl(out, F_SETFD, FD_CLOEXEC) < 0) die("/dev/null");
    for (int at = 0; at < 3; at++) dup2(null, at);
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    srandom(time(NULL));
    for (int round = -1; round < rounds; round++) { /* the first warms up, and is not counted */
        draw_order(order, count);
        if (round < 0 && rounds < 5) continue; /* long runs: there is nothing to warm up for */
        for (int at = 0; at < count; at++) {
            sigprocmask(SIG_BLOCK, &ended, NULL);
            run_once(&contenders[order[at]], round < 0 ? 0 : round, seconds);
        }
    }
    for (int at = 0; at < count; at++) {
        const struct contender *who = &contenders[at];
        char status[16];
        snprintf(status, sizeof status, who->status < 0 ? "killed" : "%d", who->status);
        dprintf(out, "%s\t%s\t%.3f\t%.3f\t%.0f\t%.3f\t%.3f\n", who->words[0], status, median(who->wall, rounds),
                median(who->cpu, rounds), median(who->peak, rounds), median_ratio(who->wall, contenders[0].wall, rounds),
                median_ratio(who->cpu, contenders[0].cpu, rounds));
    }
    return 0;
}
