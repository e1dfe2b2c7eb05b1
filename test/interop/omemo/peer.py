#!/usr/bin/python3
"""One OMEMO device made of python-oldmemo (OMEMO 0.3) or python-twomemo (OMEMO 2), driven by lines of JSON.

Debian: python3-oldmemo python3-twomemo. Each request is one line on standard input, each answer one line on standard output:
bundle -> a bundle; encrypt -> a message for one device; decrypt -> its text. Bytes are base64. An answer with "error" failed.
"""
import asyncio
import base64
import json
import sys

import x3dh
from omemo.session import Initiation
from omemo.storage import Just, Nothing, Storage

if sys.argv[1] == "0.3":
    from oldmemo import oldmemo as lib
    Backend = lib.Oldmemo
    import xeddsa
else:
    from twomemo import twomemo as lib
    Backend = lib.Twomemo
OLD = sys.argv[1] == "0.3"


class Memory(Storage):
    """Keeps everything in a dictionary."""

    def __init__(self):
        super().__init__(True)
        self.values = {}

    async def _load(self, key):
        return Just(self.values[key]) if key in self.values else Nothing()

    async def _store(self, key, value):
        self.values[key] = value

    async def _delete(self, key):
        self.values.pop(key, None)


def b64(raw):
    return base64.b64encode(raw).decode()


def raw(text):
    return base64.b64decode(text or "")


class Peer:
    """A device and its sessions, by (address, device id)."""

    def __init__(self):
        self.backend = Backend(Memory())
        self.sessions = {}

    async def bundle(self, request):
        """The public bundle, encoded as on the wire."""
        found = await self.backend.get_bundle(request["jid"], request["id"])
        identity, signature = found.bundle.identity_key, bytearray(found.bundle.signed_pre_key_sig)
        encode = lambda key: key
        if OLD:
            encode = lib.StateImpl.serialize_public_key
            signature[63] |= identity[31] & 0x80
            identity = encode(xeddsa.ed25519_pub_to_curve25519_pub(identity))
        return {
            "identity": b64(identity),
            "signature": b64(bytes(signature)),
            "signed": {"id": found.signed_pre_key_id, "key": b64(encode(found.bundle.signed_pre_key))},
            "prekeys": [{"id": i, "key": b64(encode(k))} for k, i in found.pre_key_ids.items()],
        }

    def read_bundle(self, jid, device, given):
        """A bundle that the other side published."""
        decode = lib.StateImpl.parse_public_key if OLD else lambda key: key
        identity, signature = raw(given["identity"]), bytearray(raw(given["signature"]))
        if OLD:
            identity = xeddsa.curve25519_pub_to_ed25519_pub(decode(identity), bool(signature[63] >> 7))
            signature[63] &= 0x7F
        ids = {decode(raw(k["key"])): k["id"] for k in given["prekeys"]}
        inner = x3dh.Bundle(identity, decode(raw(given["signed"]["key"])), bytes(signature), frozenset(ids))
        return lib.BundleImpl(jid, device, inner, given["signed"]["id"], ids)

    async def encrypt(self, request):
        """A message for one device, beginning a session if a bundle is given. Without text it is an empty message."""
        jid, device = request["jid"], request["id"]
        if request.get("text") is None:
            content, plain = await self.backend.encrypt_empty()
        else:
            content, plain = await self.backend.encrypt_plaintext(raw(request["text"]))
        if "bundle" in request:
            session, material = await self.backend.build_session_active(
                jid, device, self.read_bundle(jid, device, request["bundle"]), plain)
            self.sessions[jid, device] = session
        else:
            session = self.sessions[jid, device]
            material = await self.backend.encrypt_key_material(session, plain)
        data, exchange = material.serialize(), False
        if session.initiation is Initiation.ACTIVE and not session.confirmed:
            data, exchange = session.key_exchange.serialize(data), True
            if OLD:
                data = data[0]
        return {
            "exchange": exchange,
            "data": b64(data),
            "iv": b64(getattr(content, "initialization_vector", b"")),
            "payload": None if content.empty else b64(content.ciphertext),
        }

    async def decrypt(self, request):
        """The text of a message, or null if it is empty."""
        jid, device, data = request["jid"], request["id"], raw(request["data"])
        exchange = None
        if request["exchange"]:
            exchange, data = lib.KeyExchangeImpl.parse(data, False) if OLD else lib.KeyExchangeImpl.parse(data)
        material = lib.EncryptedKeyMaterialImpl.parse(data, jid, device)
        session = self.sessions.get((jid, device))
        if exchange and not (session and session.key_exchange.builds_same_session(exchange)):
            session, plain = await self.backend.build_session_passive(jid, device, exchange, material)
            self.sessions[jid, device] = session
        else:
            plain = await self.backend.decrypt_key_material(session, material)
        if request.get("payload") is None:
            return {"text": None}
        arguments = (raw(request["payload"]), raw(request["iv"])) if OLD else (raw(request["payload"]),)
        return {"text": b64(await self.backend.decrypt_plaintext(lib.ContentImpl(*arguments), plain))}


async def main():
    """Answers requests until the input ends."""
    peer = Peer()
    await peer.backend.generate_pre_keys(100)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = await getattr(peer, request["op"])(request)
        except Exception as error:  # the driver decides whether a failure was expected
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


asyncio.run(main())
