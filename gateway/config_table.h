/* SPDX-License-Identifier: Apache-2.0 */
/* Every setting of chatgate, one line each. No include guard: included once per use of the list.
 *
 * From these lines come the fields of struct config, the parser of the INI file, the names of
 * the environment variables, `chatgate config --example` and `--show`, and the man page.
 *
 *   CONFIG_SECTION(section, help) ... CONFIG_SECTION_END(section)
 *   CONFIG_TEXT(section, key, default, flags, help)                const char *, never NULL
 *   CONFIG_URL(section, key, default, flags, help)                 the same; may hold a password
 *   CONFIG_SECRET(section, key, flags, help)                       the same; "" unless set
 *   CONFIG_CHOICE(section, key, default, "a|b|c", flags, help)     the same; one of the words
 *   CONFIG_INT(section, key, default, min, max, flags, help)       int; its unit is in its name
 *   CONFIG_BOOL(section, key, default, flags, help)                bool; yes/no, true/false, ...
 *
 * flags: CONFIG_RELOADABLE (SIGHUP puts it in force) or CONFIG_FIXED (needs a restart).
 */

CONFIG_SECTION(listen, "Where clients and operators connect.")
CONFIG_TEXT(listen, address, "127.0.0.1", CONFIG_FIXED,
            "Address to listen on for clients: IPv4 or IPv6, or * for all.")
CONFIG_INT(listen, port, 8080, 0, 65535, CONFIG_FIXED,
           "Port for clients (WebSocket, REST, the chat page). 0 takes any free one.")
CONFIG_TEXT(listen, admin_address, "127.0.0.1", CONFIG_FIXED,
            "Address for /metrics, /healthz and /readyz. Keep it off the public network.")
CONFIG_INT(listen, admin_port, 9090, 0, 65535, CONFIG_FIXED,
           "Port for /metrics, /healthz and /readyz. 0 takes any free one.")
CONFIG_TEXT(listen, tls_certificate, "", CONFIG_RELOADABLE,
            "PEM file with the certificate and its chain. Set it and tls_key to serve wss.")
CONFIG_TEXT(listen, tls_key, "", CONFIG_RELOADABLE,
            "PEM file with the certificate's private key; readable by the owner only.")
CONFIG_INT(listen, backlog, 1024, 1, 65535, CONFIG_FIXED,
           "Connections that the kernel may hold before they are accepted.")
CONFIG_SECTION_END(listen)

CONFIG_SECTION(http, "HTTP, and what browsers may do.")
CONFIG_TEXT(http, allowed_origins, "", CONFIG_RELOADABLE,
            "Origins whose pages may connect, comma separated (https://app.example.com). "
            "Empty allows the gateway's own host only.")
CONFIG_TEXT(http, trusted_proxies, "", CONFIG_RELOADABLE,
            "Addresses or networks of proxies whose X-Forwarded-For is believed, comma separated "
            "(10.0.0.0/8, ::1).")
CONFIG_INT(http, header_timeout_ms, 10000, 100, 120000, CONFIG_RELOADABLE,
           "Time in which a client must have sent its request's headers, and then its body.")
CONFIG_INT(http, body_bytes, 65536, 1024, 16777216, CONFIG_RELOADABLE, "Largest REST request body.")
CONFIG_BOOL(http, chat_page, true, CONFIG_RELOADABLE, "Serve the plain chat page at /.")
CONFIG_SECTION_END(http)

CONFIG_SECTION(database, "Postgres: the truth.")
CONFIG_URL(database, url, "postgresql:///chatgate", CONFIG_FIXED,
           "Connection string of libpq. What it leaves out comes from PGHOST, PGUSER, PGPASSFILE "
           "and the like.")
CONFIG_INT(database, pool_size, 4, 1, 64, CONFIG_FIXED, "Connections for reading.")
CONFIG_INT(database, writers, 2, 1, 16, CONFIG_FIXED,
           "Connections that write messages. Two for every two cores of the database are enough.")
CONFIG_INT(database, statement_timeout_ms, 5000, 100, 600000, CONFIG_FIXED,
           "Longest time of a statement.")
CONFIG_INT(database, lock_timeout_ms, 1000, 10, 600000, CONFIG_FIXED,
           "Longest time that a statement waits for a lock.")
CONFIG_INT(database, connect_timeout_ms, 3000, 100, 600000, CONFIG_FIXED,
           "Longest time of a connection attempt.")
CONFIG_SECTION_END(database)

CONFIG_SECTION(redis, "Redis: wakes the other nodes up. Chat goes on without it, more slowly.")
CONFIG_URL(redis, url, "redis://127.0.0.1:6379/0", CONFIG_FIXED,
           "redis://[[user]:password@]host[:port][/database], or unix:/path/socket[?db=database].")
CONFIG_SECRET(redis, password, CONFIG_FIXED, "Password of Redis, if it asks for one.")
CONFIG_SECRET(redis, key, CONFIG_RELOADABLE,
              "Signs what the nodes tell each other; the same on all nodes, at least 16 "
              "characters.")
CONFIG_SECRET(redis, key_previous, CONFIG_RELOADABLE,
              "The key before, still accepted while the nodes change over.")
CONFIG_SECTION_END(redis)

CONFIG_SECTION(auth, "Who may connect: tokens (JWT) and passwords.")
CONFIG_TEXT(auth, keys, "", CONFIG_RELOADABLE,
            "Keys that verify tokens, comma separated, each kid:algorithm:file. The algorithm is "
            "HS256, RS256, ES256 or EdDSA and is bound to the key; the file holds the secret "
            "(HS256) or a PEM public key.")
CONFIG_SECRET(auth, hs256_secret, CONFIG_RELOADABLE,
              "For small installations: the one secret that signs and verifies tokens, at least "
              "32 characters.")
CONFIG_TEXT(auth, hs256_kid, "default", CONFIG_RELOADABLE, "The kid that names hs256_secret.")
CONFIG_TEXT(auth, issuer, "", CONFIG_RELOADABLE,
            "Value that a token's iss must have. Empty accepts any.")
CONFIG_TEXT(auth, audience, "", CONFIG_RELOADABLE,
            "Value that a token's aud must hold. Empty accepts any.")
CONFIG_INT(auth, token_ttl_s, 3600, 10, 31536000, CONFIG_RELOADABLE,
           "Life of a token that the gateway mints.")
CONFIG_INT(auth, refresh_ttl_s, 2592000, 60, 31536000, CONFIG_RELOADABLE,
           "Time after a login for which its tokens may be refreshed.")
CONFIG_INT(auth, leeway_s, 5, 0, 300, CONFIG_RELOADABLE,
           "Difference of clocks that is forgiven when a token's times are checked.")
CONFIG_INT(auth, hello_timeout_ms, 10000, 100, 120000, CONFIG_RELOADABLE,
           "Time in which a client must have said hello.")
CONFIG_INT(auth, bcrypt_cost, 12, 4, 16, CONFIG_RELOADABLE,
           "Cost of new password hashes: each step doubles the time.")
CONFIG_INT(auth, bcrypt_threads, 2, 1, 64, CONFIG_FIXED, "Threads that check passwords.")
CONFIG_INT(auth, bcrypt_queue, 64, 1, 10000, CONFIG_FIXED,
           "Logins that may wait for such a thread; more are answered unavailable.")
CONFIG_INT(auth, login_attempts, 10, 1, 10000, CONFIG_RELOADABLE,
           "Failed logins that one account, or one address, may make in login_window_s.")
CONFIG_INT(auth, login_window_s, 300, 1, 86400, CONFIG_RELOADABLE, "The window of login_attempts.")
CONFIG_SECTION_END(auth)

CONFIG_SECTION(limits, "What one client may cost. Clients are told in welcome.")
CONFIG_INT(limits, frame_bytes, 65536, 1024, 1048576, CONFIG_RELOADABLE,
           "Largest frame from a client.")
CONFIG_INT(limits, text_code_points, 4000, 1, 100000, CONFIG_RELOADABLE,
           "Longest text of a message, in Unicode code points.")
CONFIG_INT(limits, messages_per_s, 5, 1, 10000, CONFIG_RELOADABLE,
           "Messages that one user may send a second, over all nodes.")
CONFIG_INT(limits, message_burst, 10, 1, 100000, CONFIG_RELOADABLE,
           "Messages that one user may send at once before messages_per_s applies.")
CONFIG_INT(limits, requests_per_s, 50, 1, 100000, CONFIG_RELOADABLE,
           "Other requests that one connection may make a second.")
CONFIG_INT(limits, opens_per_minute, 30, 1, 100000, CONFIG_RELOADABLE,
           "Rooms that one user may open a minute.")
CONFIG_INT(
    limits, connections, 20000, 1, 10000000, CONFIG_RELOADABLE,
    "Connections of all clients of this node. Descriptors are reserved at the start: a reload "
    "that raises it far needs a restart.")
CONFIG_INT(limits, handshakes_per_s, 2000, 1, 1000000, CONFIG_RELOADABLE,
           "Clients that this node lets in a second. More are answered 503 with Retry-After before "
           "their token is looked at; under TLS of the node's own they wait to be accepted. REST "
           "requests in plain text and the admin port are not counted.")
CONFIG_INT(limits, handshake_burst, 4000, 1, 1000000, CONFIG_RELOADABLE,
           "Clients that this node lets in at once before handshakes_per_s applies.")
CONFIG_INT(limits, connections_per_user, 10, 1, 10000, CONFIG_RELOADABLE,
           "Connections of one user to this node.")
CONFIG_INT(limits, connections_per_ip, 1000, 1, 10000000, CONFIG_RELOADABLE,
           "Connections from one address to this node.")
CONFIG_INT(limits, history_page, 100, 1, 1000, CONFIG_RELOADABLE, "Messages of a history page.")
CONFIG_INT(limits, rooms_per_sync, 200, 1, 1000, CONFIG_RELOADABLE,
           "Rooms that one hello or sync may name.")
CONFIG_INT(limits, outbound_bytes, 262144, 16384, 67108864, CONFIG_RELOADABLE,
           "Data that may wait for a slow client before it is closed.")
CONFIG_SECTION_END(limits)

CONFIG_SECTION(heartbeat, "How dead connections are found.")
CONFIG_INT(heartbeat, ping_s, 25, 1, 3600, CONFIG_RELOADABLE, "Time between pings to a client.")
CONFIG_INT(heartbeat, pong_timeout_s, 10, 1, 600, CONFIG_RELOADABLE,
           "Silence after a ping that closes the connection.")
CONFIG_SECTION_END(heartbeat)

CONFIG_SECTION(drain, "How a node leaves.")
CONFIG_INT(drain, window_s, 10, 0, 600, CONFIG_RELOADABLE,
           "Time over which SIGTERM spreads the closing of connections.")
CONFIG_SECTION_END(drain)

CONFIG_SECTION(delivery, "How nodes stay in step.")
CONFIG_INT(delivery, head_check_s, 10, 1, 600, CONFIG_RELOADABLE,
           "Time between checks of the rooms' heads while Redis is well.")
CONFIG_INT(delivery, access_check_ms, 1000, 100, 60000, CONFIG_RELOADABLE,
           "Time between looks for users who were suspended, kicked or deleted.")
CONFIG_INT(delivery, presence_ttl_s, 60, 5, 3600, CONFIG_RELOADABLE,
           "Time after which a user of a dead node counts as offline.")
CONFIG_SECTION_END(delivery)

CONFIG_SECTION(rooms, "Who may talk to whom.")
CONFIG_BOOL(rooms, require_lesson, true, CONFIG_RELOADABLE,
            "Teacher and student need a lesson or booking that ties them.")
CONFIG_SECTION_END(rooms)

CONFIG_SECTION(messages, "What is kept of messages.")
CONFIG_SECRET(messages, text_key, CONFIG_FIXED,
              "Key of the hash that is kept of each text, so that a resend is known even after "
              "the text was erased. The same on all nodes, at least 16 characters; keep it for "
              "ever.")
CONFIG_SECTION_END(messages)

CONFIG_SECTION(moderation, "What happens to a message before it is delivered.")
CONFIG_CHOICE(moderation, default_verdict, "deliver", "deliver|hold", CONFIG_RELOADABLE,
              "What becomes of a message that no rule matches: deliver, or hold for a person.")
CONFIG_INT(
    moderation, windows, 20000, 16, 10000000, CONFIG_RELOADABLE,
    "Senders in rooms whose last 16 messages are remembered, for the next one to be screened "
    "with. About 1 to 3 KB each; one that was forgotten costs a read.")
CONFIG_INT(moderation, undo_window_s, 86400, 0, 31536000, CONFIG_RELOADABLE,
           "Time in which an operator may undo a verdict.")
CONFIG_INT(moderation, ceiling_window_s, 3600, 10, 86400, CONFIG_RELOADABLE,
           "Time over which the senders that a rule hits are counted, for its ceiling.")
CONFIG_INT(moderation, ceiling_senders, 20, 1, 10000, CONFIG_RELOADABLE,
           "Senders that a rule must have hit on a node before its ceiling can be passed.")
CONFIG_TEXT(moderation, cache_dir, "", CONFIG_FIXED,
            "Folder for compiled rules, so that a node with many starts fast. Empty takes "
            "systemd's CacheDirectory; without one nothing is kept.")
CONFIG_INT(moderation, lease_s, 60, 5, 3600, CONFIG_RELOADABLE,
           "Time for which a claimed message is an operator's, unless it is renewed.")
CONFIG_SECTION_END(moderation)

CONFIG_SECTION(node, "This node.")
CONFIG_TEXT(node, name, "", CONFIG_FIXED,
            "Name of this node, unique among the nodes. Empty means host:port.")
CONFIG_SECTION_END(node)

CONFIG_SECTION(log, "Logs: never a message's text, never a token.")
CONFIG_CHOICE(log, level, "info", "error|warning|notice|info|debug", CONFIG_RELOADABLE,
              "The least important level that is written.")
CONFIG_CHOICE(log, format, "auto", "auto|journal|json", CONFIG_FIXED,
              "auto writes to the journal when standard error is connected to it, else JSON "
              "lines to standard error.")
CONFIG_SECTION_END(log)
