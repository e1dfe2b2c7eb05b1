"""Tests of a server with slixmpp as the client: everything that a client library of others can do."""

import asyncio
import logging
import ssl
import unittest
import xml.etree.ElementTree as ET

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

from apps import server

logging.getLogger("slixmpp").setLevel(logging.CRITICAL)
logging.getLogger("asyncio").setLevel(logging.CRITICAL)

PLUGINS = ("xep_0004", "xep_0030", "xep_0049", "xep_0054", "xep_0059", "xep_0060", "xep_0084", "xep_0092", "xep_0115", "xep_0163", "xep_0191",
           "xep_0198", "xep_0199", "xep_0280", "xep_0313", "xep_0363")
DEADLINE = 60  # seconds for any one answer; never waited for in full unless something is wrong


class Peer(slixmpp.ClientXMPP):
    """One device. Keeps every message and presence that came, and the traffic as evidence."""

    def __init__(self, jid, resource, mechanism=None, password=server.PASSWORD):
        super().__init__(f"{jid}/{resource}", password)
        self.ca_certs = server.CA
        self.messages, self.presences, self.happened, self.wire = [], [], [], []
        self._news = asyncio.Event()
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        self["xep_0198"].window = 1
        self.auto_authorize, self.auto_subscribe = None, False
        if mechanism:
            self["feature_mechanisms"].use_mech = mechanism
            if not mechanism.endswith("-PLUS"):
                self["feature_mechanisms"].sasl_callback = self._without_binding
        self.register_handler(Callback("every message", StanzaPath("message"), self._keep(self.messages)))
        self.register_handler(Callback("every presence", StanzaPath("presence"), self._keep(self.presences)))
        for event in ("session_start", "failed_all_auth", "session_resumed", "sm_failed", "disconnected", "connection_failed",
                      "roster_update", "blocked", "unblocked", "stanza_acked"):
            self.add_event_handler(event, self._note(event))

    async def login(self, tls=False, presence=True):
        """Connects and waits for the session; raises if the server refuses."""
        self.dial(tls)
        await self.until("a session", lambda: {"session_start", "failed_all_auth"} & {name for name, _ in self.happened})
        if "failed_all_auth" in [name for name, _ in self.happened]:
            raise AssertionError(f"{self.requested_jid} was refused\n{self.evidence()}")
        if presence:
            await self.get_roster()
            self.send_presence()
            await self.until("its own presence", lambda: any(p["from"] == self.boundjid for p in self.presences))

    def dial(self, tls=False):
        self.connect((server.HOST, server.TLS_PORT if tls else server.PORT), use_ssl=tls)

    async def cut(self):
        """Cuts the TCP connection without a word."""
        losses = self.count("disconnected")
        self.transport.abort()
        await self.until("the loss", lambda: self.count("disconnected") > losses)

    async def logout(self):
        if self.is_connected():
            await self.disconnect()

    def count(self, event):
        return sum(name == event for name, _ in self.happened)

    async def until(self, what, question, seconds=DEADLINE):
        """Waits until question() answers with something true; asks again after each thing that came."""
        try:
            async with asyncio.timeout(seconds):
                while not (answer := question()):
                    self._news.clear()
                    await self._news.wait()
                return answer
        except TimeoutError:
            raise AssertionError(f"after {seconds} s {self.boundjid} still waits for {what}\n{self.evidence()}") from None

    async def message(self, what, question):
        """The first message that came for which question(message) holds."""
        return await self.until(what, lambda: next((m for m in self.messages if question(m)), None))

    async def text(self, body):
        return await self.message(f"the text {body!r}", lambda m: m["body"] == body)

    def texts(self):
        """The texts that came, in order, without archive results and copies."""
        return [m["body"] for m in self.messages if m.xml.find("{jabber:client}body") is not None]

    async def presence(self, bare, kind):
        """A presence of an account and type that has come since the last forget()."""
        return await self.until(f"presence {kind} of {bare}", lambda: next(
            (p for p in self.presences if p["from"].bare == bare and p["type"] == kind), None))

    def forget(self):
        self.messages.clear()
        self.presences.clear()

    async def ask(self, kind, child, to=None):
        """Sends an IQ with an element written as text, and returns the answer as a stanza; errors raise IqError."""
        iq = self.make_iq(id=self.new_id(), ito=to, itype=kind)
        iq.append(ET.fromstring(child))
        return await iq.send(timeout=DEADLINE)

    async def contacts(self):
        """The roster as the server has it, by bare JID."""
        roster = (await self.ask("get", "<query xmlns='jabber:iq:roster'/>"))["roster"]
        return {str(jid): item for jid, item in roster["items"].items()}

    async def fence(self):
        """Waits until the server has answered a ping: what was sent to this device before has come."""
        await self["xep_0199"].ping(timeout=DEADLINE)

    async def settle(self):
        """Two round trips: the server has asked for this device's capabilities and has the answer."""
        await self.fence()
        await self.fence()

    def evidence(self):
        return f"--- last traffic of {self.boundjid}\n" + "\n".join(line[:1500] for line in self.wire[-25:])

    def data_received(self, data):
        self.wire.append("< " + data.decode(errors="replace"))
        super().data_received(data)
        self._news.set()

    def send_raw(self, data):
        self.wire.append("> " + (data if isinstance(data, str) else data.decode(errors="replace")))
        super().send_raw(data)

    def _without_binding(self, required, optional):
        """Credentials without a TLS channel. With one, slixmpp 1.8 tells a server that offers -PLUS that it does not (the flag y), which
        RFC 5802 §6 makes the server refuse as a downgrade; left to itself, it goes on to the next mechanism until PLAIN."""
        return {**self["feature_mechanisms"]._default_credentials(required, optional), "channel_binding": None}

    def _keep(self, where):
        def keep(stanza):
            where.append(stanza)
            self._news.set()
        return keep

    def _note(self, event):
        def note(value):
            self.happened.append((event, value))
            self._news.set()
        return note


class Test(unittest.IsolatedAsyncioTestCase):
    """A test with fresh accounts; prints the traffic of its devices when it fails."""

    async def asyncSetUp(self):
        self.peers = []

    async def asyncTearDown(self):
        for peer in self.peers:
            await peer.logout()

    def account(self, name):
        return server.add_account(name)

    def peer(self, jid, resource="first", **options):
        self.peers.append(Peer(jid, resource, **options))
        return self.peers[-1]

    async def online(self, jid, resource="first", **options):
        peer = self.peer(jid, resource, **options)
        await peer.login()
        return peer

    async def two(self):
        """Romeo and Juliet, online, who do not know each other."""
        return await self.online(self.account("romeo")), await self.online(self.account("juliet"))

    async def friends(self):
        """Romeo and Juliet, online, subscribed to each other."""
        romeo, juliet = await self.two()
        for asker, asked in (romeo, juliet), (juliet, romeo):
            asker.send_presence_subscription(pto=asked.boundjid.bare, ptype="subscribe")
            await asked.presence(asker.boundjid.bare, "subscribe")
            asked.send_presence_subscription(pto=asker.boundjid.bare, ptype="subscribed")
            await asker.presence(asked.boundjid.bare, "available")
        return romeo, juliet

    def check(self, claim, what, *peers):
        self.assertTrue(claim, what + "\n" + "\n".join(peer.evidence() for peer in peers))


def trust():
    """A TLS context that trusts the server's authority alone."""
    return ssl.create_default_context(cafile=server.CA)
