/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate token: mints and verifies access tokens with the configured keys. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli.h"
#include "gateway/cli_secret.h"
#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/config_jwt.h"
#include "gateway/config_source.h"
#include "gateway/jwt.h"
#include "gateway/jwt_keys.h"
#include "gateway/user.h"
#include "protocol/json_writer.h"

static const char help[] =
    "chatgate token: access tokens (JWT)\n"
    "\n"
    "Usage\n"
    "  chatgate token mint --user UUID [--role ROLE] [--ttl SECONDS] [OPTION]...\n"
    "  chatgate token verify [OPTION]... < FILE\n"
    "\n"
    "Options\n"
    "  -u, --user UUID            whose token (sub)\n"
    "  -r, --role ROLE            student, teacher, moderator or admin; without it the token "
    "names\n"
    "                             none. The database's role holds in any case\n"
    "  -t, --ttl SECONDS          its life; default auth.token_ttl_s\n"
    "      --json                 the result as one JSON object\n" CLI_COMMON_HELP "\n"
    "`mint` signs with the first configured key that can: auth.keys with a private key or a\n"
    "secret, else auth.hs256_secret. `verify` reads the token from standard input, never from the\n"
    "arguments, which everyone on the machine can read; it checks what a node checks, except\n"
    "whether the user still exists. It ends with 0, or 65 for a token that is refused.\n"
    "\n"
    "Examples\n"
    "  token=$(chatgate token mint -c chatgate.ini -u 018f6d1e-7b7a-7c3f-9f5e-1d2c3b4a5968)\n"
    "  curl -H \"Authorization: Bearer $token\" http://127.0.0.1:8080/api/chats\n"
    "  echo \"$token\" | chatgate token verify -c chatgate.ini\n";

struct token_options {
    struct config_sources *sources;
    struct uuid user;
    char role[JWT_ROLE_BYTES];
    int64_t ttl_s; /* 0: as configured */
    bool json;
};

static int64_t now_s(void)
{
    return clock_unix_us() / 1000000;
}

/* mint */

static void print_minted(const char *token, const struct jwt_claims *claims, bool json)
{
    if (!json) {
        puts(token);
        return;
    }
    struct json_writer writer = JSON_WRITER_INIT;
    json_writer_init(&writer);
    json_object_begin(&writer);
    json_add_cstring(&writer, "token", token);
    json_add_time(&writer, "expires_at", claims->exp_s * 1000000);
    json_object_end(&writer);
    puts(json_text(&writer));
    json_writer_deinit(&writer);
}

static int mint(const struct config *config, const struct jwt_keys *keys,
                const struct token_options *options)
{
    if (uuid_is_nil(&options->user))
        return cli_usage_error("token", "mint: say for whom: --user UUID");
    struct jwt_claims claims = {.sub = options->user, .iat_s = now_s()};
    memcpy(claims.role, options->role, sizeof(claims.role));
    claims.exp_s = claims.iat_s + (options->ttl_s != 0 ? options->ttl_s : config->auth.token_ttl_s);
    char *token = jwt_mint(keys, &claims);
    if (token == NULL) {
        cli_complain("no configured key can sign: a public key only verifies");
        return EX_CONFIG;
    }
    print_minted(token, &claims, options->json);
    cli_secret_free(token);
    return EX_OK;
}

/* verify */

static void print_claims(struct json_writer *writer, const struct jwt_claims *claims)
{
    json_add_uuid(writer, "sub", &claims->sub);
    if (claims->role[0] != '\0')
        json_add_cstring(writer, "role", claims->role);
    if (claims->jti[0] != '\0')
        json_add_cstring(writer, "jti", claims->jti);
    json_add_cstring(writer, "kid", claims->kid);
    if (claims->iat_s != 0)
        json_add_time(writer, "issued_at", claims->iat_s * 1000000);
    json_add_time(writer, "expires_at", claims->exp_s * 1000000);
}

static void print_verdict(enum jwt_result result, const struct jwt_claims *claims)
{
    struct json_writer writer = JSON_WRITER_INIT;
    json_writer_init(&writer);
    json_object_begin(&writer);
    json_add_cstring(&writer, "result", jwt_result_name(result));
    if (result == JWT_OK || result == JWT_EXPIRED)
        print_claims(&writer, claims);
    json_object_end(&writer);
    puts(json_text(&writer));
    json_writer_deinit(&writer);
}

static int verify(const struct config *config, const struct jwt_keys *keys,
                  const struct token_options *options)
{
    char *token = cli_secret_read("Token: ", JWT_MAX_BYTES);
    if (token == NULL) {
        cli_complain("no token on standard input, or one of more than %d bytes", JWT_MAX_BYTES);
        return EX_DATAERR;
    }
    struct jwt_claims claims;
    enum jwt_result result = jwt_verify(keys, token, strlen(token), now_s(), &claims);
    cli_secret_free(token);
    print_verdict(result, &claims);
    return result == JWT_OK ? EX_OK : EX_DATAERR;
}

/* The verb */

static int run(const struct token_options *options, int argc, char **argv)
{
    int (*action)(const struct config *, const struct jwt_keys *, const struct token_options *) =
        NULL;
    if (argc == 1 && strcmp(argv[0], "mint") == 0)
        action = mint;
    else if (argc >= 1 && strcmp(argv[0], "verify") == 0 &&
             (argc == 1 || (argc == 2 && strcmp(argv[1], "-") == 0)))
        action = verify;
    else
        return cli_usage_error("token", "say mint, or verify with the token on standard input");
    struct config *config = cli_load_config(options->sources);
    if (config == NULL)
        return EX_CONFIG;
    char error[JWT_KEYS_ERROR_BYTES];
    struct jwt_keys *keys = config_jwt_keys(config, error);
    int status = EX_CONFIG;
    if (keys != NULL)
        status = action(config, keys, options);
    else
        cli_complain("auth.keys, auth.hs256_secret: %s", error);
    jwt_keys_free(keys);
    config_unref(config);
    return status;
}

static enum cli_next take_user(struct token_options *out, const char *text)
{
    if (uuid_parse(&out->user, text, strlen(text)))
        return CLI_CONTINUE;
    cli_usage_error("token", "'%s' is no UUID", text);
    return CLI_USAGE;
}

static enum cli_next take_role(struct token_options *out, const char *text)
{
    enum user_role role;
    if (!user_role_parse(&role, text)) {
        cli_usage_error("token", "'%s' is no role: student, teacher, moderator or admin", text);
        return CLI_USAGE;
    }
    snprintf(out->role, sizeof(out->role), "%s", text);
    return CLI_CONTINUE;
}

static enum cli_next take_ttl(struct token_options *out, const char *text)
{
    char *end = NULL;
    long seconds = strtol(text, &end, 10);
    if (end == text || *end != '\0' || seconds < 1 || seconds > 10 * 366 * 86400L) {
        cli_usage_error("token", "'%s' is no number of seconds up to ten years", text);
        return CLI_USAGE;
    }
    out->ttl_s = seconds;
    return CLI_CONTINUE;
}

static enum cli_next take_option(struct token_options *out, int option)
{
    switch (option) {
    case 'u':
        return take_user(out, optarg);
    case 'r':
        return take_role(out, optarg);
    case 't':
        return take_ttl(out, optarg);
    case 'j':
        out->json = true;
        return CLI_CONTINUE;
    }
    return cli_common_option(option, optarg, out->sources);
}

static int parse_and_run(int argc, char **argv, struct token_options *out)
{
    static const struct option options[] = {{"user", required_argument, NULL, 'u'},
                                            {"role", required_argument, NULL, 'r'},
                                            {"ttl", required_argument, NULL, 't'},
                                            {"json", no_argument, NULL, 'j'},
                                            CLI_COMMON_LONG,
                                            {NULL, 0, NULL, 0}};
    for (int option;
         (option = getopt_long(argc, argv, "u:r:t:" CLI_COMMON_SHORT, options, NULL)) != -1;) {
        enum cli_next next = take_option(out, option);
        if (next != CLI_CONTINUE)
            return next == CLI_HELP ? cli_help(help) : EX_USAGE;
    }
    return run(out, argc - optind, argv + optind);
}

int cli_token(int argc, char **argv)
{
    struct token_options options = {.sources = config_sources_new()};
    int status = parse_and_run(argc, argv, &options);
    config_sources_free(options.sources);
    return status;
}
