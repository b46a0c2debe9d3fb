/* SPDX-License-Identifier: Apache-2.0 */
/* Every outcome of checking a token: JWT_ROW(NAME, "name in logs and metrics") */
/* clang-format off */
JWT_ROW(OK,              "ok")
JWT_ROW(EXPIRED,         "expired")
JWT_ROW(TOO_LARGE,       "too_large")
JWT_ROW(MALFORMED,       "malformed")
JWT_ROW(BAD_HEADER,      "bad_header")
JWT_ROW(WRONG_ALGORITHM, "wrong_algorithm")
JWT_ROW(UNKNOWN_KEY,     "unknown_key")
JWT_ROW(BAD_SIGNATURE,   "bad_signature")
JWT_ROW(BAD_CLAIM,       "bad_claim")
JWT_ROW(NOT_YET_VALID,   "not_yet_valid")
JWT_ROW(WRONG_ISSUER,    "wrong_issuer")
JWT_ROW(WRONG_AUDIENCE,  "wrong_audience")
JWT_ROW(BAD_SUBJECT,     "bad_subject")
JWT_ROW(BAD_ROLE,        "bad_role")
/* clang-format on */
