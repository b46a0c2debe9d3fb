/* SPDX-License-Identifier: Apache-2.0 */
/* The process_* metrics: CPU, memory, file descriptors, start time
 *
 * Names and meanings are those of the Prometheus client libraries. The files of /proc are made in
 * memory, so reading them does not block; but listing /proc/self/fd takes 15 to 50 ms at 20,000
 * descriptors. Since Linux 6.2 the size of that directory is their number. Before, each number is
 * tried by fcntl(), 7 ms for as many, and once a minute only. */
#include "gateway/process_metrics.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/metrics.h"

enum { SWEEP_INTERVAL_S = 60 };

static double clock_s(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double timeval_s(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Reads a small file of /proc; returns false if it cannot. */
static bool read_file(const char *path, char *text, size_t room)
{
    FILE *file = fopen(path, "re");
    size_t length;

    if (!file)
        return false;
    length = fread(text, 1, room - 1, file);
    fclose(file);
    text[length] = '\0';
    return length > 0;
}

static void update_cpu(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) == 0)
        metrics_set(METRIC_PROCESS_CPU, timeval_s(usage.ru_utime) + timeval_s(usage.ru_stime));
}

static void update_memory(void)
{
    char text[256];
    unsigned long long size, resident;
    double page_bytes = (double)sysconf(_SC_PAGESIZE);

    if (!read_file("/proc/self/statm", text, sizeof(text)) ||
        sscanf(text, "%llu %llu", &size, &resident) != 2)
        return;
    metrics_set(METRIC_PROCESS_VIRTUAL, (double)size * page_bytes);
    metrics_set(METRIC_PROCESS_RESIDENT, (double)resident * page_bytes);
}

/* The size of the process's table of descriptors, which is above the highest one. */
static int table_size(void)
{
    char text[4096];
    const char *line;
    int size = 0;

    if (!read_file("/proc/self/status", text, sizeof(text)))
        return 0;
    line = strstr(text, "\nFDSize:");
    if (!line || sscanf(line, "\nFDSize: %d", &size) != 1)
        return 0;
    return size;
}

static int count_by_sweep(void)
{
    int count = 0;

    for (int fd = 0, size = table_size(); fd < size; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void update_descriptors(void)
{
    static double next_sweep_s;
    struct rlimit limit;
    struct stat status;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metrics_set(METRIC_PROCESS_MAX_FDS, (double)limit.rlim_cur);
    if (stat("/proc/self/fd", &status) == 0 && status.st_size > 0) {
        metrics_set(METRIC_PROCESS_OPEN_FDS, (double)status.st_size);
    } else if (clock_s(CLOCK_MONOTONIC) >= next_sweep_s) {
        next_sweep_s = clock_s(CLOCK_MONOTONIC) + SWEEP_INTERVAL_S;
        metrics_set(METRIC_PROCESS_OPEN_FDS, count_by_sweep());
    }
}

/* Field 22 of stat(5) is in clock ticks since the machine started. The name of the program, which
 * may hold anything, ends at the last parenthesis. */
static void update_start_time(void)
{
    char text[1024];
    const char *rest;
    unsigned long long start_ticks;

    if (metrics_value(METRIC_PROCESS_START, 0, 0) > 0)
        return;
    if (!read_file("/proc/self/stat", text, sizeof(text)))
        return;
    rest = strrchr(text, ')');
    if (!rest || sscanf(rest,
                        ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                        "%*d %*d %llu",
                        &start_ticks) != 1)
        return;
    metrics_set(METRIC_PROCESS_START, clock_s(CLOCK_REALTIME) - clock_s(CLOCK_BOOTTIME) +
                                          (double)start_ticks / (double)sysconf(_SC_CLK_TCK));
}

void process_metrics_update(void)
{
    update_cpu();
    update_memory();
    update_descriptors();
    update_start_time();
}
