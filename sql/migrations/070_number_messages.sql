-- SPDX-License-Identifier: Apache-2.0
-- chatgate: no-transaction
-- Delivered messages from before the gateway get their numbers, by (created_at, id) per room, in
-- transactions of twenty rooms. Can be broken off and run again.
CALL public.chatgate_settle_all();
