// SPDX-License-Identifier: Apache-2.0
/**
 * Requests and their answers, over one connection after the other.
 *
 * A request is sent (it has an id of this connection), paused (the server said: not now) or waiting
 * for a connection. It ends once: by its answer, by its deadline, or when the client is told to stop.
 */
import { ERROR_CODES } from './codes.js';

/** @type {Record<string, {retry: boolean} | undefined>} */
const ERRORS = ERROR_CODES;
const FAULTS = 3; // answers `internal` after which a request is given up

/**
 * @typedef {Record<string, any>} Frame
 *
 * @typedef {object} Job
 * @property {Frame} frame
 * @property {boolean} keep
 * @property {(frame: Frame) => void} resolve
 * @property {(error: ChatError) => void} reject  The server's error; may start the job again.
 * @property {(error: ChatError) => void} end
 * @property {number} sentAt
 * @property {any} pause
 *
 * @typedef {object} How
 * @property {number} [timeoutMs]  Reconnects included; Infinity for no deadline.
 * @property {boolean} [once]  Any error is final: for what must not be asked twice.
 * @property {boolean} [keep]  Survives stop().
 */

export class ChatError extends Error {
  /** @param {string} code @param {Frame} [frame] */
  constructor(code, frame = {}) {
    super(frame.message ?? code);
    this.name = 'ChatError';
    this.code = code;
    this.reason = /** @type {string | undefined} */ (frame.reason);
    this.retryAfterMs = /** @type {number | undefined} */ (frame.retry_after_ms);
    this.frame = frame;
  }
}

export class Requests {
  /** By the id on this connection. @type {Map<number, Job>} */ #sent = new Map();
  /** Paused, or without a connection. @type {Set<Job>} */ #waiting = new Set();
  #lastId = 0;
  #live = false;
  #write;
  #jitterMs;

  /**
   * @param {(frame: Frame) => void} write
   * @param {() => number} jitterMs  Spreads those who were told to wait for the same time.
   */
  constructor(write, jitterMs) {
    this.#write = write;
    this.#jitterMs = jitterMs;
  }

  /** When the oldest unanswered request was sent, or Infinity. */
  get oldestSentAt() {
    return Math.min(...Array.from(this.#sent.values(), (job) => job.sentAt));
  }

  /**
   * The first request of a connection, which dies with it and may be sent before go().
   * @param {Frame} frame
   * @param {(frame: Frame) => void} resolve
   * @param {(error: ChatError) => void} reject
   */
  hello(frame, resolve, reject) {
    this.#lastId = 0;
    const end = () => {};
    this.#send({ frame, keep: false, resolve, reject, end, sentAt: 0, pause: undefined });
  }

  /** The connection takes requests now. */
  go() {
    this.#live = true;
    for (const job of [...this.#waiting]) if (!job.pause) this.#start(job);
  }

  /** The connection is lost: what was unanswered waits for the next. */
  lost() {
    this.#live = false;
    for (const job of this.#sent.values()) if (job.frame.t !== 'hello') this.#waiting.add(job);
    this.#sent.clear();
  }

  /** There will be no next connection, unless somebody asks for one. */
  stop() {
    for (const job of [...this.#waiting]) if (!job.keep) job.end(new ChatError('disconnected'));
  }

  /**
   * @param {string} t
   * @param {Frame} fields
   * @param {How} how
   * @returns {Promise<Frame>}
   */
  ask(t, fields, { timeoutMs = 30_000, once = false, keep = false }) {
    return new Promise((resolve, reject) => {
      let faults = 0;
      const deadline =
        timeoutMs === Infinity
          ? undefined
          : setTimeout(() => job.end(new ChatError('timeout')), timeoutMs);
      /** @type {Job} */
      const job = {
        frame: { t, ...fields },
        keep,
        sentAt: 0,
        pause: undefined,
        resolve: (frame) => {
          clearTimeout(deadline);
          resolve(frame);
        },
        reject: (error) => {
          const again =
            ERRORS[error.code]?.retry && (error.code !== 'internal' || ++faults < FAULTS);
          if (once || !again) job.end(error);
          else this.#pause(job, error.retryAfterMs ?? 0);
        },
        end: (error) => {
          clearTimeout(deadline);
          clearTimeout(job.pause);
          this.#waiting.delete(job);
          if (this.#sent.get(job.frame.id) === job) this.#sent.delete(job.frame.id);
          reject(error);
        },
      };
      this.#start(job);
    });
  }

  /** Gives an answer to its request. False if the frame is none. */
  answer(/** @type {Frame} */ frame) {
    const job = this.#sent.get(frame.re);
    if (!job) return false;
    this.#sent.delete(frame.re);
    if (frame.t === 'error') job.reject(new ChatError(frame.code, frame));
    else job.resolve(frame);
    return true;
  }

  #start(/** @type {Job} */ job) {
    job.pause = undefined;
    this.#waiting.delete(job);
    if (this.#live) this.#send(job);
    else this.#waiting.add(job);
  }

  #pause(/** @type {Job} */ job, /** @type {number} */ ms) {
    job.pause = setTimeout(() => this.#start(job), ms + this.#jitterMs());
    this.#waiting.add(job);
  }

  #send(/** @type {Job} */ job) {
    job.sentAt = Date.now();
    job.frame.id = ++this.#lastId;
    this.#sent.set(job.frame.id, job);
    this.#write(job.frame);
  }
}
