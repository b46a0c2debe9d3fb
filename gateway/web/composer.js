// SPDX-License-Identifier: Apache-2.0
/** The field in which a message is written; keeps a draft for each room. */
import { byId, setText } from './dom.js';
import { say } from './say.js';
import { codePoints } from './text.js';

const WARN_AT = 0.9; // of the longest text: from here on the counter is shown

export class Composer {
  /** @type {Map<string, string>} */ #drafts = new Map();
  #room = '';
  #limit = 4000;
  #text = byId('text');
  #send;

  /** @param {(text: string) => boolean} send  False: the text stays. @param {() => void} typing */
  constructor(send, typing) {
    this.#send = send;
    byId('composer').onsubmit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#submit();
    };
    this.#text.onkeydown = (/** @type {KeyboardEvent} */ event) => this.#handleKey(event);
    this.#text.oninput = () => {
      if (this.#text.value) typing();
      this.#changed();
    };
    this.#changed();
  }

  set limit(/** @type {number | undefined} */ codePointsAllowed) {
    this.#limit = codePointsAllowed ?? this.#limit;
  }

  /** Goes to another room: its draft comes back. */
  show(/** @type {string} */ room, /** @type {string} */ name) {
    this.#text.setAttribute('aria-label', say('compose.label', { name }));
    this.#text.placeholder = say('compose.placeholder');
    if (room === this.#room) return;
    this.#room = room;
    this.value = this.#drafts.get(room) ?? '';
  }

  set value(/** @type {string} */ text) {
    this.#text.value = text;
    this.#changed();
  }

  focus() {
    this.#text.focus();
  }

  complain(/** @type {string} */ text) {
    setText(byId('composer-note'), text);
  }

  /** Enter sends where there is a keyboard; on a phone it makes a new line, as phones do. */
  #handleKey(/** @type {KeyboardEvent} */ event) {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    if (matchMedia('(pointer: coarse)').matches) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.#text.value.trim();
    if (text && codePoints(text) <= this.#limit && this.#send(text)) this.value = '';
    this.focus();
  }

  #changed() {
    const text = this.#text.value;
    if (text) this.#drafts.set(this.#room, text);
    else this.#drafts.delete(this.#room);
    const left = this.#limit - codePoints(text.trim());
    byId('send').disabled = text.trim() === '' || left < 0;
    const shown = left < this.#limit * (1 - WARN_AT);
    byId('composer').classList.toggle('over', left < 0);
    this.complain(
      shown ? say(left < 0 ? 'compose.over' : 'compose.left', { n: Math.abs(left) }) : '',
    );
    this.#text.style.setProperty('height', 'auto');
    this.#text.style.setProperty('height', `${this.#text.scrollHeight}px`);
  }
}
