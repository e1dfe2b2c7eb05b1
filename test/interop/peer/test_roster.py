"""Roster and presence (RFC 6121 §2, §3, §4) and blocking (XEP-0191)."""

from slixmpp.exceptions import IqError

from peer import Test


class Roster(Test):
    async def test_contact_is_kept_and_pushed_to_every_device(self):
        jid, contact = self.account("romeo"), self.account("juliet")
        first, second = await self.online(jid), await self.online(jid, "second")
        await first.update_roster(contact, name="Juliet", groups=["Capulets", "Loves"])
        for device in first, second:
            await device.until("the push", lambda: contact in device.client_roster and device.client_roster[contact]["name"] == "Juliet")
        third = await self.online(jid, "third")
        self.assertEqual(third.client_roster[contact]["name"], "Juliet")
        self.assertEqual(set(third.client_roster[contact]["groups"]), {"Capulets", "Loves"})
        await first.del_roster_item(contact)
        await second.until("the removal", lambda: any(
            "subscription='remove'" in line.replace('"', "'") and contact in line for line in second.wire))
        self.assertNotIn(contact, await second.contacts())

    async def test_subscription_both_ways_and_its_end(self):
        romeo, juliet = await self.friends()
        for peer, other in (romeo, juliet), (juliet, romeo):
            await peer.fence()
            items = await peer.contacts()
            self.assertEqual(items[other.boundjid.bare]["subscription"], "both")
        romeo.forget()
        juliet.send_presence_subscription(pto=romeo.boundjid.bare, ptype="unsubscribed")
        await romeo.presence(juliet.boundjid.bare, "unavailable")
        await romeo.fence()
        items = await romeo.contacts()
        self.assertEqual(items[juliet.boundjid.bare]["subscription"], "from")

    async def test_request_waits_for_one_who_is_offline(self):
        romeo, juliet = await self.online(self.account("romeo")), self.account("juliet")
        romeo.send_presence_subscription(pto=juliet, ptype="subscribe")
        await romeo.fence()
        late = await self.online(juliet)
        await late.presence(romeo.boundjid.bare, "subscribe")

    async def test_presence_both_ways(self):
        romeo, juliet = await self.friends()
        for speaker, listener in (romeo, juliet), (juliet, romeo):
            listener.forget()
            speaker.send_presence(pshow="away", pstatus="in the garden", ppriority=5)
            seen = await listener.presence(speaker.boundjid.bare, "away")
            self.assertEqual((seen["status"], seen["priority"], seen["from"]), ("in the garden", 5, speaker.boundjid.full))
        romeo.forget()
        await juliet.logout()
        await romeo.presence(juliet.boundjid.bare, "unavailable")

    async def test_presence_after_a_cut_connection_of_a_device_without_resumption(self):
        romeo, juliet = await self.friends()
        extra = self.peer(juliet.boundjid.bare, "extra")
        extra.plugin.disable("xep_0198")
        await extra.login()
        await romeo.until("the extra device", lambda: any(p["from"] == extra.boundjid for p in romeo.presences))
        romeo.forget()
        await extra.cut()
        gone = await romeo.presence(juliet.boundjid.bare, "unavailable")
        self.assertEqual(gone["from"], extra.boundjid)

    async def test_stranger_sees_no_presence(self):
        romeo, juliet = await self.two()
        romeo.forget()
        juliet.send_presence(pshow="dnd")
        await juliet.fence()
        await romeo.fence()
        self.assertEqual([p for p in romeo.presences if p["from"].bare == juliet.boundjid.bare], [])


class Blocking(Test):
    async def test_blocked_contact_is_not_heard_until_unblocked(self):
        romeo, juliet = await self.friends()
        second = await self.online(juliet.boundjid.bare, "second")
        await second["xep_0191"].get_blocked()
        romeo.forget()
        await juliet["xep_0191"].block(romeo.boundjid.bare)
        await romeo.presence(juliet.boundjid.bare, "unavailable")
        await second.until("the push of the block", lambda: second.count("blocked"))
        listed = (await second["xep_0191"].get_blocked())["blocklist"]["items"]
        self.assertEqual({str(item) for item in listed}, {romeo.boundjid.bare})
        romeo.send_message(mto=juliet.boundjid.bare, mbody="Do you hear me?")
        refused = await romeo.message("an error", lambda m: m["type"] == "error")
        self.assertEqual(refused["error"]["condition"], "service-unavailable")
        with self.assertRaises(IqError):
            await romeo["xep_0199"].send_ping(juliet.boundjid)
        await juliet["xep_0191"].unblock(romeo.boundjid.bare)
        await second.until("the push of the unblock", lambda: second.count("unblocked"))
        romeo.send_message(mto=juliet.boundjid.bare, mbody="And now?")
        await juliet.text("And now?")
        self.assertEqual(juliet.texts(), ["And now?"])

    async def test_message_to_a_blocked_contact_is_refused(self):
        romeo, juliet = await self.two()
        await juliet["xep_0191"].block(romeo.boundjid.bare)
        juliet.send_message(mto=romeo.boundjid.bare, mbody="No.")
        refused = await juliet.message("an error", lambda m: m["type"] == "error")
        self.assertEqual(refused["error"]["condition"], "not-acceptable")
