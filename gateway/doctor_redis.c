/* SPDX-License-Identifier: Apache-2.0 */
/* Doctor: Redis as a node would meet it. */
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/config.h"
#include "gateway/doctor.h"
#include "gateway/redis_url.h"

static const char subject[] = "redis";
static const struct timeval timeout = {.tv_sec = 3};

static redisContext *connect_to(const struct redis_url *url)
{
    redisContext *redis = url->path != NULL
                              ? redisConnectUnixWithTimeout(url->path, timeout)
                              : redisConnectWithTimeout(url->host, atoi(url->port), timeout);
    if (redis != NULL && redis->err == 0)
        redisSetTimeout(redis, timeout);
    return redis;
}

/* Reports what went wrong, if something did. */
static bool succeeded(struct doctor *doctor, const redisContext *redis, const redisReply *reply,
                      const char *advice)
{
    if (reply != NULL && reply->type != REDIS_REPLY_ERROR)
        return true;
    if (reply == NULL)
        doctor_report(doctor, DOCTOR_DOWN, subject, "see that Redis runs and answers", "%s",
                      redis->errstr);
    else
        doctor_report(doctor, DOCTOR_FAULTY, subject, advice, "%s", reply->str);
    return false;
}

static bool run(struct doctor *doctor, redisContext *redis, int count, const char *const *words,
                const char *advice)
{
    redisReply *reply = redisCommandArgv(redis, count, (const char **)words, NULL);
    bool good = succeeded(doctor, redis, reply, advice);
    freeReplyObject(reply);
    return good;
}

static bool log_in(struct doctor *doctor, redisContext *redis, const struct redis_url *url)
{
    const char *password =
        *doctor->config->redis.password != '\0' ? doctor->config->redis.password : url->password;
    if (password == NULL)
        return true;
    const char *const with_user[] = {"AUTH", url->user, password};
    const char *const without[] = {"AUTH", password};
    return run(doctor, redis, url->user != NULL ? 3 : 2, url->user != NULL ? with_user : without,
               "set redis.password to what Redis's requirepass or ACL says");
}

static void report_version(struct doctor *doctor, const redisReply *info)
{
    const char *version = strstr(info->str, "redis_version:");
    version = version != NULL ? version + strlen("redis_version:") : "of an unknown version";
    doctor_report(doctor, DOCTOR_OK, subject, NULL, "Redis %.*s answers and lets us publish",
                  (int)strcspn(version, "\r\n"), version);
}

static void examine(struct doctor *doctor, redisContext *redis, const struct redis_url *url)
{
    static const char *const publish[] = {"PUBLISH", "chatgate:doctor", ""};
    static const char *const info[] = {"INFO", "server"};
    if (!log_in(doctor, redis, url) ||
        !run(doctor, redis, 3, publish, "allow the user all channels (ACL: &* +@pubsub)"))
        return;
    redisReply *reply = redisCommandArgv(redis, 2, (const char **)info, NULL);
    if (reply != NULL && reply->type == REDIS_REPLY_STRING)
        report_version(doctor, reply);
    else
        doctor_report(doctor, DOCTOR_OK, subject, NULL, "answers and lets us publish");
    freeReplyObject(reply);
}

void doctor_check_redis(struct doctor *doctor)
{
    struct redis_url url;
    const char *error = NULL;
    if (redis_url_parse(&url, doctor->config->redis.url, &error) != 0)
        return; /* said by doctor_check_config */
    redisContext *redis = connect_to(&url);
    if (redis == NULL || redis->err != 0)
        doctor_report(doctor, DOCTOR_DOWN, subject,
                      "see that Redis runs and redis.url is right; until then messages reach other "
                      "nodes more slowly",
                      "cannot connect: %s", redis != NULL ? redis->errstr : "out of memory");
    else
        examine(doctor, redis, &url);
    redisFree(redis);
    redis_url_deinit(&url);
}
