"""A component of somebody else at the server's door (XEP-0114): slixmpp's, with people of the server who talk to it."""

import asyncio
import os

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

from apps import server
from peer import DEADLINE, Test

DOMAIN = os.environ["XMPP_COMPONENT"]
SECRET = os.environ["XMPP_COMPONENT_SECRET"]
PORT = int(os.environ["XMPP_COMPONENT_PORT"])


class Parrot(slixmpp.ComponentXMPP):
    """A component that keeps messages, says them again, and tells its software's name (XEP-0092)."""

    def __init__(self, secret=SECRET):
        super().__init__(DOMAIN, secret, server.HOST, PORT)
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0092", {"software_name": "parrot", "version": "1", "os": "none"})
        self.register_plugin("xep_0199")
        self.messages, self.began, self.ended = asyncio.Queue(), asyncio.Event(), asyncio.Event()
        self.add_event_handler("session_start", lambda _: self.began.set())
        self.add_event_handler("disconnected", lambda _: self.ended.set())
        self.register_handler(Callback("every message", StanzaPath("message"), self.hear))

    def hear(self, message):
        self.messages.put_nowait(message)
        if message["type"] != "error":
            message.reply(message["body"] + "!").send()

    async def __aenter__(self):
        self.connect()
        await asyncio.wait_for(self.began.wait(), DEADLINE)
        return self

    async def __aexit__(self, *_):
        await self.disconnect()


class Component(Test):
    async def test_message_is_received_and_answered(self):
        romeo = await self.online(self.account("romeo"))
        async with Parrot() as parrot:
            romeo.send_message(mto="polly@" + DOMAIN, mbody="Who is there", mtype="chat")
            message = await asyncio.wait_for(parrot.messages.get(), DEADLINE)
            self.assertEqual((message["from"], message["to"], message["body"]), (romeo.boundjid, "polly@" + DOMAIN, "Who is there"))
            self.assertEqual((await romeo.text("Who is there!"))["from"], "polly@" + DOMAIN)

    async def test_request_is_answered(self):
        romeo = await self.online(self.account("romeo"))
        async with Parrot():
            said = await romeo["xep_0092"].get_version(DOMAIN, timeout=DEADLINE)
            self.assertEqual(said["software_version"]["name"], "parrot")
            about = await romeo["xep_0030"].get_info(jid=DOMAIN, timeout=DEADLINE)
            self.assertIn("jabber:iq:version", about["disco_info"]["features"])
            with self.assertRaises(IqError) as refused:
                await romeo.ask("get", "<unheard-of xmlns='test'/>", to=DOMAIN)
            self.assertIn(refused.exception.condition, ("feature-not-implemented", "service-unavailable"))

    async def test_component_asks_and_writes(self):
        juliet = await self.online(self.account("juliet"))
        async with Parrot() as parrot:
            self.assertGreaterEqual(await parrot["xep_0199"].ping(juliet.boundjid, ifrom=DOMAIN, timeout=DEADLINE), 0)
            parrot.send_message(mto=juliet.boundjid.bare, mfrom="polly@" + DOMAIN, mbody="Pieces of eight", mtype="chat")
            self.assertEqual((await juliet.text("Pieces of eight"))["from"], "polly@" + DOMAIN)

    async def test_wrong_secret_is_refused(self):
        parrot = Parrot("another secret")
        parrot.reconnect = lambda *_, **__: None
        parrot.connect()
        await asyncio.wait_for(parrot.ended.wait(), DEADLINE)
        self.assertFalse(parrot.began.is_set())
        await parrot.disconnect()
        romeo = await self.online(self.account("romeo"))
        with self.assertRaises((IqError, IqTimeout)):
            await romeo["xep_0092"].get_version(DOMAIN, timeout=DEADLINE)
