/* SPDX-License-Identifier: Apache-2.0 */
/* Doctor: what this machine brings: configuration, keys, certificate, open files. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "gateway/certificate.h"
#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/config_jwt.h"
#include "gateway/doctor.h"
#include "gateway/jwt_keys.h"

enum {
    DAY_S = 86400,
    CERTIFICATE_WARNING_DAYS = 14,
    /* Listeners, back ends, what the loop and the libraries have open: as in gateway.c. */
    OTHER_DESCRIPTORS = 256,
};

void doctor_check_config(struct doctor *doctor)
{
    struct config_errors errors = CONFIG_ERRORS_INIT;
    if (config_check(doctor->config, &errors))
        doctor_report(doctor, DOCTOR_OK, "config", NULL, "every setting is good");
    for (size_t i = 0; i < errors.count; i++)
        doctor_report(doctor, DOCTOR_FAULTY, "config",
                      "`chatgate help config` says where settings come from", "%s",
                      errors.lines[i]);
    config_errors_deinit(&errors);
}

/* That they cannot be loaded has been said by doctor_check_config. */
void doctor_check_keys(struct doctor *doctor)
{
    char error[JWT_KEYS_ERROR_BYTES];
    struct jwt_keys *keys = config_jwt_keys(doctor->config, error);
    if (keys == NULL)
        return;
    if (jwt_keys_can_mint(keys))
        doctor_report(doctor, DOCTOR_OK, "keys", NULL, "%zu verify tokens, one mints them",
                      jwt_keys_count(keys));
    else
        doctor_report(doctor, DOCTOR_WARNING, "keys",
                      "if the platform issues all tokens, nothing; else give one private key or "
                      "auth.hs256_secret",
                      "%zu verify tokens, none can mint: nobody can log in by password",
                      jwt_keys_count(keys));
    jwt_keys_free(keys);
}

static void report_dates(struct doctor *doctor, const struct certificate_dates *dates)
{
    int64_t now_s = clock_unix_us() / 1000000;
    int64_t days = (dates->not_after_s - now_s) / DAY_S;
    if (dates->not_after_s <= now_s)
        doctor_report(doctor, DOCTOR_FAULTY, "certificate", "renew it, then reload the gateway",
                      "expired %" PRId64 " days ago", -days);
    else if (dates->not_before_s > now_s)
        doctor_report(doctor, DOCTOR_FAULTY, "certificate", "set the clock, or wait",
                      "is not valid yet");
    else if (days < CERTIFICATE_WARNING_DAYS)
        doctor_report(doctor, DOCTOR_WARNING, "certificate", "renew it, then reload the gateway",
                      "expires in %" PRId64 " days", days);
    else
        doctor_report(doctor, DOCTOR_OK, "certificate", NULL,
                      "belongs to its key, expires in %" PRId64 " days", days);
}

void doctor_check_certificate(struct doctor *doctor)
{
    const char *certificate = doctor->config->listen.tls_certificate;
    const char *key = doctor->config->listen.tls_key;
    if (*certificate == '\0' && *key == '\0') {
        doctor_report(doctor, DOCTOR_OK, "certificate", NULL,
                      "none: TLS is another's business, a proxy's for instance");
        return;
    }
    struct certificate_dates dates;
    char error[CERTIFICATE_ERROR_BYTES];
    if (certificate_check(certificate, key, &dates, error) == 0)
        report_dates(doctor, &dates);
}

/* A TLS connection has its socket and the two ends of a pair behind it. */
static rlim_t descriptors_needed(const struct config *config)
{
    rlim_t each = *config->listen.tls_certificate != '\0' ? 3 : 1;
    return each * (rlim_t)config->limits.connections + OTHER_DESCRIPTORS;
}

void doctor_check_descriptors(struct doctor *doctor)
{
    struct rlimit limit;
    rlim_t needed = descriptors_needed(doctor->config);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_max >= needed)
        doctor_report(doctor, DOCTOR_OK, "open files", NULL,
                      "limits.connections needs %ju, the hard limit is %ju", (uintmax_t)needed,
                      (uintmax_t)limit.rlim_max);
    else
        doctor_report(doctor, DOCTOR_WARNING, "open files",
                      "raise LimitNOFILE= of the unit (ulimit -Hn), or lower limits.connections",
                      "limits.connections needs %ju, the hard limit is %ju", (uintmax_t)needed,
                      (uintmax_t)limit.rlim_max);
}
