"""What an account keeps: vCard, avatar, private XML, bookmarks; and what a server answers: ping, disco, version."""

import base64
import hashlib

from slixmpp.exceptions import IqError

from apps import server
from peer import DEADLINE, Test
from peer.test_publishing import PUBSUB, options

# The smallest PNG: one pixel.
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
ROOM = "<conference xmlns='urn:xmpp:bookmarks:1' name='The balcony' autojoin='true'><nick>Romeo</nick></conference>"


class Profile(Test):
    async def test_vcard_is_kept_and_read_by_others(self):
        romeo, juliet = await self.two()
        vcard = romeo["xep_0054"].make_vcard()
        vcard["FN"] = "Romeo Montague"
        vcard["NICKNAME"] = "Romeo"
        await romeo["xep_0054"].publish_vcard(vcard, timeout=DEADLINE)
        answer = await juliet["xep_0054"].get_vcard(romeo.boundjid.bare, cached=False, timeout=DEADLINE)
        self.assertEqual(answer["vcard_temp"]["FN"], "Romeo Montague")

    async def test_avatar_is_published_and_told(self):
        romeo, juliet = await self.friends()
        late = self.peer(juliet.boundjid.bare, "late")
        late["xep_0030"].add_feature("urn:xmpp:avatar:metadata+notify")
        await late.login()
        await late.settle()
        identity = hashlib.sha1(PNG).hexdigest()
        await romeo["xep_0084"].publish_avatar(PNG, timeout=DEADLINE)
        await romeo["xep_0084"].publish_avatar_metadata(
            {"id": identity, "type": "image/png", "bytes": len(PNG), "width": "1", "height": "1"}, timeout=DEADLINE)
        await late.message("the metadata", lambda m: identity in str(m))
        answer = await late["xep_0084"].retrieve_avatar(romeo.boundjid.bare, identity, timeout=DEADLINE)
        self.assertEqual(answer["pubsub"]["items"]["item"]["avatar_data"]["value"], PNG)

    async def test_private_xml_belongs_to_one_account(self):
        romeo, juliet = await self.two()
        await romeo.ask("set", "<query xmlns='jabber:iq:private'><notes xmlns='urn:example:notes'><note>rope ladder</note></notes></query>")
        read = "<query xmlns='jabber:iq:private'><notes xmlns='urn:example:notes'/></query>"
        self.assertIn("rope ladder", str(await romeo.ask("get", read)))
        self.assertNotIn("rope ladder", str(await juliet.ask("get", read)))
        with self.assertRaises(IqError):
            await juliet.ask("get", read, romeo.boundjid.bare)

    async def test_bookmarks_are_kept_told_and_converted(self):
        romeo = await self.online(self.account("romeo"))
        second = self.peer(romeo.boundjid.bare, "second")
        second["xep_0030"].add_feature("urn:xmpp:bookmarks:1+notify")
        await second.login()
        await second.settle()
        room = "balcony@conference." + server.DOMAIN
        await romeo.ask("set", f"""<pubsub xmlns='{PUBSUB}'><publish node='urn:xmpp:bookmarks:1'><item id='{room}'>{ROOM}</item></publish>
            {options({"persist_items": "true", "max_items": "max", "send_last_published_item": "never", "access_model": "whitelist"})}</pubsub>""")
        await second.message("the bookmark", lambda m: room in str(m))
        read = await second.ask("get", f"<pubsub xmlns='{PUBSUB}'><items node='urn:xmpp:bookmarks:1'/></pubsub>")
        self.assertEqual([i.get("id") for i in read.xml.iter(f"{{{PUBSUB}}}item")], [room])
        with self.subTest("an app that knows XEP-0048 in private XML alone sees it"):
            old = await second.ask("get", "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>")
            self.assertEqual([c.get("jid") for c in old.xml.iter("{storage:bookmarks}conference")], [room])


class Service(Test):
    async def test_ping(self):
        romeo, juliet = await self.two()
        await romeo["xep_0199"].send_ping(server.DOMAIN, timeout=DEADLINE)
        await romeo["xep_0199"].send_ping(juliet.boundjid, timeout=DEADLINE)
        with self.assertRaises(IqError):
            await romeo["xep_0199"].send_ping(juliet.boundjid.bare + "/nowhere", timeout=DEADLINE)

    async def test_disco_of_the_server(self):
        romeo = await self.online(self.account("romeo"))
        info = (await romeo["xep_0030"].get_info(server.DOMAIN, timeout=DEADLINE))["disco_info"]
        self.assertIn(("server", "im"), {(category, kind) for category, kind, _, _ in info["identities"]})
        for feature in "urn:xmpp:ping", "urn:xmpp:blocking", "urn:xmpp:carbons:2", "vcard-temp", "http://jabber.org/protocol/disco#items":
            self.assertIn(feature, info["features"])
        account = (await romeo["xep_0030"].get_info(romeo.boundjid.bare, timeout=DEADLINE))["disco_info"]
        for feature in "urn:xmpp:mam:2", "urn:xmpp:mam:2#extended", "urn:xmpp:sid:0":
            self.assertIn(feature, account["features"])

    async def test_version(self):
        romeo = await self.online(self.account("romeo"))
        answer = await romeo["xep_0092"].get_version(server.DOMAIN, timeout=DEADLINE)
        self.assertTrue(answer["software_version"]["name"])

    async def test_unknown_request_is_refused(self):
        romeo, juliet = await self.two()
        for to in None, server.DOMAIN, juliet.boundjid.bare:
            with self.assertRaises(IqError) as caught:
                await romeo.ask("get", "<query xmlns='urn:example:unknown'/>", to)
            self.assertIn(caught.exception.condition, ("service-unavailable", "feature-not-implemented"))
