/* The least that a healthy tick can cost: opens, locks, reads and stamps the files that unhang does, asks the same
 * servers at the same time with the same words, and reads the heads of their answers. Reads of the configuration no more
 * than the names and the URLs (http://ADDRESS:PORT/PATH), judges nothing, writes nothing, and restarts nobody.
 *
 *   least CONFIG STATE_DIR SECONDS
 *
 * Exit status 0: every one was answered with 200. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SERVICES = 1024, CONFIG = 1 << 18 };

struct service {
    char name[64], path[64], address[16];
    int port, lock, socket;
};

static struct service services[SERVICES];
static char text[CONFIG];

static void die(const char *what) {
    perror(what);
    exit(2);
}

/* A regular file, whole, into `text`. */
static void read_file(int folder, const char *name) {
    struct stat stat;
    int file = openat(folder, name, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) die(name);
    if (fstat(file, &stat) || (!S_ISREG(stat.st_mode) && stat.st_size)) die(name);
    ssize_t got = read(file, text, sizeof text - 1);
    text[got > 0 ? got : 0] = 0;
    close(file);
}

static int read_services(const char *config) {
    int count = 0;
    read_file(AT_FDCWD, config);
    for (char *line = text; line && count < SERVICES; line = strchr(line, '\n'), line += line != NULL) {
        struct service *last = &services[count > 0 ? count - 1 : 0];
        if (sscanf(line, "[service.%63[^]]]", services[count].name) == 1) count++;
        else sscanf(line, "url = \"http://%15[0-9.]:%d%63[^\"]\"", last->address, &last->port, last->path);
    }
    return count;
}

static int open_folder(const char *path) {
    struct stat stat;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0 || fstat(folder, &stat) || stat.st_mode & (S_IWGRP | S_IWOTH)) die(path);
    return folder;
}

static void claim(struct service *one, int locks, int states) {
    char name[80];
    struct stat stat;
    struct timespec now[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
    snprintf(name, sizeof name, "%s.lock", one->name);
    one->lock = openat(locks, name, O_RDWR | O_CREAT | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (one->lock < 0 || fstat(one->lock, &stat) || flock(one->lock, LOCK_EX | LOCK_NB)) die(name);
    snprintf(name, sizeof name, "%s.json", one->name);
    read_file(states, name);
    futimens(one->lock, now);
}

static void ask(struct service *one, int poll) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(one->port)};
    inet_pton(AF_INET, one->address, &to.sin_addr);
    one->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (one->socket < 0) die("socket");
    if (connect(one->socket, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) die("connect");
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = one};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, one->socket, &event)) die("epoll");
}

static void send_request(struct service *one, int poll) {
    char request[256];
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\naccept: */*\r\nuser-agent: least\r\nhost: %s:%d\r\nconnection: close\r\n\r\n",
                        one->path, one->address, one->port);
    send(one->socket, request, size, MSG_NOSIGNAL);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    epoll_ctl(poll, EPOLL_CTL_MOD, one->socket, &event);
}

static int is_well(struct service *one) {
    char head[2048];
    ssize_t got = recv(one->socket, head, sizeof head - 1, 0);
    head[got > 0 ? got : 0] = 0;
    close(one->socket);
    return strstr(head, "\r\n\r\n") && strncmp(head, "HTTP/1.1 200 ", 13) == 0;
}

static long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* How many are well. */
static int ask_all(int count, long until) {
    struct epoll_event ready[256];
    int poll = epoll_create1(EPOLL_CLOEXEC), well = 0, waiting = count;
    for (int at = 0; at < count; at++) ask(&services[at], poll);
    while (waiting > 0) {
        long left = until - now_ms();
        int events = left > 0 ? epoll_wait(poll, ready, 256, left) : 0;
        if (events <= 0) return well;
        for (int at = 0; at < events; at++) {
            struct service *one = ready[at].data.ptr;
            if (ready[at].events & EPOLLOUT) {
                send_request(one, poll);
            } else {
                well += is_well(one);
                waiting--;
            }
        }
    }
    return well;
}

int main(int argc, char **argv) {
    if (argc != 4) return fputs("least CONFIG STATE_DIR SECONDS\n", stderr), 2;
    long until = now_ms() + atol(argv[3]) * 1000;
    int count = read_services(argv[1]);
    read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id");
    int locks = open_folder(argv[2]), states = open_folder(argv[2]);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < 2U * count + 16) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    for (int at = 0; at < count; at++) claim(&services[at], locks, states);
    int well = ask_all(count, until);
    for (int at = 0; at < count; at++) flock(services[at].lock, LOCK_UN);
    return well == count ? 0 : 1;
}
