/*
 * dial - what a dial costs without a library: socket, connect and close, one after another, over the loopback.
 *
 *   dial PORT SECONDS      prints the mean and the best time of one dial, in microseconds
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: dial PORT SECONDS\n");
        return 2;
    }
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint64_t best = UINT64_MAX, begin = now_ns(), end = begin + (uint64_t)(atof(argv[2]) * 1e9), last = begin;
    unsigned long count = 0;
    while (last < end) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
            perror("dial");
            return 1;
        }
        close(fd);
        uint64_t now = now_ns();
        if (now - last < best) best = now - last;
        last = now;
        count++;
    }
    printf("%.2f %.2f\n", (last - begin) / 1e3 / count, best / 1e3);
    return 0;
}
