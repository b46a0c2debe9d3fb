// SPDX-License-Identifier: Apache-2.0
/** What the person is told of the connection: nothing while it is well. */
import { byId, setText } from './dom.js';
import { say } from './say.js';

const PATIENCE_MS = 700; // a connection that takes no longer than this needs no words
const BACK_MS = 2000;

export class Banner {
  #timer = 0;
  #wasLost = false;

  /** @param {() => void} retry */
  constructor(retry) {
    this.retry = retry;
    this.#hide();
  }

  /** @param {Record<string, any>} change  The detail of the client's `state` event. */
  show({ state, code, reason, retryInMs }) {
    this.#rest();
    if (state === 'connected') this.#connected();
    else if (state === 'disconnected') this.#stopped(code);
    else if (retryInMs === undefined) this.#later(() => this.#say(say('link.connecting')));
    else this.#lost(reason === 'offline', Date.now() + retryInMs);
  }

  close() {
    this.#rest();
    this.#hide();
    this.#wasLost = false;
  }

  #rest() {
    clearTimeout(this.#timer);
    clearInterval(this.#timer);
  }

  #later(/** @type {() => void} */ what, ms = PATIENCE_MS) {
    this.#timer = window.setTimeout(what, ms);
  }

  #connected() {
    if (!this.#wasLost) return this.#hide();
    this.#wasLost = false;
    this.#say(say('link.back'), { kind: 'good' });
    this.#later(() => this.#hide(), BACK_MS);
  }

  /** The words are said once, the seconds only shown. */
  #lost(/** @type {boolean} */ offline, /** @type {number} */ at) {
    this.#wasLost = true;
    const count = () => {
      const n = Math.ceil((at - Date.now()) / 1000);
      setText(byId('banner-count'), n > 0 ? say('link.retryIn', { n }) : say('link.retrying'));
    };
    this.#say(say(offline || !navigator.onLine ? 'link.offline' : 'link.lost'), {
      action: say('link.retryNow'),
      act: this.retry,
    });
    count();
    this.#timer = window.setInterval(count, 250);
  }

  #stopped(/** @type {number} */ code) {
    const tooMany = code === 4503;
    this.#wasLost = tooMany;
    this.#say(say(tooMany ? 'link.tooMany' : 'link.stopped'), {
      kind: 'bad',
      action: say(tooMany ? 'link.retryNow' : 'link.reload'),
      act: tooMany ? this.retry : () => location.reload(),
    });
  }

  #say(
    /** @type {string} */ text,
    /** @type {{kind?: string, action?: string, act?: () => void}} */ {
      kind = '',
      action,
      act,
    } = {},
  ) {
    const button = byId('banner-action');
    byId('banner').hidden = false;
    byId('banner').className = `banner ${kind}`;
    setText(byId('banner-text'), text);
    setText(byId('banner-count'), '');
    setText(button, action ?? '');
    button.hidden = !action;
    button.onclick = act ?? null;
  }

  #hide() {
    byId('banner').hidden = true;
    setText(byId('banner-text'), '');
  }
}
