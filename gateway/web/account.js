// SPDX-License-Identifier: Apache-2.0
/** Who is signed in, in this tab. The token lives in sessionStorage and goes with the tab. */

const KEY = 'chatgate.account';

/** @typedef {{token: string, user: Record<string, any>}} Account */

export class SignInError extends Error {
  /** @param {string} code  An error code of the server, or `network`. @param {number} [retryAfterMs] */
  constructor(code, retryAfterMs) {
    super(code);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** @returns {Account | null} */
export function savedAccount() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
}

function saveAccount(/** @type {Account} */ account) {
  sessionStorage.setItem(KEY, JSON.stringify(account));
}

export function forgetAccount() {
  sessionStorage.removeItem(KEY);
}

/** @param {string} path @param {RequestInit} init */
async function post(path, init) {
  const response = await fetch(path, { method: 'POST', cache: 'no-store', ...init }).catch(() => {
    throw new SignInError('network');
  });
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  throw new SignInError(body.error?.code ?? 'internal', body.error?.retry_after_ms);
}

/** @param {string} email @param {string} password @returns {Promise<Account>} */
export async function signIn(email, password) {
  const { token, user } = await post('/api/auth/login', {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  const account = { token, user };
  saveAccount(account);
  return account;
}

/** The client's getToken. Null: the session is over, sign in again. */
export async function currentToken(/** @type {{refresh: boolean}} */ { refresh }) {
  const account = savedAccount();
  if (!account) return null;
  if (!refresh) return account.token;
  try {
    const headers = { Authorization: `Bearer ${account.token}` };
    const { token } = await post('/api/auth/refresh', { headers });
    saveAccount({ ...account, token });
    return token;
  } catch (error) {
    const over = ['unauthorized', 'token_expired', 'forbidden', 'not_found'];
    if (error instanceof SignInError && over.includes(error.code)) return null;
    throw error;
  }
}
