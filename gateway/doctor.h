/* SPDX-License-Identifier: Apache-2.0 */
/* Doctor: findings about what a node needs, each with what to do. */
#pragma once

#include <stdbool.h>

struct config;
struct json_writer;

enum doctor_level {
    DOCTOR_OK,
    DOCTOR_WARNING,
    DOCTOR_FAULTY, /* must be set right: exit 78 */
    DOCTOR_DOWN,   /* a dependency is away: exit 69 */
};

struct doctor {
    const struct config *config;
    struct json_writer *json; /* NULL: lines on standard output */
    bool colors;
    enum doctor_level worst;
};

/* Reports one finding. `advice` is what to do, NULL where there is nothing to do. */
void doctor_report(struct doctor *doctor, enum doctor_level level, const char *subject,
                   const char *advice, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

void doctor_check_config(struct doctor *doctor);
void doctor_check_keys(struct doctor *doctor);
void doctor_check_certificate(struct doctor *doctor);
void doctor_check_descriptors(struct doctor *doctor);
/* The server, its clock, the role's rights, the migrations. */
void doctor_check_database(struct doctor *doctor);
void doctor_check_redis(struct doctor *doctor);
