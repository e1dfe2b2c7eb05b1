// @xmpp/client against a server: every transport, SASL2 with Bind 2, quick return with a token (FAST), resumption.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { addAccount, Peer, services, xml } from "./peer.js";

for (const service of Object.keys(services)) {
  test(`${service}: a conversation`, async (t) => {
    const romeo = await new Peer(t, addAccount("romeo"), service).start();
    const juliet = await new Peer(t, addAccount("juliet"), "starttls").start();
    await romeo.say(juliet.jid, "Wherefore art thou?");
    await juliet.until("the text", () => juliet.texts().includes("Wherefore art thou?"));
    await juliet.say(romeo.jid, "Here: <&> ümläut 🌳");
    await romeo.until("the answer", () => romeo.texts().includes("Here: <&> ümläut 🌳"));
    const roster = await romeo.xmpp.iqCaller.get(xml("query", "jabber:iq:roster"));
    assert.equal(roster.name, "query");
  });

  test(`${service}: SASL2 with Bind 2 and stream management in one step`, async (t) => {
    const romeo = await new Peer(t, addAccount("romeo"), service, { resource: "balcony" }).start();
    assert.ok(romeo.sent(/<authenticate [^>]*urn:xmpp:sasl:2/), romeo.evidence());
    assert.ok(romeo.received(/<bound [^>]*urn:xmpp:bind:0/), romeo.evidence());
    assert.ok(romeo.received(/<enabled [^>]*urn:xmpp:sm:3/), romeo.evidence());
    assert.ok(!romeo.sent(/urn:ietf:params:xml:ns:xmpp-bind/), "a round trip for the old resource binding");
    assert.ok(romeo.jid.resource.startsWith("balcony"), romeo.jid.toString());
    assert.ok(romeo.xmpp.streamManagement.enabled);
  });

  test(`${service}: a wrong password is refused`, async (t) => {
    const romeo = new Peer(t, addAccount("romeo"), service, { password: "not it at all" });
    await assert.rejects(romeo.within("the refusal", romeo.xmpp.start()), /not-authorized/);
  });

  test(`${service}: return with a token`, async (t) => {
    const username = addAccount("romeo");
    const userAgent = xml("user-agent", { id: randomUUID() });
    const first = await new Peer(t, username, service, { userAgent }).start();
    const token = await first.xmpp.fast.fetch();
    assert.ok(token?.token, first.evidence());
    assert.ok(new Date(token.expiry) > new Date(), token.expiry);
    await first.stop();

    const second = new Peer(t, username, service, { userAgent, password: "not it at all" });
    await second.xmpp.fast.saveToken(token);
    await second.start();
    assert.ok(second.sent(/mechanism="HT-SHA-256-NONE"/), second.evidence());
    assert.ok(!second.sent(/<response/), "more than one round trip");
    assert.ok(second.received(/<bound /), second.evidence());
  });

  test(`${service}: a token that is no good leads back to the password`, async (t) => {
    const username = addAccount("romeo");
    const userAgent = xml("user-agent", { id: randomUUID() });
    const romeo = new Peer(t, username, service, { userAgent });
    const token = { mechanism: "HT-SHA-256-NONE", token: "made-up", expiry: new Date(Date.now() + 1e9).toISOString() };
    await romeo.xmpp.fast.saveToken(token);
    await romeo.start();
    assert.ok(romeo.sent(/mechanism="HT-SHA-256-NONE"/), romeo.evidence());
    assert.ok((await romeo.xmpp.fast.fetch())?.token !== "made-up");
  });

  test(`${service}: nothing lost or doubled when the connection is cut`, async (t) => {
    const romeo = await new Peer(t, addAccount("romeo"), "starttls").start();
    const juliet = await new Peer(t, addAccount("juliet"), service).start();
    const jid = juliet.jid.toString();
    const expected = [];
    for (let turn = 1; turn <= 3; turn++) {
      const resumed = new Promise((resolve) => juliet.xmpp.streamManagement.once("resumed", resolve));
      juliet.cut();
      await juliet.until("the loss", () => juliet.xmpp.status !== "online");
      for (let n = 0; n < 20; n++) {
        expected.push(`turn ${turn} word ${n}`);
        await romeo.say(jid, expected.at(-1));
      }
      await juliet.within("the resumption", resumed);
      await juliet.until("the words", () => juliet.texts().length >= expected.length);
    }
    assert.deepEqual(juliet.texts(), expected);
    assert.equal(juliet.xmpp.jid.toString(), jid);
  });

  test(`${service}: what is sent around a cut arrives once`, async (t) => {
    const romeo = await new Peer(t, addAccount("romeo"), service).start();
    const juliet = await new Peer(t, addAccount("juliet"), "starttls").start();
    const expected = Array.from({ length: 40 }, (_, n) => `word ${n}`);
    const resumed = new Promise((resolve) => romeo.xmpp.streamManagement.once("resumed", resolve));
    for (const word of expected.slice(0, 20)) await romeo.say(juliet.jid, word);
    romeo.cut(); // before the server's acknowledgement is here
    await romeo.within("the resumption", resumed);
    for (const word of expected.slice(20)) await romeo.say(juliet.jid, word);
    await juliet.until("the words", () => new Set(juliet.texts()).size >= expected.length);
    assert.deepEqual(juliet.texts(), expected);
  });
}
