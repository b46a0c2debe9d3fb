// SPDX-License-Identifier: Apache-2.0
// Error and close codes, generated from protocol/error_table.h and close_table.h by
// tables.c; do not edit.

export const ERROR_CODES = Object.freeze({
  bad_request: { http: 400, retry: false },
  unauthorized: { http: 401, retry: false },
  token_expired: { http: 401, retry: false },
  forbidden: { http: 403, retry: false },
  not_found: { http: 404, retry: false },
  method_not_allowed: { http: 405, retry: false },
  conflict: { http: 409, retry: false },
  cid_conflict: { http: 409, retry: false },
  already_decided: { http: 409, retry: false },
  too_large: { http: 413, retry: false },
  unsupported_media_type: { http: 415, retry: false },
  unprocessable: { http: 422, retry: false },
  upgrade_required: { http: 426, retry: false },
  rate_limited: { http: 429, retry: true },
  internal: { http: 500, retry: true },
  unavailable: { http: 503, retry: true },
});

export const CLOSE_CODES = Object.freeze({
  1000: { name: 'normal', reconnect: false },
  1001: { name: 'going_away', reconnect: true },
  1002: { name: 'bad_frame', reconnect: false },
  1003: { name: 'unsupported_data', reconnect: false },
  1005: { name: 'no_status', reconnect: true },
  1006: { name: 'abnormal', reconnect: true },
  1007: { name: 'bad_utf8', reconnect: false },
  1008: { name: 'policy', reconnect: false },
  1009: { name: 'too_big', reconnect: false },
  4000: { name: 'drain', reconnect: true },
  4001: { name: 'internal', reconnect: true },
  4002: { name: 'slow', reconnect: true },
  4003: { name: 'no_pong', reconnect: true },
  4004: { name: 'token_expired', reconnect: true },
  4005: { name: 'flood', reconnect: true },
  4006: { name: 'hello_timeout', reconnect: true },
  4500: { name: 'auth_failed', reconnect: false },
  4501: { name: 'protocol_error', reconnect: false },
  4502: { name: 'revoked', reconnect: false },
  4503: { name: 'too_many_connections', reconnect: false },
  4504: { name: 'version', reconnect: false },
});
