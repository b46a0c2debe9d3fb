/* SPDX-License-Identifier: Apache-2.0 */
/* The INI file, line by line. */

/* inih does the reading. Its handler is not told the line's number in the distributions' builds,
 * so the lines are handed to it by a reader of ours that counts them; the reader also refuses what
 * inih would silently cut in two, or at a NUL. */
#include "gateway/config_ini.h"

#include <ini.h>
#include <stdbool.h>
#include <string.h>

#include "gateway/config_errors.h"

enum { LINE_BYTES = 4096 };

struct ini {
    const char *path;
    const char *at, *end;
    int line;
    config_ini_line_fn handle;
    void *context;
    struct config_errors *errors;
};

/* As fgets: one line with its line break. */
static char *read_line(char *out, int size, void *stream)
{
    struct ini *ini = stream;
    if (ini->at == ini->end)
        return NULL;
    const char *newline = memchr(ini->at, '\n', (size_t)(ini->end - ini->at));
    const char *next = newline != NULL ? newline + 1 : ini->end;
    size_t length = (size_t)(next - ini->at);
    ini->line++;
    if (length >= (size_t)size || memchr(ini->at, '\0', length) != NULL) {
        config_errors_add(ini->errors, "%s:%d: a line of more than %d bytes, or with a NUL inside",
                          ini->path, ini->line, LINE_BYTES);
        length = 0;
    }
    memcpy(out, ini->at, length);
    out[length] = '\0';
    ini->at = next;
    return out;
}

static int handle_line(void *context, const char *section, const char *name, const char *value)
{
    struct ini *ini = context;
    ini->handle(ini->context, ini->line, section, name, value);
    return 1;
}

void config_ini_parse(const char *path, const char *text, size_t length, config_ini_line_fn handle,
                      void *context, struct config_errors *errors)
{
    struct ini ini = {path, text, text + length, 0, handle, context, errors};
    ini_max_line = LINE_BYTES;
    ini_allow_multiline = false;
    ini_allow_inline_comments = false;
    int bad = ini_parse_stream(read_line, &ini, handle_line, &ini);
    if (bad > 0)
        config_errors_add(errors, "%s:%d: expected [section], key = value, or # a comment", path,
                          bad);
}
