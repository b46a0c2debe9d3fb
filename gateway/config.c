/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: one immutable, shared struct made from the table and the sources. */

/* Whoever holds a ref sees one consistent configuration for as long as it needs. A reload makes a
 * new struct beside the one in force; the swap is the owner's, between two callbacks. What cannot
 * change at run time is carried over from the running one, so that no code reads a setting that
 * is not in force. */
#include "gateway/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/config_key.h"
#include "gateway/config_source.h"
#include "protocol/xalloc.h"

static void set_default(const struct config_key *key, struct config *config)
{
    char *error = config_key_parse(key, key->fallback, config);
    assert(error == NULL);
    free(error);
}

static struct config *config_new(void)
{
    struct config *config = xcalloc(1, sizeof(*config));
    config->refs = 1;
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
        set_default(&config_keys[i], config);
    return config;
}

struct config *config_ref(struct config *config)
{
    assert(config->refs > 0);
    config->refs++;
    return config;
}

struct config *config_unref(struct config *config)
{
    if (config == NULL)
        return NULL;
    assert(config->refs > 0);
    if (--config->refs > 0)
        return NULL;
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
        config_key_clear(&config_keys[i], config);
    free(config);
    return NULL;
}

struct config *config_from_values(const struct config_value *values, struct config_errors *errors)
{
    struct config *config = config_new();
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        if (values[i].text == NULL)
            continue;
        char *error = config_key_parse(&config_keys[i], values[i].text, config);
        if (error != NULL)
            config_errors_add(errors, "%s: %s: %s", values[i].origin, config_keys[i].path, error);
        free(error);
    }
    return errors->count == 0 ? config : config_unref(config);
}

struct config *config_load(const struct config_sources *sources, struct config_errors *errors)
{
    struct config_value values[CONFIG_KEY_COUNT] = {0};
    config_sources_read(sources, values, errors);
    struct config *config = config_from_values(values, errors);
    config_values_deinit(values);
    return config;
}

static void carry_over(const struct config *running, struct config *config,
                       config_changed_fn changed, void *context)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = &config_keys[i];
        if (config_key_equal(key, running, config))
            continue;
        if (!key->reloadable)
            config_key_copy(key, config, running);
        changed(context, key->path, key->reloadable);
    }
}

struct config *config_reload(const struct config *running, const struct config_sources *sources,
                             struct config_errors *errors, config_changed_fn changed, void *context)
{
    struct config *config = config_load(sources, errors);
    if (config == NULL || !config_check(config, errors))
        return config_unref(config);
    carry_over(running, config, changed, context);
    return config;
}

bool config_list_next(const char **cursor, const char **item, size_t *length)
{
    const char *at = *cursor + strspn(*cursor, ", \t");
    size_t size = strcspn(at, ",");
    *cursor = at + size;
    while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t'))
        size--;
    *item = at;
    *length = size;
    return size > 0;
}
