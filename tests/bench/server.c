/* Answers HTTP on every address of 127.0.0.0/8, so that a thousand services are a thousand hosts and no client can ask
 * them all over one connection. Prints its port, which the kernel chose. Paths: /sick is answered with 503, /hung never,
 * any other with 200. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const char well[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n"
                           "Connection: close\r\n\r\n{\"status\": \"healthy\"}\n";
static const char sick[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

static void die(const char *what) {
    perror(what);
    exit(2);
}

static int listen_on_any_port(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, size) || listen(listener, 4096)) die("listen");
    getsockname(listener, (struct sockaddr *)&at, &size);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return listener;
}

/* Nobody but this machine is served. */
static int is_local(const struct sockaddr_in *peer) { return ntohl(peer->sin_addr.s_addr) >> 24 == 127; }

static void accept_all(int listener, int poll) {
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    int fd;
    while ((fd = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (!is_local(&peer) || epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event)) close(fd);
        size = sizeof peer;
    }
}

/* All clients here send their whole request at once. */
static void answer(int fd) {
    char request[4096];
    ssize_t got = read(fd, request, sizeof request - 1);
    if (got < 0 && errno == EAGAIN) return;
    request[got > 0 ? got : 0] = 0;
    if (got > 0 && strncmp(request, "GET /hung", 9) == 0) return;
    if (got > 0) {
        int is_sick = strncmp(request, "GET /sick", 9) == 0;
        send(fd, is_sick ? sick : well, is_sick ? sizeof sick - 1 : sizeof well - 1, MSG_NOSIGNAL);
    }
    close(fd);
}

int main(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int listener = listen_on_any_port(), poll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[256];
    if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event)) die("epoll");
    for (;;) {
        int count = epoll_wait(poll, ready, 256, -1);
        for (int at = 0; at < count; at++) {
            if (ready[at].data.fd == listener) accept_all(listener, poll);
            else answer(ready[at].data.fd);
        }
    }
}
