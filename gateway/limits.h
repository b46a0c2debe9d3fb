/* SPDX-License-Identifier: Apache-2.0 */
/* The configured limits in the forms that the protocol and clients want them */
#pragma once

struct command_limits;
struct config;
struct welcome_limits;

void limits_for_commands(const struct config *config, struct command_limits *out);
void limits_for_welcome(const struct config *config, struct welcome_limits *out);
