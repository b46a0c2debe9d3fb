// SPDX-License-Identifier: Apache-2.0
// What the tests share: the schemas as validators, and the probe.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import addFormats from 'ajv-formats';
import Ajv from 'ajv/dist/2020.js';

export const protocolUrl = new URL('../../protocol/', import.meta.url);
const schemaUrl = new URL('schema/', protocolUrl);

export function readText(path) {
  return readFileSync(new URL(path, protocolUrl), 'utf8');
}

export function readJson(path) {
  return JSON.parse(readText(path));
}

/** Paths of all schemas, relative to protocol/schema. */
export const schemaPaths = readdirSync(schemaUrl, { recursive: true })
  .filter((path) => path.endsWith('.json'))
  .sort();

// strictRequired would refuse `required` beside an allOf that has the property.
const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: false });
addFormats(ajv);
for (const path of schemaPaths)
  ajv.addSchema({ ...readJson(`schema/${path}`), $id: new URL(path, schemaUrl).href });

/** The validator of a schema: returns null, or what is wrong. */
export function validator(path) {
  const validate = ajv.getSchema(new URL(path, schemaUrl).href);
  return (value) => (validate(value) ? null : ajv.errorsText(validate.errors));
}

/** Lines that the probe prints. */
export function probe(mode, input = '') {
  return execFileSync(process.env.PROBE, [mode], { input, encoding: 'utf8' }).trimEnd().split('\n');
}

/** A document as the gateway serves it. */
export function bundled(name) {
  return execFileSync('python3', [fileURLToPath(new URL('bundle.py', protocolUrl)),
    fileURLToPath(new URL(name, protocolUrl))], { encoding: 'utf8' });
}
