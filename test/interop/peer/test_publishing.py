"""Personal publishing (XEP-0163, XEP-0060): options, access, notifications, retraction, configuration."""

import xml.etree.ElementTree as ET

from slixmpp.exceptions import IqError

from peer import Test

NODE = "urn:example:palabre:mood"
PUBSUB = "http://jabber.org/protocol/pubsub"
EVENT = f"{{{PUBSUB}#event}}"
OPEN = {"access_model": "open", "persist_items": "true"}


def options(values):
    fields = "".join(f"<field var='pubsub#{name}'><value>{value}</value></field>" for name, value in values.items())
    return f"""<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>
        <value>{PUBSUB}#publish-options</value></field>{fields}</x></publish-options>"""


async def publish(peer, payload, item="current", node=NODE, **values):
    return await peer.ask("set", f"""<pubsub xmlns='{PUBSUB}'><publish node='{node}'><item id='{item}'>
        <mood xmlns='{NODE}'>{payload}</mood></item></publish>{options(values) if values else ''}</pubsub>""")


async def items(peer, owner, node=NODE, **attributes):
    """The (id, payload text) of a node's items."""
    extra = "".join(f" {name}='{value}'" for name, value in attributes.items())
    answer = await peer.ask("get", f"<pubsub xmlns='{PUBSUB}'><items node='{node}'{extra}/></pubsub>", owner)
    return [(i.get("id"), "".join(i.itertext()).strip()) for i in answer.xml.iter(f"{{{PUBSUB}}}item")]


def events(peer, node=NODE):
    """What a device was told about a node: ("item" or "retract", id, sender)."""
    told = []
    for m in peer.messages:
        for found in m.xml.findall(f"{EVENT}event/{EVENT}items"):
            if found.get("node") == node:
                told += [(i.tag.removeprefix(EVENT), i.get("id"), m["from"].bare) for i in found]
    return told


async def listen(peer, node=NODE):
    """Announces interest with entity capabilities (XEP-0163 §4.3.2)."""
    peer["xep_0030"].add_feature(node + "+notify")
    await peer["xep_0115"].update_caps()


class Publishing(Test):
    async def refusal(self, doing):
        with self.assertRaises(IqError) as caught:
            await doing
        return caught.exception

    async def test_open_node_is_read_by_a_stranger(self):
        romeo, juliet = await self.two()
        await publish(romeo, "glad", **OPEN)
        self.assertEqual(await items(juliet, romeo.boundjid.bare), [("current", "glad")])
        await publish(romeo, "sad", **OPEN)
        self.assertEqual(await items(juliet, romeo.boundjid.bare), [("current", "sad")])

    async def test_node_that_is_not_there(self):
        romeo, juliet = await self.two()
        error = await self.refusal(items(juliet, romeo.boundjid.bare, "urn:example:nowhere"))
        self.assertIn(error.condition, ("item-not-found", "forbidden"))
        for owner in None, romeo.boundjid.bare:
            error = await self.refusal(items(romeo, owner, "urn:example:nowhere"))
            self.assertEqual(error.condition, "item-not-found")
            # XEP-0086: Profanity begins with OMEMO only if it sees the code.
            self.assertEqual(error.iq.xml.find("{jabber:client}error").get("code"), "404")

    async def test_publish_options_are_preconditions(self):
        romeo = await self.online(self.account("romeo"))
        await publish(romeo, "one", **OPEN)
        error = await self.refusal(publish(romeo, "two", access_model="whitelist"))
        self.assertEqual(error.condition, "conflict")
        self.assertIsNotNone(error.iq.xml.find(f".//{{{PUBSUB}#errors}}precondition-not-met"))
        self.assertEqual(await items(romeo, None), [("current", "one")])
        await romeo.ask("set", f"""<pubsub xmlns='{PUBSUB}#owner'><configure node='{NODE}'><x xmlns='jabber:x:data' type='submit'>
            <field var='FORM_TYPE' type='hidden'><value>{PUBSUB}#node_config</value></field>
            <field var='pubsub#access_model'><value>whitelist</value></field></x></configure></pubsub>""")
        await publish(romeo, "two", access_model="whitelist")
        self.assertEqual(await items(romeo, None), [("current", "two")])

    async def test_whitelist_and_presence_access(self):
        romeo, juliet = await self.friends()
        stranger = await self.online(self.account("tybalt"))
        await publish(romeo, "mine", access_model="whitelist")
        await publish(romeo, "ours", node=NODE + ":2", access_model="presence")
        self.assertIn((await self.refusal(items(juliet, romeo.boundjid.bare))).condition, ("not-allowed", "forbidden"))
        self.assertEqual(await items(juliet, romeo.boundjid.bare, NODE + ":2"), [("current", "ours")])
        self.assertIn((await self.refusal(items(stranger, romeo.boundjid.bare, NODE + ":2"))).condition,
                      ("not-authorized", "forbidden", "presence-subscription-required"))

    async def test_many_items_and_retraction(self):
        romeo, juliet = await self.friends()
        second = await self.online(romeo.boundjid.bare, "second")
        for device in juliet, second:
            await listen(device)
            await device.settle()
        ids = [f"device-{n}" for n in range(12)]
        for item in ids:
            await publish(romeo, item, item, max_items="max", **OPEN)
        self.assertEqual({found for found, _ in await items(juliet, romeo.boundjid.bare)}, set(ids))
        await romeo.ask("set", f"<pubsub xmlns='{PUBSUB}'><retract node='{NODE}' notify='true'><item id='device-3'/></retract></pubsub>")
        for device in juliet, second:
            await device.until("the retraction", lambda: ("retract", "device-3", romeo.boundjid.bare) in events(device))
            self.assertEqual([i for kind, i, _ in events(device) if kind == "item"], ids)
        self.assertNotIn("device-3", [found for found, _ in await items(romeo, None)])

    async def test_interested_contact_gets_events_and_the_last_item_at_login(self):
        romeo, juliet = await self.friends()
        await listen(juliet)
        await juliet.settle()
        await publish(romeo, "glad", **OPEN)
        told = ("item", "current", romeo.boundjid.bare)
        await juliet.until("the event", lambda: told in events(juliet))
        late = self.peer(juliet.boundjid.bare, "late")
        await listen(late)
        await late.login()
        await late.until("the last item", lambda: told in events(late))
        own = self.peer(romeo.boundjid.bare, "own")
        await listen(own)
        await own.login()
        await own.until("its own last item", lambda: told in events(own))

    async def test_uninterested_contact_gets_no_event(self):
        romeo, juliet = await self.friends()
        await publish(romeo, "glad", **OPEN)
        await juliet.fence()
        self.assertEqual(events(juliet), [])

    async def test_configuration_and_removal(self):
        romeo = await self.online(self.account("romeo"))
        await publish(romeo, "glad", **OPEN)
        form = await romeo.ask("get", f"<pubsub xmlns='{PUBSUB}#owner'><configure node='{NODE}'/></pubsub>")
        values = {f.get("var"): f.findtext("{jabber:x:data}value") for f in form.xml.iter("{jabber:x:data}field")}
        self.assertEqual(values["pubsub#access_model"], "open")
        await romeo.ask("set", f"<pubsub xmlns='{PUBSUB}#owner'><delete node='{NODE}'/></pubsub>")
        self.assertEqual((await self.refusal(items(romeo, None))).condition, "item-not-found")

    async def test_features_on_the_account(self):
        romeo = await self.online(self.account("romeo"))
        info = (await romeo["xep_0030"].get_info(romeo.boundjid.bare, timeout=20))["disco_info"]
        self.assertIn(("pubsub", "pep"), {(category, kind) for category, kind, _, _ in info["identities"]})
        for feature in "publish-options", "persistent-items", "auto-create", "access-open", "config-node-max":
            with self.subTest(feature):
                self.assertIn(f"{PUBSUB}#{feature}", info["features"])
