/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis of a test's own, to be killed, frozen and started again. */
#pragma once

#include <sys/types.h>

struct redis_server {
    char directory[64];
    char socket[80];
    int port; /* of 127.0.0.1 */
    const char *password;
    pid_t pid; /* 0: not running */
};

/* The binary is named by CHATGATE_TEST_REDIS_SERVER. `password` may be NULL. */
void redis_server_init(struct redis_server *server, const char *password);
void redis_server_start(struct redis_server *server); /* returns when it answers */
void redis_server_kill(struct redis_server *server);
void redis_server_deinit(struct redis_server *server);
