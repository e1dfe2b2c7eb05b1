"""Login: each mechanism that the server offers and slixmpp has, over STARTTLS and direct TLS (RFC 6120 §6, XEP-0368)."""

from slixmpp.util.sasl.client import MECHANISMS

from apps import server
from peer import Test


class Login(Test):
    async def offered(self):
        """The mechanisms that the server offers, as the stream features say."""
        peer = await self.online(self.account("romeo"))
        return set(peer["feature_mechanisms"].mech_list), "tls-unique" in "".join(peer.wire)

    async def test_every_mechanism(self):
        offered, tls_unique = await self.offered()
        for required in "SCRAM-SHA-1", "PLAIN":
            self.assertIn(required, offered)
        jid = self.account("romeo")
        # slixmpp 1.8 knows the channel binding tls-unique only: its -PLUS needs a server that offers that.
        usable = sorted(name for name in offered & set(MECHANISMS) if tls_unique or not name.endswith("-PLUS"))
        for mechanism in usable:
            with self.subTest(mechanism=mechanism):
                peer = self.peer(jid, mechanism=mechanism)
                await peer.login()
                self.check(peer["feature_mechanisms"].mech.name == mechanism, "another mechanism was used", peer)
                await peer.logout()

    async def test_direct_tls(self):
        peer = self.peer(self.account("romeo"))
        await peer.login(tls=True)
        await peer.fence()

    async def test_wrong_password_is_refused(self):
        offered, _ = await self.offered()
        jid = self.account("romeo")
        for mechanism in sorted(offered & {"SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN"}):
            with self.subTest(mechanism=mechanism):
                peer = self.peer(jid, mechanism=mechanism, password=server.PASSWORD + "x")
                peer.dial()
                await peer.until("a refusal", lambda: peer.count("failed_all_auth"))
                self.check(peer.count("session_start") == 0, "a session without the password", peer)

    async def test_resource_that_is_asked_for(self):
        peer = await self.online(self.account("romeo"), "balcony")
        self.assertEqual(peer.boundjid.resource, "balcony")
