/* SPDX-License-Identifier: Apache-2.0 */
/* Doctor: Postgres as a node would meet it. */
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli_database.h"
#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/doctor.h"
#include "gateway/ledger.h"
#include "sql/embedded.h"

enum {
    OLDEST_VERSION = 140000,
    CLOCK_WARNING_MS = 1000,
    CLOCK_FAULT_MS = 30000,
};

/* Calls handle for each row; reports a query that fails. */
static bool query(struct doctor *doctor, PGconn *connection, const char *text,
                  void (*handle)(struct doctor *, const PGresult *, int row))
{
    PGresult *result = PQexec(connection, text);
    bool done = PQresultStatus(result) == PGRES_TUPLES_OK;
    if (!done) {
        const char *error = PQerrorMessage(connection);
        doctor_report(doctor, DOCTOR_DOWN, "database", "see the server's log", "%.*s",
                      (int)strcspn(error, "\n"), error);
    }
    for (int row = 0; done && row < PQntuples(result); row++)
        handle(doctor, result, row);
    PQclear(result);
    return done;
}

static void check_version(struct doctor *doctor, PGconn *connection)
{
    const char *version = PQparameterStatus(connection, "server_version");
    if (PQserverVersion(connection) < OLDEST_VERSION)
        doctor_report(doctor, DOCTOR_FAULTY, "database", "upgrade it to 14 or newer",
                      "Postgres %s is too old", version);
    else
        doctor_report(doctor, DOCTOR_OK, "database", NULL, "Postgres %s, database %s, as %s",
                      version, PQdb(connection), PQuser(connection));
}

/* Settings that a node cannot make good by itself. */
static const char settings_query[] =
    "SELECT pg_is_in_recovery(), current_setting('server_encoding') <> 'UTF8',"
    "       current_setting('fsync') = 'off',"
    "       current_setting('log_parameter_max_length')::int <> 0"
    "       AND (current_setting('log_statement') IN ('mod', 'all')"
    "            OR current_setting('log_min_duration_statement') <> '-1'"
    "            OR current_setting('log_min_duration_sample') <> '-1')";

static void handle_settings(struct doctor *doctor, const PGresult *result, int row)
{
    if (*PQgetvalue(result, row, 0) == 't')
        doctor_report(doctor, DOCTOR_FAULTY, "database",
                      "point database.url at the primary, or add target_session_attrs=read-write",
                      "this server is a standby: it cannot store messages");
    if (*PQgetvalue(result, row, 1) == 't')
        doctor_report(doctor, DOCTOR_FAULTY, "database",
                      "make a database with ENCODING 'UTF8' TEMPLATE template0",
                      "the database's encoding is not UTF8");
    if (*PQgetvalue(result, row, 2) == 't')
        doctor_report(doctor, DOCTOR_WARNING, "database", "switch fsync on",
                      "fsync is off: a power failure loses messages that were acknowledged");
    if (*PQgetvalue(result, row, 3) == 't')
        doctor_report(doctor, DOCTOR_WARNING, "privacy",
                      "ALTER SYSTEM SET log_parameter_max_length = 0; SELECT pg_reload_conf();",
                      "the server logs the parameters of statements, and so the texts of messages");
}

static const char rights_query[] =
    "SELECT coalesce(string_agg(DISTINCT privilege || ' on ' || name, ', '), '')"
    "  FROM (VALUES ('users', 'SELECT'), ('lessons', 'SELECT'), ('bookings', 'SELECT'),"
    "        ('chat_rooms', 'SELECT,INSERT,UPDATE'), ('messages', 'SELECT,INSERT,UPDATE'),"
    "        ('chat_room_changes', 'SELECT'), ('chat_read_marks', 'SELECT,INSERT,UPDATE'),"
    "        ('user_access', 'SELECT'), ('moderation_rule_sets', 'SELECT'),"
    "        ('moderation_cases', 'SELECT,INSERT,UPDATE'), ('moderation_audit', 'SELECT,INSERT'),"
    "        ('moderation_rules', 'SELECT'), ('chatgate_settings', 'SELECT'),"
    "        ('chatgate_migrations', 'SELECT')) AS needed (name, privileges),"
    "       unnest(string_to_array(privileges, ',')) AS privilege"
    " WHERE NOT has_table_privilege(to_regclass('public.' || name)::oid, privilege)";

static void handle_rights(struct doctor *doctor, const PGresult *result, int row)
{
    const char *missing = PQgetvalue(result, row, 0);
    if (*missing == '\0')
        doctor_report(doctor, DOCTOR_OK, "rights", NULL, "the role has all that a node needs");
    else
        doctor_report(doctor, DOCTOR_FAULTY, "rights", "GRANT them to the role of database.url",
                      "the role lacks %s", missing);
}

static const char connections_query[] =
    "SELECT current_setting('max_connections')::int"
    "       - current_setting('superuser_reserved_connections')::int,"
    "       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    "         AND pid <> pg_backend_pid())";

static void handle_connections(struct doctor *doctor, const PGresult *result, int row)
{
    int most = atoi(PQgetvalue(result, row, 0)), used = atoi(PQgetvalue(result, row, 1));
    int needed = doctor->config->database.pool_size + doctor->config->database.writers;
    if (most - used >= needed)
        doctor_report(doctor, DOCTOR_OK, "connections", NULL,
                      "the server has %d of %d free, a node takes %d", most - used, most, needed);
    else
        doctor_report(doctor, DOCTOR_WARNING, "connections",
                      "raise max_connections, or lower database.pool_size",
                      "the server has %d of %d free, a node takes %d", most - used, most, needed);
}

static void handle_clock(struct doctor *doctor, const PGresult *result, int row)
{
    int64_t server_us = strtoll(PQgetvalue(result, row, 0), NULL, 10);
    int64_t apart_ms = llabs(clock_unix_us() - server_us) / 1000;
    static const char advice[] = "keep both clocks by NTP (timedatectl set-ntp true)";
    if (apart_ms < CLOCK_WARNING_MS)
        doctor_report(doctor, DOCTOR_OK, "clock", NULL, "agrees with the database's");
    else
        doctor_report(doctor, apart_ms < CLOCK_FAULT_MS ? DOCTOR_WARNING : DOCTOR_FAULTY, "clock",
                      advice, "is %" PRId64 " ms apart from the database's", apart_ms);
}

static void check_migrations(struct doctor *doctor, PGconn *connection)
{
    struct ledger ledger = LEDGER_INIT;
    char *error = ledger_read(connection, &ledger);
    char *obstacle = error == NULL ? ledger_obstacle(&ledger) : NULL;
    if (error != NULL)
        doctor_report(doctor, DOCTOR_FAULTY, "migrations",
                      "GRANT SELECT on chatgate_migrations to the role", "%s", error);
    else if (obstacle != NULL)
        doctor_report(doctor, DOCTOR_FAULTY, "migrations", "`chatgate migrate status` shows all",
                      "%s", obstacle);
    else
        doctor_report(doctor, DOCTOR_OK, "migrations", NULL, "all %zu are applied", ledger.count);
    free(error);
    free(obstacle);
    ledger_deinit(&ledger);
}

void doctor_check_database(struct doctor *doctor)
{
    char *error = NULL;
    PGconn *connection = cli_database_connect(doctor->config->database.url, "doctor", &error);
    if (connection == NULL) {
        doctor_report(doctor, DOCTOR_DOWN, "database",
                      "see that Postgres runs, and that database.url and pg_hba.conf let us in",
                      "%s", error);
        free(error);
        return;
    }
    check_version(doctor, connection);
    if (query(doctor, connection, settings_query, handle_settings) &&
        query(doctor, connection, connections_query, handle_connections) &&
        query(doctor, connection, sql_now.text, handle_clock) &&
        query(doctor, connection, rights_query, handle_rights))
        check_migrations(doctor, connection);
    PQfinish(connection);
}
