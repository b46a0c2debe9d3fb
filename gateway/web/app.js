// SPDX-License-Identifier: Apache-2.0
/** Where the page starts: either somebody is signed in in this tab, or the form is shown. */
import { SignInError, forgetAccount, savedAccount, signIn } from './account.js';
import { byId, setText } from './dom.js';
import { say, switchLanguage, translatePage } from './say.js';
import { Session } from './session.js';

/** @type {Session | null} */
let session = null;

function showSignIn(message = '') {
  session?.close();
  session = null;
  byId('chat').hidden = true;
  byId('signin').hidden = false;
  setText(byId('signin-error'), message);
  byId('email').focus();
}

function showChat(/** @type {import('./account.js').Account} */ account) {
  byId('signin').hidden = true;
  byId('chat').hidden = false;
  session = new Session(account, (phrase) => {
    forgetAccount();
    showSignIn(say(phrase));
  });
  session.render();
}

function signOut() {
  forgetAccount();
  history.replaceState(null, '', '#');
  showSignIn();
}

/** @param {unknown} error */
function sayProblem(error) {
  if (!(error instanceof SignInError)) throw error;
  const { code, retryAfterMs = 1000 } = error;
  const known = ['unauthorized', 'rate_limited', 'network', 'unavailable'].includes(code);
  return say(`signin.error.${known ? code : 'other'}`, { n: Math.ceil(retryAfterMs / 1000) });
}

async function handleSignIn(/** @type {SubmitEvent} */ event) {
  event.preventDefault();
  const button = byId('signin-submit');
  const password = byId('password');
  button.disabled = true;
  setText(button, say('signin.busy'));
  setText(byId('signin-error'), '');
  try {
    showChat(await signIn(byId('email').value.trim(), password.value));
    password.value = '';
  } catch (error) {
    setText(byId('signin-error'), sayProblem(error));
    password.select();
  } finally {
    button.disabled = false;
    setText(button, say('signin.submit'));
  }
}

function translate() {
  translatePage();
  for (const button of document.querySelectorAll('[data-language]')) {
    button.setAttribute('lang', say('language.code'));
    setText(button, say('language.other'));
  }
  session?.render();
}

byId('signin-form').onsubmit = handleSignIn;
byId('signout').onclick = signOut;
for (const button of document.querySelectorAll('[data-language]')) {
  button.addEventListener('click', () => {
    switchLanguage();
    translate();
  });
}
translate();
const account = savedAccount();
if (account) showChat(account);
else showSignIn();
