from stories import call, claims, stories


@stories
class Users:
    async def found(self, filter, **options):
        reply = await call(self.client.query_users(filter, [{"field": "id", "direction": 1}], **options))
        return [user["id"] for user in reply["users"]]

    async def test_upsert_creates_and_merges(self):
        john = self.id("john")
        created = await call(self.client.upsert_user({"id": john, "name": "John", "pets": {"cat": "Tom"}}))
        self.assertEqual(created.status_code(), 201)
        merged = await call(self.client.upsert_user({"id": john, "status": "Here"}))
        user = merged["users"][john]
        self.assertEqual((user["name"], user["status"], user["pets"]), ("John", "Here", {"cat": "Tom"}))
        self.assertFalse(user["online"])
        self.assertNotIn("last_active", user)
        self.assertIn("mutes", user)

    async def test_the_backend_may_set_what_users_may_not(self):
        john = self.id("john")
        reply = await call(
            self.client.upsert_user({"id": john, "role": "admin", "teams": ["red"], "invisible": True})
        )
        user = reply["users"][john]
        self.assertEqual((user["role"], user["teams"], user["invisible"]), ("admin", ["red"], True))

    async def test_partial_update_sets_and_unsets(self):
        (john,) = await self.users("john", name="John", pets={"cat": "Tom", "dog": "Rex"})
        reply = await call(
            self.client.update_user_partial({"id": john, "set": {"pets.cat": "Tim"}, "unset": ["name", "pets.dog"]})
        )
        self.assertEqual(reply.status_code(), 200)
        self.assertEqual(reply["users"][john]["pets"], {"cat": "Tim"})
        self.assertNotIn("name", reply["users"][john])

    async def test_a_batch_is_all_or_none(self):
        john = self.id("john")
        with self.refused(4, 400):
            await call(self.client.upsert_users([{"id": john}, {"id": "not an id!"}]))
        self.assertEqual(await self.found({"id": john}), [])
        with self.refused(16, 404):
            await call(self.client.update_users_partial([{"id": self.id("nobody"), "set": {"a": 1}}]))

    async def test_queries_filter_sort_and_page(self):
        group = self.id("group")
        for name, age in (("ann", 30), ("bob", 20), ("cyd", None)):
            await self.users(name, group=group, name=f"{name.title()} Arbor", **({"age": age} if age else {}))
        ann, bob, cyd = self.id("ann"), self.id("bob"), self.id("cyd")
        self.assertEqual(await self.found({"group": group}), [ann, bob, cyd])
        self.assertEqual(await self.found({"group": group, "age": {"$gte": 25}}), [ann])
        self.assertEqual(await self.found({"group": group, "age": {"$exists": False}}), [cyd])
        self.assertEqual(await self.found({"group": group, "name": {"$autocomplete": "arb"}}), [ann, bob, cyd])
        self.assertEqual(await self.found({"$and": [{"group": group}, {"$or": [{"id": bob}, {"age": 30}]}]}), [ann, bob])
        self.assertEqual(await self.found({"group": group, "$nor": [{"id": ann}]}), [bob, cyd])
        self.assertEqual(await self.found({"group": group}, limit=1, offset=1), [bob])
        self.assertEqual(await self.found({"group": group}, id_gt=ann), [bob, cyd])
        with self.refused(4, 400) as caught:
            await call(self.client.query_users({"age": {"$ne": 20}}))
        self.assertIn("$ne", caught.exception.error_message)
        with self.refused(4, 400):
            await call(self.client.query_users({}, limit=101))
        with self.refused(4, 400):
            await call(self.client.query_users({"id": 7}))

    async def test_nobody_can_filter_by_invisible(self):
        await self.users("john", invisible=True)
        with self.refused(4, 400):
            await call(self.client_of(self.id("john")).query_users({"invisible": True}))

    async def test_deactivated_users_are_left_out_and_locked_out(self):
        (john,) = await self.users("john")
        reply = await call(self.client.deactivate_user(john))
        self.assertIn("deactivated_at", reply["user"])
        self.assertEqual(await self.found({"id": john}), [])
        self.assertEqual(await self.found({"id": john}, include_deactivated_users=True), [john])
        with self.refused(5, 401):
            await call(self.client_of(john).query_users({"id": john}))

        reply = await call(self.client.reactivate_user(john, name="John again"))
        self.assertEqual(reply["user"]["name"], "John again")
        self.assertEqual(await self.found({"id": john}), [john])

    async def test_deactivating_many_is_a_task(self):
        ids = await self.users("a", "b")
        reply = await call(self.client.deactivate_users(ids))
        await self.completes(reply["task_id"], ids)
        self.assertEqual(await self.found({"id": {"$in": ids}}), [])

    async def test_deleting_and_restoring(self):
        (john,) = await self.users("john", name="John")
        reply = await call(self.client.delete_user(john))
        self.assertIn("deleted_at", reply["user"])
        self.assertEqual(await self.found({"id": john}), [])

        await call(self.client.restore_users([john]))
        self.assertEqual(await self.found({"id": john}), [john])

        await call(self.client.delete_user(john, mark_messages_deleted=True, hard_delete=True))
        self.assertEqual(await self.found({"id": john}, include_deactivated_users=True), [])
        with self.refused(16, 404):
            await call(self.client.delete_user(self.id("nobody")))

    async def test_deleting_many_is_a_task(self):
        ids = await self.users("a", "b")
        reply = await call(self.client.delete_users(ids, "hard", conversations="hard", messages="hard"))
        await self.completes(reply["task_id"], ids)
        self.assertEqual(await self.found({"id": {"$in": ids}}), [])

    async def completes(self, task_id, ids):
        self.assertEqual(len(task_id), 36)
        task = await call(self.client.get_task(task_id))
        self.assertEqual((task["task_id"], task["status"]), (task_id, "completed"))
        self.assertEqual(task["result"], {id: {"status": "ok"} for id in ids})

    async def test_custom_events_go_to_users_that_exist(self):
        (john,) = await self.users("john")
        await call(self.client.send_user_custom_event(john, {"type": "friendship_requested", "from": "jack"}))
        with self.refused(16, 404):
            await call(self.client.send_user_custom_event(self.id("nobody"), {"type": "hello"}))
        with self.refused(4, 400):
            await call(self.client.send_user_custom_event(john, {"type": "with.dots"}))

    async def test_guests(self):
        reply = await call(self.client.set_guest_user({"id": self.id("guest"), "name": "Somebody"}))
        user = reply["user"]
        self.assertEqual((user["role"], user["name"]), ("guest", "Somebody"))
        self.assertEqual(claims(reply["access_token"])["user_id"], user["id"])
