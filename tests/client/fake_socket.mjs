// SPDX-License-Identifier: Apache-2.0
/** A WebSocket without a network, for faults and time only. The test plays the server. */

/** @type {FakeSocket[]} */
export const sockets = [];

/** The newest connection attempt. */
export const latest = () => /** @type {FakeSocket} */ (sockets.at(-1));

export class FakeSocket {
  readyState = 0;
  /** Frames that the client sent. @type {any[]} */ sent = [];

  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
    sockets.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  /** As a dead link does it: nothing comes back. */
  close() {
    this.readyState = 2;
  }

  accept() {
    this.readyState = 1;
    this.onopen?.({});
  }

  say(...frames) {
    this.onmessage?.({ data: frames.map((frame) => JSON.stringify(frame)).join('\n') });
  }

  end(code, reason = '') {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /** The last frame of this kind that the client sent. */
  last(t) {
    return this.sent.findLast((frame) => frame.t === t);
  }

  all(t) {
    return this.sent.filter((frame) => frame.t === t);
  }
}
