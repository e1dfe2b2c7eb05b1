"""Channels as an app sees them that knows publish-subscribe alone: found, made, followed, read, published in, given to others, deleted."""

import xml.etree.ElementTree as ET

from slixmpp.exceptions import IqError

from apps import server
from peer import Test

PUBSUB = "http://jabber.org/protocol/pubsub"
ATOM = "http://www.w3.org/2005/Atom"
SERVICE = "channels." + server.DOMAIN


def post(title):
    """An Atom entry."""
    return ET.fromstring(f"<entry xmlns='{ATOM}'><id>tag:{title}</id><title>{title}</title><updated>2026-11-21T18:00:00Z</updated></entry>")


def title(payload):
    return payload.findtext(f"{{{ATOM}}}title")


class Channels(Test):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.town, self.reader = await self.two()
        self.node = "town-" + self.town.boundjid.local

    async def make(self, **settings):
        """A channel of the town."""
        form = self.town["xep_0004"].make_form(ftype="submit")
        form.add_field(var="FORM_TYPE", ftype="hidden", value=PUBSUB + "#node_config")
        for name, value in settings.items():
            form.add_field(var="pubsub#" + name, value=value)
        await self.town["xep_0060"].create_node(SERVICE, self.node, config=form)

    async def publish(self, who, item, text):
        return await who["xep_0060"].publish(SERVICE, self.node, id=item, payload=post(text))

    async def titles(self, who, **wanted):
        answer = await who["xep_0060"].get_items(SERVICE, self.node, **wanted)
        return [(item["id"], title(item["payload"])) for item in answer["pubsub"]["items"]["substanzas"]]

    def heard(self, who):
        """What somebody was told of the channel: an item's id with its title, or with None if it was taken back."""
        told = []
        for message in who.messages:
            for items in message.xml.iter(f"{{{PUBSUB}#event}}items"):
                if items.get("node") == self.node and message["from"] == SERVICE:
                    told += [(child.get("id"), child.findtext(f"{{{ATOM}}}entry/{{{ATOM}}}title")) for child in items]
        return told

    async def refusal(self, doing):
        with self.assertRaises(IqError) as caught:
            await doing
        return caught.exception.condition

    async def test_service_and_channel_are_found(self):
        await self.make(title="Town hall", description="What happens in town")
        services = await self.reader["xep_0030"].get_items(server.DOMAIN)
        self.assertIn(SERVICE, [str(item[0]) for item in services["disco_items"]["items"]])
        info = (await self.reader["xep_0030"].get_info(SERVICE))["disco_info"]
        self.assertIn(("pubsub", "service"), {(category, kind) for category, kind, _, _ in info["identities"]})
        for feature in "publish", "subscribe", "retrieve-items", "create-nodes", "config-node", "modify-affiliations", "retract-items", "delete-nodes":
            with self.subTest(feature):
                self.assertIn(f"{PUBSUB}#{feature}", info["features"])
        nodes = await self.reader["xep_0060"].get_nodes(SERVICE)
        self.assertIn((self.node, "Town hall"), [(node, name) for _, node, name in nodes["disco_items"]["items"]])
        about = await self.reader["xep_0030"].get_info(SERVICE, node=self.node)
        self.assertIn(("pubsub", "leaf"), {(category, kind) for category, kind, _, _ in about["disco_info"]["identities"]})

    async def test_who_follows_hears_and_who_has_stopped_does_not(self):
        await self.make(title="Town hall")
        told = await self.reader["xep_0060"].subscribe(SERVICE, self.node)
        self.assertEqual(told["pubsub"]["subscription"]["subscription"], "subscribed")
        mine = await self.reader["xep_0060"].get_subscriptions(SERVICE)
        self.assertEqual([one["node"] for one in mine["pubsub"]["subscriptions"]["substanzas"]], [self.node])
        answer = await self.publish(self.town, "bridge", "The bridge is closed")
        self.assertEqual(answer["pubsub"]["publish"]["item"]["id"], "bridge")
        await self.reader.until("the post", lambda: ("bridge", "The bridge is closed") in self.heard(self.reader))
        await self.publish(self.town, "bridge", "The bridge is open")
        await self.reader.until("the post as it is now", lambda: ("bridge", "The bridge is open") in self.heard(self.reader))
        await self.town["xep_0060"].retract(SERVICE, self.node, "bridge", notify="true")
        await self.reader.until("that it was taken back", lambda: ("bridge", None) in self.heard(self.reader))
        await self.reader["xep_0060"].unsubscribe(SERVICE, self.node)
        self.reader.forget()
        await self.publish(self.town, "market", "The market is on Sunday")
        await self.reader.fence()
        self.assertEqual(self.heard(self.reader), [])
        self.assertEqual(await self.titles(self.reader), [("market", "The market is on Sunday")])

    async def test_items_by_number_by_id_and_all(self):
        await self.make(title="Town hall")
        for n in range(5):
            await self.publish(self.town, f"p{n}", f"Post {n}")
        self.assertEqual(sorted(await self.titles(self.reader)), [(f"p{n}", f"Post {n}") for n in range(5)])
        self.assertEqual(sorted(await self.titles(self.reader, max_items=2)), [("p3", "Post 3"), ("p4", "Post 4")])
        one = await self.reader["xep_0060"].get_item(SERVICE, self.node, "p2")
        self.assertEqual([item["id"] for item in one["pubsub"]["items"]["substanzas"]], ["p2"])
        ids = await self.reader["xep_0030"].get_items(SERVICE, node=self.node)
        self.assertEqual({name for _, _, name in ids["disco_items"]["items"]}, {f"p{n}" for n in range(5)})

    async def test_who_does_not_publish_is_refused_until_they_may(self):
        await self.make(title="Town hall")
        self.assertEqual(await self.refusal(self.publish(self.reader, "p", "I am the town")), "forbidden")
        self.assertEqual(await self.refusal(self.reader["xep_0060"].get_node_config(SERVICE, self.node)), "forbidden")
        await self.town["xep_0060"].modify_affiliations(SERVICE, self.node, [(self.reader.boundjid.bare, "publisher")])
        named = await self.town["xep_0060"].get_node_affiliations(SERVICE, self.node)
        self.assertIn((self.reader.boundjid.bare, "publisher"), [(str(one["jid"]), one["affiliation"]) for one in named["pubsub_owner"]["affiliations"]["substanzas"]])
        await self.publish(self.reader, "p", "Now I am")
        self.assertEqual(await self.titles(self.town), [("p", "Now I am")])
        self.assertEqual(await self.refusal(self.town["xep_0060"].get_node_subscriptions(SERVICE, self.node)), "feature-not-implemented")

    async def test_private_channel_is_for_who_is_named(self):
        await self.make(title="Council", access_model="whitelist")
        self.assertIn(await self.refusal(self.titles(self.reader)), ("item-not-found", "forbidden", "not-allowed"))
        self.assertIn(await self.refusal(self.reader["xep_0060"].subscribe(SERVICE, self.node)), ("item-not-found", "forbidden", "not-allowed"))
        nodes = await self.reader["xep_0060"].get_nodes(SERVICE)
        self.assertNotIn(self.node, [node for _, node, _ in nodes["disco_items"]["items"]])
        await self.town["xep_0060"].modify_affiliations(SERVICE, self.node, [(self.reader.boundjid.bare, "member")])
        await self.reader["xep_0060"].subscribe(SERVICE, self.node)
        await self.publish(self.town, "secret", "The vote is at noon")
        await self.reader.until("the post", lambda: ("secret", "The vote is at noon") in self.heard(self.reader))

    async def test_settings_are_read_and_changed(self):
        await self.make(title="Town hall")
        form = self.town["xep_0004"].make_form(ftype="submit")
        form.add_field(var="FORM_TYPE", ftype="hidden", value=PUBSUB + "#node_config")
        form.add_field(var="pubsub#title", value="Town hall of Verona")
        await self.town["xep_0060"].set_node_config(SERVICE, self.node, form)
        config = await self.town["xep_0060"].get_node_config(SERVICE, self.node)
        values = config["pubsub_owner"]["configure"]["form"].get_values()
        self.assertEqual((values["pubsub#title"], values["pubsub#access_model"]), ("Town hall of Verona", "open"))

    async def test_deleted_channel_is_told_and_its_name_never_given_again(self):
        await self.make(title="Town hall")
        await self.reader["xep_0060"].subscribe(SERVICE, self.node)
        await self.town["xep_0060"].delete_node(SERVICE, self.node)
        await self.reader.message("that it is deleted", lambda m: m.xml.find(f".//{{{PUBSUB}#event}}delete") is not None)
        self.assertIn(await self.refusal(self.titles(self.reader)), ("item-not-found", "gone"))
        self.assertIn(await self.refusal(self.make(title="Another")), ("conflict", "gone"))

    async def test_malformed_posts(self):
        await self.make(title="Town hall")
        for payload in None, ET.fromstring("<mood xmlns='urn:example:mood'/>"), ET.fromstring(f"<entry xmlns='{ATOM}'><title>no id</title></entry>"):
            with self.subTest(payload):
                condition = await self.refusal(self.town["xep_0060"].publish(SERVICE, self.node, id="x", payload=payload))
                self.assertEqual(condition, "bad-request")
        self.assertEqual(await self.titles(self.reader), [])
