import time
from datetime import datetime, timezone

from stories import call, stories


@stories
class Application:
    async def test_every_reply_says_what_is_left_of_the_limit(self):
        reply = await call(self.client.query_users({"id": self.id("john")}))
        # Not `reply.rate_limit()`: the asynchronous client misses headers that aiohttp has capitalised.
        headers = {name.lower(): value for name, value in reply.headers().items()}
        limit, remaining, reset = (int(headers[f"x-ratelimit-{part}"]) for part in ("limit", "remaining", "reset"))
        self.assertGreater(limit, 0)
        self.assertTrue(0 < remaining < limit)
        self.assertTrue(time.time() - 60 < reset < time.time() + 120)
        self.assertRegex(reply["duration"], r"^[\d.]+(ns|µs|ms|s)$")

    async def test_rate_limits_by_platform_and_endpoint(self):
        everything = await call(self.client.get_rate_limits())
        self.assertTrue(everything["server_side"]["QueryUsers"]["limit"])
        for platform in ("android", "ios", "web"):
            self.assertIn(platform, everything)
        some = await call(self.client.get_rate_limits(server_side=True, endpoints=["QueryUsers", "SendMessage"]))
        self.assertEqual(set(some["server_side"]), {"QueryUsers", "SendMessage"})
        self.assertFalse(some.get("ios"))

    async def test_settings_and_channel_types(self):
        app = await call(self.client.get_app_settings())
        self.assertIn("messaging", app["app"]["channel_configs"])
        types = await call(self.client.list_channel_types())
        self.assertLessEqual({"messaging", "team", "livestream", "gaming", "commerce"}, set(types["channel_types"]))
        messaging = await call(self.client.get_channel_type("messaging"))
        self.assertEqual((messaging["name"], messaging["connect_events"]), ("messaging", True))
        with self.refused(16, 404):
            await call(self.client.get_channel_type("nonsense"))


@stories
class Tokens:
    async def allowed(self, client, id):
        reply = await call(client.query_users({"id": id}))
        self.assertEqual(len(reply["users"]), 1)

    async def test_a_users_tokens_can_be_revoked(self):
        (john,) = await self.users("john")
        before = int(time.time()) - 60
        old, fresh = self.client_of(john, iat=before - 60), self.client_of(john, iat=before + 30)
        await self.allowed(old, john)

        await call(self.client.revoke_user_token(john, datetime.fromtimestamp(before, timezone.utc)))
        # Revoked reads as expired: an app with a token provider then asks for a new one.
        with self.refused(40, 401):
            await self.allowed(old, john)
        with self.refused(40, 401):
            await self.allowed(self.client_of(john), john)
        await self.allowed(fresh, john)

        await call(self.client.revoke_user_token(john, None))
        await self.allowed(old, john)

    async def test_everybodys_tokens_can_be_revoked(self):
        (john,) = await self.users("john")
        before = int(time.time()) - 60
        old = self.client_of(john, iat=before - 60)
        await call(self.client.revoke_tokens(datetime.fromtimestamp(before, timezone.utc)))
        try:
            with self.refused(40, 401):
                await self.allowed(old, john)
            await self.allowed(self.client_of(john, iat=before + 30), john)
        finally:
            await call(self.client.revoke_tokens(None))
        await self.allowed(old, john)

    async def test_bad_credentials_each_have_their_code(self):
        now = int(time.time())
        (john,) = await self.users("john")
        for client, code in (
            (self.client_with(key="nobody"), 2),
            (self.client_with(secret="another secret, as long as it should be"), 43),
            (self.client_of(john, exp=now - 60), 40),
            (self.client_of(john, nbf=now + 600), 41),
            (self.client_of(john, iat=now + 600), 42),
        ):
            with self.subTest(code=code), self.refused(code, 401):
                await self.allowed(client, john)

    async def test_a_user_may_not_do_what_the_backend_may(self):
        john, jack = await self.users("john", "jack")
        as_john = self.client_of(john)
        with self.refused(17, 403):
            await call(as_john.upsert_user({"id": jack, "name": "Jackass"}))
        with self.refused(17, 403):
            await call(as_john.update_user_partial({"id": john, "set": {"role": "admin"}}))
        for not_allowed in (as_john.delete_user, as_john.deactivate_user):
            with self.subTest(not_allowed.__name__), self.refused(5, 401):
                await call(not_allowed(jack))
