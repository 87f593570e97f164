"""What every story needs: a client, synchronous or asynchronous, and ids of its own.

A story is written once, as a coroutine. `call` takes what either client returns, so that
`stories(Users)` can make two test cases of it.
"""

import inspect
import os
import sys
import unittest
import uuid
from contextlib import contextmanager

import jwt
from stream_chat import StreamChat, StreamChatAsync
from stream_chat.base.exceptions import StreamAPIException

URL = os.environ["ROLLCALL_URL"]
KEY = os.environ["ROLLCALL_API_KEY"]
SECRET = os.environ["ROLLCALL_API_SECRET"]


async def call(reply):
    """The reply, whichever client it comes from."""
    return await reply if inspect.isawaitable(reply) else reply


class Story(unittest.IsolatedAsyncioTestCase):
    """One test, with the application's backend as `self.client`."""

    new_client = None

    def client_with(self, key=KEY, secret=SECRET):
        client = self.new_client(key, secret, base_url=URL, timeout=10)
        closing = getattr(client, "close", None)
        if closing:
            self.addAsyncCleanup(closing)
        return client

    def client_of(self, user_id, **claims):
        """A client that calls as a user, with their token in place of the backend's."""
        client = self.client_with()
        client.auth_token = client.create_token(user_id, **claims)
        return client

    async def asyncSetUp(self):
        self.suffix = uuid.uuid4().hex[:8]
        self.client = self.client_with()

    def id(self, name=None):
        # unittest calls it without a name, for the test's own.
        return super().id() if name is None else f"{name}-{self.suffix}"

    async def users(self, *names, **fields):
        """Makes users; their ids, in the order of their names."""
        ids = [self.id(name) for name in names]
        await call(self.client.upsert_users([{"id": id, **fields} for id in ids]))
        return ids

    async def channel(self, name, *member_ids, **data):
        """Makes a channel of these members, the first of whom creates it."""
        channel = self.client.channel("messaging", self.id(name), {"members": list(member_ids), **data})
        await call(channel.create(member_ids[0]))
        return channel

    @contextmanager
    def refused(self, code, status):
        with self.assertRaises(StreamAPIException) as caught:
            yield caught
        self.assertEqual((caught.exception.error_code, caught.exception.status_code), (code, status), caught.exception)


def stories(story):
    """Makes a synchronous and an asynchronous test case of `story`, in the module that holds it."""
    module = sys.modules[story.__module__]
    for kind, client in (("Sync", StreamChat), ("Async", StreamChatAsync)):
        name = f"{kind}{story.__name__}"
        setattr(module, name, type(name, (story, Story), {"new_client": client, "__module__": story.__module__}))
    return story


def claims(token):
    return jwt.decode(token, SECRET, algorithms=["HS256"])
