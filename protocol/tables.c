/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the error and close tables for people (markdown) and for browsers (module)
 *
 * ERRORS.md and client/codes.js are copies of its output; a test compares them, so that the
 * documentation and the client cannot say anything else than the server does.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *message;
    int http_status;
    bool retryable;
} errors[] = {
#define ERROR_ROW(NAME, name, http_status, retryable, message)                                     \
    {name, message, http_status, retryable},
#include "protocol/error_table.h"
#undef ERROR_ROW
};

static const struct {
    const char *name, *text;
    int code;
    bool reconnect;
} closes[] = {
#define CLOSE_ROW(NAME, code, name, reconnect, text) {name, text, code, reconnect},
#include "protocol/close_table.h"
#undef CLOSE_ROW
};

enum {
    ERROR_COUNT = sizeof(errors) / sizeof(errors[0]),
    CLOSE_COUNT = sizeof(closes) / sizeof(closes[0]),
};

static void print_markdown(void)
{
    printf("# Errors and close codes\n\n"
           "Generated from error_table.h and close_table.h by tables.c; do not edit.\n\n"
           "## Errors\n\n"
           "`code` of an `error` object. Retry: the same request may succeed later.\n\n"
           "| code | HTTP | retry | meaning |\n|---|---|---|---|\n");
    for (int i = 0; i < ERROR_COUNT; i++)
        printf("| %s | %d | %s | %s |\n", errors[i].name, errors[i].http_status,
               errors[i].retryable ? "yes" : "no", errors[i].message);
    printf(
        "\n## Close codes\n\n"
        "The reason of the close frame is JSON: `{\"reason\":\"slow\"}`, with\n"
        "`retry_after_ms` beside it where the client is to wait at least that long. A code that\n"
        "is not listed: 4500 to 4999 stop, everything else reconnects.\n\n"
        "| code | name | client | meaning |\n|---|---|---|---|\n");
    for (int i = 0; i < CLOSE_COUNT; i++)
        printf("| %d | %s | %s | %s |\n", closes[i].code, closes[i].name,
               closes[i].reconnect ? "reconnects" : "stops", closes[i].text);
}

static void print_module(void)
{
    printf("// SPDX-License-Identifier: Apache-2.0\n"
           "// Error and close codes, generated from protocol/error_table.h and close_table.h by\n"
           "// tables.c; do not edit.\n\n"
           "export const ERROR_CODES = Object.freeze({\n");
    for (int i = 0; i < ERROR_COUNT; i++)
        printf("  %s: { http: %d, retry: %s },\n", errors[i].name, errors[i].http_status,
               errors[i].retryable ? "true" : "false");
    printf("});\n\nexport const CLOSE_CODES = Object.freeze({\n");
    for (int i = 0; i < CLOSE_COUNT; i++)
        printf("  %d: { name: '%s', reconnect: %s },\n", closes[i].code, closes[i].name,
               closes[i].reconnect ? "true" : "false");
    printf("});\n");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "markdown") == 0)
        print_markdown();
    else if (argc == 2 && strcmp(argv[1], "module") == 0)
        print_module();
    else
        return 64;
    return 0;
}
