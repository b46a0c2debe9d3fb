/* SPDX-License-Identifier: Apache-2.0 */
/* Which HTTP request does what */
#pragma once

struct exchange;

/* The head is there: finds the route and answers, or waits for the body. */
void rest_begin(struct exchange *exchange);

/* The body is complete. */
void rest_body(struct exchange *exchange);
