// SPDX-License-Identifier: Apache-2.0
/** Phrases, plurals, times and days in the language that the person reads. */
import { WORDS } from './words.js';

const KEY = 'chatgate.language';

export let language = pickLanguage();

function pickLanguage() {
  const wanted = [localStorage.getItem(KEY), ...navigator.languages];
  return wanted.map((tag) => (tag ?? '').slice(0, 2)).find((tag) => tag in WORDS) ?? 'en';
}

export function switchLanguage() {
  language = language === 'ru' ? 'en' : 'ru';
  localStorage.setItem(KEY, language);
}

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values]  `n` also chooses the plural form.
 * @returns {string}
 */
export function say(key, values = {}) {
  const phrase = WORDS[language][key];
  const text =
    typeof phrase === 'string'
      ? phrase
      : (phrase[new Intl.PluralRules(language).select(Number(values.n))] ?? phrase.other);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** The phrase for the first of these codes that has one, or that for any other. */
function sayCode(/** @type {string} */ prefix, /** @type {(string | undefined)[]} */ codes) {
  const known = codes.find((code) => `${prefix}.${code}` in WORDS[language]);
  return say(`${prefix}.${known ?? 'other'}`);
}

/** Why a message was blocked: `contact.phone`, or its family, `contact`. */
export const sayReason = (/** @type {string | undefined} */ reason) =>
  sayCode('reason', [reason, reason?.split('.')[0]]);

/** Why the server did not take a message. @param {string} [code] @param {string} [reason] */
export const sayError = (code, reason) => sayCode('error', [reason, code]);

/** @param {Date} date @param {Intl.DateTimeFormatOptions} options */
const format = (date, options) => new Intl.DateTimeFormat(language, options).format(date);

export const sayTime = (/** @type {Date} */ date) =>
  format(date, { hour: '2-digit', minute: '2-digit' });

export const sayMoment = (/** @type {Date} */ date) =>
  format(date, { dateStyle: 'long', timeStyle: 'short' });

const startOfDay = (/** @type {Date} */ date) => new Date(date).setHours(0, 0, 0, 0);

/** Full days between that day and today. */
function daysAgo(/** @type {Date} */ date) {
  return Math.round((startOfDay(new Date()) - startOfDay(date)) / 86_400_000);
}

export function sayDay(/** @type {Date} */ date) {
  const days = daysAgo(date);
  if (days === 0) return say('chat.today');
  if (days === 1) return say('chat.yesterday');
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : 'numeric';
  return format(date, { weekday: 'long', day: 'numeric', month: 'long', year });
}

/** As short as a list needs it. */
export function sayWhen(/** @type {Date} */ date) {
  const days = daysAgo(date);
  if (days === 0) return sayTime(date);
  if (days < 7) return format(date, { weekday: 'short' });
  return format(date, { day: 'numeric', month: 'short' });
}

/** Fills every element that names its phrase, and the document's language. */
export function translatePage() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll('[data-say]')) {
    element.textContent = say(element.getAttribute('data-say') ?? '');
  }
  for (const element of document.querySelectorAll('[data-say-label]')) {
    const label = say(element.getAttribute('data-say-label') ?? '');
    element.setAttribute('aria-label', label);
    element.setAttribute('title', label);
  }
}
