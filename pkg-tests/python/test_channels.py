from stories import call, stories


@stories
class Channels:
    async def members(self, channel, **filter):
        members = await call(channel.query_members(filter, [{"field": "user_id", "direction": 1}]))
        return [member["user_id"] for member in members]

    async def test_create_and_query(self):
        ann, bob = await self.users("ann", "bob")
        channel = self.client.channel("messaging", self.id("den"), {"members": [ann, bob], "color": "green"})
        created = await call(channel.create(ann))
        self.assertEqual(created["channel"]["cid"], channel.cid)
        self.assertEqual(created["channel"]["created_by"]["id"], ann)
        self.assertEqual(created["channel"]["member_count"], 2)

        state = await call(channel.query())
        self.assertEqual(state["channel"]["color"], "green")
        self.assertEqual(sorted(member["user"]["id"] for member in state["members"]), [ann, bob])
        self.assertEqual((state["messages"], state["watcher_count"]), ([], 0))

    async def test_without_a_creator_it_says_what_is_missing(self):
        with self.refused(4, 400) as caught:
            await call(self.client.channel("messaging", self.id("den")).query())
        self.assertIn("created_by", caught.exception.error_message)

    async def test_the_same_members_share_a_channel(self):
        ann, bob = await self.users("ann", "bob")
        one = self.client.channel("messaging", data={"members": [ann, bob]})
        other = self.client.channel("messaging", data={"members": [bob, ann]})
        await call(one.create(ann))
        await call(other.create(bob))
        self.assertEqual(one.cid, other.cid)

    async def test_query_channels(self):
        ann, bob, cyd = await self.users("ann", "bob", "cyd")
        group = self.id("group")
        one = await self.channel("one", ann, bob, group=group, floor=1)
        two = await self.channel("two", ann, cyd, group=group, floor=2)
        await call(one.send_message({"text": "Hello"}, ann))

        async def cids(filter, sort=None, **options):
            reply = await call(self.client.query_channels({"group": group, **filter}, sort, **options))
            return [state["channel"]["cid"] for state in reply["channels"]]

        self.assertEqual(await cids({}, {"floor": -1}), [two.cid, one.cid])
        self.assertEqual(await cids({"members": {"$in": [bob]}}), [one.cid])
        self.assertEqual(await cids({"members": [ann, cyd]}), [two.cid])
        self.assertEqual(await cids({"floor": {"$lt": 2}}), [one.cid])
        self.assertEqual(await cids({}, {"last_message_at": -1}, limit=1), [one.cid])
        self.assertEqual(await cids({"cid": two.cid}), [two.cid])
        with self.refused(4, 400):
            await cids({"floor": {"$near": 2}})

    async def test_members_come_and_go(self):
        ann, bob, cyd = await self.users("ann", "bob", "cyd")
        channel = await self.channel("den", ann)
        reply = await call(channel.add_members([bob, cyd]))
        self.assertEqual(reply["channel"]["member_count"], 3)
        self.assertEqual(await self.members(channel), [ann, bob, cyd])
        await call(channel.remove_members([bob]))
        self.assertEqual(await self.members(channel), [ann, cyd])
        with self.refused(4, 400):
            await call(channel.add_members([self.id("nobody")]))

    async def test_roles(self):
        ann, bob = await self.users("ann", "bob")
        channel = await self.channel("den", ann, bob)
        await call(channel.assign_roles([{"user_id": bob, "channel_role": "channel_moderator"}]))
        self.assertEqual(await self.members(channel, channel_role="channel_moderator"), [bob])
        await call(channel.demote_moderators([bob]))
        self.assertEqual(await self.members(channel, channel_role="channel_moderator"), [])
        await call(channel.add_moderators([ann]))
        self.assertEqual(await self.members(channel, channel_role="channel_moderator"), [ann])

    async def test_invitations(self):
        ann, bob, cyd = await self.users("ann", "bob", "cyd")
        channel = await self.channel("den", ann)
        await call(channel.invite_members([bob, cyd]))
        self.assertEqual(await self.members(channel, invite="pending"), [bob, cyd])
        await call(channel.accept_invite(bob))
        await call(channel.reject_invite(cyd))
        self.assertEqual(await self.members(channel, invite="accepted"), [bob])
        self.assertEqual(await self.members(channel, invite="rejected"), [cyd])

    async def test_update(self):
        (ann,) = await self.users("ann")
        channel = await self.channel("den", ann, color="green", floor=1)
        reply = await call(channel.update_partial({"color": "red"}, ["floor"]))
        self.assertEqual(reply["channel"]["color"], "red")
        self.assertNotIn("floor", reply["channel"])
        reply = await call(channel.update({"color": "blue"}, {"text": "Painted", "user_id": ann}))
        self.assertEqual(reply["channel"]["color"], "blue")
        self.assertEqual(reply["message"]["text"], "Painted")

    async def test_a_members_own_fields(self):
        (ann,) = await self.users("ann")
        channel = await self.channel("den", ann)
        reply = await call(channel.update_member_partial(ann, {"nick": "Annie"}))
        self.assertEqual(reply["channel_member"]["nick"], "Annie")
        reply = await call(channel.update_member_partial(ann, None, ["nick"]))
        self.assertNotIn("nick", reply["channel_member"])

    async def test_hide_and_show(self):
        ann, bob = await self.users("ann", "bob")
        channel = await self.channel("den", ann, bob)

        async def listed():
            reply = await call(self.client.query_channels({"cid": channel.cid}, user_id=ann))
            return len(reply["channels"])

        await call(channel.hide(ann))
        self.assertEqual(await listed(), 0)
        await call(channel.show(ann))
        self.assertEqual(await listed(), 1)

    async def test_messages_and_what_is_unread(self):
        ann, bob = await self.users("ann", "bob")
        channel = await self.channel("den", ann, bob)
        reply = await call(channel.send_message({"text": "Hello", "mood": "good"}, ann))
        message = reply["message"]
        self.assertEqual((message["text"], message["mood"], message["user"]["id"]), ("Hello", "good", ann))
        self.assertEqual((await call(self.client.unread_counts(bob)))["total_unread_count"], 1)

        read = await call(channel.mark_read(bob))
        self.assertEqual((read["event"]["type"], read["event"]["user"]["id"]), ("message.read", bob))
        self.assertEqual((await call(self.client.unread_counts(bob)))["total_unread_count"], 0)

        await call(channel.send_message({"text": "Still there?"}, ann))
        await call(self.client.mark_all_read(bob))
        self.assertEqual((await call(self.client.unread_counts(bob)))["total_unread_count"], 0)

    async def test_events(self):
        (ann,) = await self.users("ann")
        channel = await self.channel("den", ann)
        reply = await call(channel.send_event({"type": "typing.start"}, ann))
        self.assertEqual((reply["event"]["type"], reply["event"]["user"]["id"]), ("typing.start", ann))
        reply = await call(channel.send_event({"type": "waving", "hands": 2}, ann))
        self.assertEqual(reply["event"]["hands"], 2)

    async def test_deleting(self):
        (ann,) = await self.users("ann")
        channel = await self.channel("den", ann)
        reply = await call(channel.delete())
        self.assertIn("deleted_at", reply["channel"])
        self.assertEqual((await call(self.client.query_channels({"cid": channel.cid})))["channels"], [])
        with self.refused(16, 404):
            await call(self.client.channel("messaging", self.id("nowhere")).delete())

    async def test_deleting_many_is_a_task(self):
        (ann,) = await self.users("ann")
        channels = [await self.channel(name, ann) for name in ("one", "two")]
        reply = await call(self.client.delete_channels([channel.cid for channel in channels], hard_delete=True))
        task = await call(self.client.get_task(reply["task_id"]))
        self.assertEqual(task["status"], "completed")
        self.assertEqual(set(task["result"]), {channel.cid for channel in channels})
