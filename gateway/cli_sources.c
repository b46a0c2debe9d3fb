/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: files of rules */
#include "gateway/cli_sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "gateway/cli.h"
#include "protocol/xalloc.h"

enum { RULES_BYTES_MAX = 16 << 20 };

static char *read_all(FILE *file, size_t *length)
{
    char *text = xmalloc(RULES_BYTES_MAX + 1);

    *length = fread(text, 1, RULES_BYTES_MAX + 1, file);
    if (!ferror(file) && *length <= RULES_BYTES_MAX)
        return text;
    errno = ferror(file) ? EIO : EFBIG;
    free(text);
    return NULL;
}

int cli_sources_add(struct cli_sources *sources, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    size_t length = 0;

    if (sources->count == CLI_SOURCES_MAX) {
        cli_complain("more than %d files of rules", CLI_SOURCES_MAX);
        return EX_USAGE;
    }
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    char *text = file ? read_all(file, &length) : NULL;
    if (!text)
        cli_complain("%s: %s", path, strerror(errno));
    if (file && !is_stdin)
        fclose(file);
    if (!text)
        return EX_NOINPUT;
    sources->items[sources->count++] =
        (struct rule_source){.name = is_stdin ? "stdin" : path, .text = text, .length = length};
    return EX_OK;
}

void cli_sources_free(struct cli_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        free((char *)sources->items[i].text);
    sources->count = 0;
}

struct rule_layer cli_sources_layer(const struct cli_sources *sources)
{
    return (struct rule_layer){.sources = sources->items, .count = sources->count};
}

int cli_rule_error(const struct rule_error *error)
{
    if (error->line)
        fprintf(stderr, "%s:%u:%u: %s\n", error->source, error->line, error->column, error->reason);
    else
        fprintf(stderr, "%s%s%s\n", error->source, *error->source ? ": " : "", error->reason);
    return EX_DATAERR;
}
