# SPDX-License-Identifier: Apache-2.0
"""The REST side, by the standard library; every body is checked against protocol/schema."""

import asyncio
import http.client
import json
import urllib.parse

import schemas
from client import insecure_tls


class Answer:
    def __init__(self, status, headers, data):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.data = data

    @property
    def json(self):
        return json.loads(self.data)

    @property
    def error(self):
        return self.json["error"]


def _call(url, method, path, body, headers):
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(parts.netloc, timeout=20, context=insecure_tls())
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    try:
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


async def rest(node, method, path, body=None, token=None, headers=None, admin=False):
    """One request. body: a dict goes as JSON, bytes or text as they are."""
    sent = {} if token is None else {"Authorization": f"Bearer {token}"}
    if body is not None:
        sent["Content-Type"] = "application/json"
    sent.update(headers or {})
    if isinstance(body, dict):
        body = json.dumps(body)
    url = node.admin_url if admin else node.http_url
    answer = await asyncio.to_thread(_call, url, method, path, body, sent)
    if answer.headers.get("content-type", "").startswith("application/json"):
        schemas.check_body(method, path, answer)
    return answer
