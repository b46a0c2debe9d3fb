/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration written out: in force, as an example file, as a man page. */
#include "gateway/config_print.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/config.h"
#include "gateway/config_key.h"
#include "gateway/config_source.h"
#include "protocol/json_writer.h"

enum { COMMENT_COLUMNS = 90 };

/* In force */

static const char *origin_of(const struct config_value *values, size_t i)
{
    return values[i].text != NULL ? values[i].origin : "default";
}

static void add_json(struct json_writer *writer, const struct config_key *key, const char *text)
{
    if (key->type == CONFIG_TYPE_INT || key->type == CONFIG_TYPE_BOOL)
        json_add_raw(writer, "value", text, strlen(text));
    else
        json_add_cstring(writer, "value", text);
}

static void show_json(const struct config *config, const struct config_value *values, FILE *out)
{
    struct json_writer writer = JSON_WRITER_INIT;
    json_writer_init(&writer);
    json_object_begin(&writer);
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        char *text = config_key_print(&config_keys[i], config);
        json_key(&writer, config_keys[i].path);
        json_object_begin(&writer);
        add_json(&writer, &config_keys[i], text);
        json_add_cstring(&writer, "source", origin_of(values, i));
        json_add_bool(&writer, "reloadable", config_keys[i].reloadable);
        json_object_end(&writer);
        free(text);
    }
    json_object_end(&writer);
    fprintf(out, "%s\n", json_text(&writer));
    json_writer_deinit(&writer);
}

void config_print_show(const struct config *config, const struct config_value *values, bool json,
                       FILE *out)
{
    if (json) {
        show_json(config, values, out);
        return;
    }
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        char *text = config_key_print(&config_keys[i], config);
        fprintf(out, "%s = %s  (%s)\n", config_keys[i].path, text, origin_of(values, i));
        free(text);
    }
}

/* Example */

/* Writes a text as comment lines. */
static void write_comment(FILE *out, const char *text)
{
    size_t column = 0;
    for (const char *at = text; *at != '\0';) {
        size_t length = strcspn(at, " ");
        if (column > 0 && column + 1 + length > COMMENT_COLUMNS) {
            fputc('\n', out);
            column = 0;
        }
        fprintf(out, "%s%.*s", column == 0 ? "# " : " ", (int)length, at);
        column += length + (column == 0 ? 2 : 1);
        at += length + strspn(at + length, " ");
    }
    fputc('\n', out);
}

static void write_traits(const struct config_key *key, FILE *out)
{
    switch (key->type) {
    case CONFIG_TYPE_INT:
        fprintf(out, "# %d to %d.", key->min, key->max);
        break;
    case CONFIG_TYPE_BOOL:
        fputs("# true or false.", out);
        break;
    case CONFIG_TYPE_CHOICE:
        fprintf(out, "# One of %s.", key->words);
        break;
    case CONFIG_TYPE_SECRET:
        fputs("# A secret.", out);
        break;
    case CONFIG_TYPE_URL:
    case CONFIG_TYPE_TEXT:
        fputs("# Text.", out);
        break;
    }
    fprintf(out, " %s.\n", key->reloadable ? "Takes effect on reload" : "Needs a restart");
}

void config_print_example(FILE *out)
{
    fputs("# Configuration of chatgate. Every setting is shown with its default; remove the ; to "
          "change\n"
          "# it. Each can also be set by the environment as CHATGATE_SECTION_KEY, or, for secrets, "
          "as\n"
          "# CHATGATE_SECTION_KEY_FILE with the path of a file, or as a systemd credential named\n"
          "# section.key. A file that holds a secret must not be accessible to group or others.\n"
          "#\n"
          "# chatgate check-config says whether a node could serve with it.\n",
          out);
    const char *section = "";
    const struct config_section *sections = config_sections;
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = &config_keys[i];
        if (strcmp(key->section, section) != 0) {
            section = key->section;
            fprintf(out, "\n[%s]\n", section);
            write_comment(out, (sections++)->help);
        }
        fputc('\n', out);
        write_comment(out, key->help);
        write_traits(key, out);
        fprintf(out, ";%s =%s%s\n", key->name, *key->fallback == '\0' ? "" : " ", key->fallback);
    }
}

/* Man page, as scdoc source: _ and * are markup and are escaped. */

static void write_scdoc(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("_*#<>\\", *text) != NULL)
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void write_man_default(const struct config_key *key, FILE *out)
{
    if (key->type == CONFIG_TYPE_INT)
        fprintf(out, "Default %s; %d to %d. ", key->fallback, key->min, key->max);
    else if (key->type == CONFIG_TYPE_CHOICE)
        fprintf(out, "One of %s; default %s. ", key->words, key->fallback);
    else if (key->type == CONFIG_TYPE_SECRET)
        fputs("A secret. ", out);
    else if (*key->fallback != '\0') {
        fputs("Default ", out);
        write_scdoc(out, key->fallback);
        fputs(". ", out);
    }
    fputs(key->reloadable ? "Takes effect on reload.\n" : "Needs a restart.\n", out);
}

void config_print_man(FILE *out)
{
    const char *section = "";
    const struct config_section *sections = config_sections;
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = &config_keys[i];
        if (strcmp(key->section, section) != 0) {
            section = key->section;
            fprintf(out, "## [%s]\n\n", section);
            write_scdoc(out, (sections++)->help);
            fputs("\n\n", out);
        }
        fputc('*', out);
        write_scdoc(out, key->name);
        fputs("*\n\t", out);
        write_scdoc(out, key->help);
        fputs(" ", out);
        write_man_default(key, out);
        fputc('\n', out);
    }
}
