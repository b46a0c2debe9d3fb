/* SPDX-License-Identifier: Apache-2.0 */
/* The commands: each in a file of its own, command_<verb>.c; request.c has their table */
#pragma once

struct command;
struct request;

void command_run_sync(const struct request *request, const struct command *command);
void command_run_open(const struct request *request, const struct command *command);
void command_run_send(const struct request *request, const struct command *command);
void command_run_history(const struct request *request, const struct command *command);
void command_run_rooms(const struct request *request, const struct command *command);
void command_run_read(const struct request *request, const struct command *command);
void command_run_typing(const struct request *request, const struct command *command);
void command_run_refresh(const struct request *request, const struct command *command);
void command_run_queue_watch(const struct request *request, const struct command *command);
void command_run_queue_unwatch(const struct request *request, const struct command *command);
void command_run_queue_claim(const struct request *request, const struct command *command);
void command_run_queue_release(const struct request *request, const struct command *command);
void command_run_queue_decide(const struct request *request, const struct command *command);
void command_run_queue_undo(const struct request *request, const struct command *command);
void command_run_queue_remove(const struct request *request, const struct command *command);
void command_run_queue_context(const struct request *request, const struct command *command);
void command_run_queue_stats(const struct request *request, const struct command *command);
