/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: the verbs below `chatgate moderation` */
#pragma once

/* Each gets argv[0] = "check", ..., and returns an exit status. */
int cli_check(int argc, char **argv);
int cli_rules(int argc, char **argv);
int cli_backtest(int argc, char **argv);
