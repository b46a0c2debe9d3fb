// SPDX-License-Identifier: Apache-2.0
/** Other people's words, made harmless to look at. They stay text: the page never makes HTML of them. */

const FLAG_OF_TAGS = /\u{1F3F4}[\u{E0020}-\u{E007E}]{1,8}\u{E007F}/u;
const TAGS = /[\u{E0000}-\u{E007F}]/gu;
const TAGS_OR_FLAG = new RegExp(`${FLAG_OF_TAGS.source}|${TAGS.source}`, 'gu');
const DIRECTION = /[\u202A-\u202E\u2066-\u2069]/g; // embeddings, overrides, isolates: the page isolates
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F]/g;
const OTHER_CONTROLS = /[\u0080-\u009F\uFFF9-\uFFFB]/g;
const PILES = /(\p{M}{4})\p{M}+/gu;

/**
 * What of a text is shown: direction overrides and stray tag characters dropped, control characters
 * made visible, piles of combining marks cut to four, long gaps to two empty lines.
 */
export function displayText(/** @type {string} */ text) {
  return text
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(TAGS_OR_FLAG, (found) => (FLAG_OF_TAGS.test(found) ? found : ''))
    .replace(DIRECTION, '')
    .replace(CONTROLS, picture)
    .replace(OTHER_CONTROLS, '\uFFFD')
    .replace(PILES, '$1')
    .replace(/\n{4,}/g, '\n\n\n');
}

function picture(/** @type {string} */ control) {
  return control === '\u007F' ? '\u2421' : String.fromCharCode(0x2400 + control.charCodeAt(0));
}

/** The same on one line, for names and previews. */
export function displayLine(/** @type {string} */ text) {
  return displayText(text).replace(/\s+/g, ' ').trim();
}

/** @param {{first_name?: string | null, last_name?: string | null}} person */
export function fullName({ first_name: first, last_name: last }) {
  return displayLine([first, last].filter(Boolean).join(' ')) || '?';
}

/** @param {{first_name?: string | null, last_name?: string | null}} person */
export function initials(person) {
  const words = fullName(person).split(' ');
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => [...word][0]?.toLocaleUpperCase() ?? '').join('');
}

/** One of `count` colours for a person, always the same. */
export function colourOf(/** @type {string} */ id, count = 6) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) >>> 0;
  return sum % count;
}

/** Code points, as the server counts a text. */
export function codePoints(/** @type {string} */ text) {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
