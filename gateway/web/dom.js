// SPDX-License-Identifier: Apache-2.0
/** The few things that all views do with the document. */

/** @param {string} id @returns {any} */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no element ${id}`);
  return element;
}

/** A copy of the one element that this template holds. @returns {HTMLElement} */
export function fromTemplate(/** @type {string} */ id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

/** @param {ParentNode} parent @param {string} selector @returns {any} */
export const within = (parent, selector) => parent.querySelector(selector);

/** Changes a text only if it differs: a live region speaks at every change. */
export function setText(/** @type {Element} */ element, /** @type {string} */ text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes `parent` hold exactly these children in this order, moving as few as need be. */
export function arrange(/** @type {Element} */ parent, /** @type {Element[]} */ children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
}

/** Says something to people who use a screen reader. */
export function announce(/** @type {string} */ text) {
  byId('announcer').textContent = text;
}
