/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate moderation: try the engine, manage its rules, and try rules on history */
#include <stdio.h>
#include <string.h>

#include "gateway/cli.h"
#include "gateway/cli_moderation.h"

static const char help[] =
    "chatgate moderation: the rules, and what they say\n"
    "\n"
    "Usage\n"
    "  chatgate moderation check [OPTION]... TEXT...    what do the rules say to this?\n"
    "  chatgate moderation rules VERB [OPTION]...       list, show, import, export, enable, "
    "shadow,\n"
    "                                                   disable, test, history, rollback\n"
    "  chatgate moderation backtest [OPTION]...         what would rules have hit in the past?\n"
    "\n"
    "`chatgate moderation check --help` and so on explain each. How a rule goes live:\n"
    "\n"
    "  $ $EDITOR new.rules                                     # the format: moderation/RULES.md\n"
    "  $ chatgate moderation rules test new.rules              # do its examples behave?\n"
    "  $ chatgate moderation backtest --rules new.rules        # what would it have hit?\n"
    "  $ chatgate moderation rules import new.rules --dry-run  # what would change?\n"
    "  $ chatgate moderation rules import new.rules\n"
    "  $ chatgate moderation rules shadow ID                   # recorded, does nothing\n"
    "  $ chatgate moderation rules list --stats                # what did it hit?\n"
    "  $ chatgate moderation rules enable ID\n"
    "  $ chatgate moderation rules rollback VERSION            # if that was a mistake\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"check", cli_check},
    {"rules", cli_rules},
    {"backtest", cli_backtest},
};

int cli_moderation(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return cli_help(help);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    }
    return cli_usage_error("moderation", "takes check, rules or backtest");
}
