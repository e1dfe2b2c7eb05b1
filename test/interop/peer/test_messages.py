"""Messages: offline delivery, carbons (XEP-0280), stream resumption (XEP-0198), what is carried (XEP-0424, XEP-0334)."""

import xml.etree.ElementTree as ET

from peer import Test

HINTS = "{urn:xmpp:hints}"


class Delivery(Test):
    async def test_offline_messages_come_once_in_order(self):
        romeo, juliet = await self.online(self.account("romeo")), self.account("juliet")
        sent = [f"letter {n}" for n in range(20)]
        for text in sent:
            romeo.send_message(mto=juliet, mbody=text)
        await romeo.fence()
        late = await self.online(juliet)
        await late.text(sent[-1])
        self.assertEqual(late.texts(), sent)
        self.assertTrue(all(m.xml.find("{urn:xmpp:delay}delay") is not None for m in late.messages if m["body"]))
        await late.logout()
        again = await self.online(juliet, "again")
        romeo.send_message(mto=juliet, mbody="a last one")
        await again.text("a last one")
        self.assertEqual(again.texts(), ["a last one"])

    async def test_encrypted_message_without_body_is_kept_for_one_who_is_offline(self):
        romeo, juliet = await self.online(self.account("romeo")), self.account("juliet")
        message = romeo.make_message(mto=juliet, mtype="chat")
        message.append(ET.fromstring("<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted>"))
        message.append(ET.fromstring("<store xmlns='urn:xmpp:hints'/>"))
        message.send()
        await romeo.fence()
        late = await self.online(juliet)
        await late.message("the encrypted one", lambda m: m.xml.find("{eu.siacs.conversations.axolotl}encrypted") is not None)

    async def test_message_to_an_account_that_is_not_there(self):
        romeo = await self.online(self.account("romeo"))
        romeo.send_message(mto="nobody-at-all@" + romeo.boundjid.domain, mbody="Anyone?")
        refused = await romeo.message("an error", lambda m: m["type"] == "error")
        self.assertIn(refused["error"]["condition"], ("service-unavailable", "item-not-found"))

    async def test_retraction_is_carried(self):
        romeo, juliet = await self.two()
        message = romeo.make_message(mto=juliet.boundjid.bare, mtype="chat", mbody="A rash word.")
        message["id"] = "rash-1"
        message.send()
        await juliet.text("A rash word.")
        retraction = romeo.make_message(mto=juliet.boundjid.bare, mtype="chat")
        retraction.append(ET.fromstring("<retract xmlns='urn:xmpp:message-retract:1' id='rash-1'/>"))
        retraction.append(ET.fromstring("<store xmlns='urn:xmpp:hints'/>"))
        retraction.send()
        path = "{urn:xmpp:message-retract:1}retract"
        came = await juliet.message("the retraction", lambda m: m.xml.find(path) is not None)
        self.assertEqual(came.xml.find(path).get("id"), "rash-1")
        archive = (await juliet["xep_0313"].retrieve(with_jid=romeo.boundjid.bare))["mam"]["results"]
        self.assertTrue(any(result.xml.find(".//" + path) is not None for result in archive), juliet.evidence())

    async def test_sender_cannot_be_forged(self):
        romeo, juliet = await self.two()
        romeo.send_raw(f"<message from='juliet@example.org' to='{juliet.boundjid}' type='chat'><body>who?</body></message>")
        romeo.send_raw("<iq type='get' id='fence-1' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>" % romeo.boundjid.domain)
        await romeo.until("an answer, or the end of the stream", lambda: romeo.count("disconnected") or any(
            line.startswith("<") and "fence-1" in line for line in romeo.wire))
        await juliet.get_roster()
        self.assertEqual([m["from"] for m in juliet.messages if m["from"].domain == "example.org"], [])


class Carbons(Test):
    async def three(self):
        """Romeo with phone and laptop, both with carbons on, and Juliet."""
        jid = self.account("romeo")
        phone, laptop = await self.online(jid, "phone"), await self.online(jid, "laptop")
        for device in phone, laptop:
            await device["xep_0280"].enable()
        return phone, laptop, await self.online(self.account("juliet"))

    def copies(self, device, kind):
        """The (sender, text) of the copies of a kind that a device got, each from the own account."""
        found = []
        for m in device.messages:
            inner = m.xml.find(f"{{urn:xmpp:carbons:2}}{kind}/{{urn:xmpp:forward:0}}forwarded/{{jabber:client}}message")
            if inner is not None:
                self.assertEqual(m["from"].bare, device.boundjid.bare)
                found.append((inner.get("from"), inner.findtext("{jabber:client}body")))
        return found

    async def test_sent_and_received_are_copied_once(self):
        phone, laptop, juliet = await self.three()
        phone.send_message(mto=juliet.boundjid.full, mbody="from the phone")
        await laptop.until("the sent copy", lambda: self.copies(laptop, "sent"))
        juliet.send_message(mto=phone.boundjid.full, mbody="to the phone")
        await laptop.until("the received copy", lambda: self.copies(laptop, "received"))
        for device in phone, laptop, juliet:
            await device.fence()
        self.assertEqual(self.copies(laptop, "sent"), [(phone.boundjid.full, "from the phone")])
        self.assertEqual(self.copies(laptop, "received"), [(juliet.boundjid.full, "to the phone")])
        self.assertEqual(phone.texts(), ["to the phone"])
        self.assertEqual(self.copies(phone, "sent") + self.copies(phone, "received"), [])

    async def test_no_copy_hint_and_disabling_are_kept(self):
        phone, laptop, juliet = await self.three()
        message = phone.make_message(mto=juliet.boundjid.full, mtype="chat", mbody="for you alone")
        message.append(ET.fromstring("<no-copy xmlns='urn:xmpp:hints'/>"))
        message.append(ET.fromstring("<private xmlns='urn:xmpp:carbons:2'/>"))
        message.send()
        await juliet.text("for you alone")
        await laptop.fence()
        await laptop["xep_0280"].disable()
        phone.send_message(mto=juliet.boundjid.full, mbody="without copies")
        await juliet.text("without copies")
        await laptop.fence()
        self.assertEqual(self.copies(laptop, "sent"), [])


class Resumption(Test):
    async def test_nothing_is_lost_or_doubled_when_the_receiver_is_cut(self):
        romeo, juliet = await self.two()
        before, during, after = ([f"{when} {n}" for n in range(50)] for when in ("before", "during", "after"))
        for text in before:
            romeo.send_message(mto=juliet.boundjid, mbody=text)
        await juliet.cut()
        for text in during:
            romeo.send_message(mto=juliet.boundjid, mbody=text)
        await romeo.fence()
        juliet.dial()
        await juliet.until("the resumption", lambda: juliet.count("session_resumed") or juliet.count("sm_failed"))
        self.check(juliet.count("session_resumed") == 1, "resumption was refused", juliet)
        for text in after:
            romeo.send_message(mto=juliet.boundjid, mbody=text)
        await juliet.text(after[-1])
        self.assertEqual(juliet.texts(), before + during + after)
        self.check(juliet.count("session_start") == 1, "a second session", juliet)

    async def test_what_was_acknowledged_to_a_sender_who_is_cut_arrives_once(self):
        romeo, juliet = await self.two()
        start = romeo.count("stanza_acked")
        sent = [f"word {n}" for n in range(200)]
        for text in sent:
            romeo.send_message(mto=juliet.boundjid, mbody=text)
        # slixmpp writes what is left in its queue into the next stream, before it has logged in: cut when all is written.
        await romeo.until("acknowledgements", lambda: romeo.waiting_queue.empty() and romeo.count("stanza_acked") - start >= 50)
        await romeo.cut()
        acknowledged = {value["body"] for name, value in romeo.happened if name == "stanza_acked"} & set(sent)
        romeo.dial()
        await romeo.until("the resumption", lambda: romeo.count("session_resumed"))
        romeo.send_message(mto=juliet.boundjid, mbody="the end")
        await juliet.text("the end")
        heard = juliet.texts()
        self.assertEqual(heard, list(dict.fromkeys(heard)), "doubled or out of order")
        self.assertLessEqual(acknowledged, set(heard))

    async def test_resuming_twice_and_three_times(self):
        romeo, juliet = await self.two()
        for turn in range(1, 4):
            await juliet.cut()
            romeo.send_message(mto=juliet.boundjid, mbody=f"turn {turn}")
            juliet.dial()
            await juliet.until("the resumption", lambda: juliet.count("session_resumed") == turn)
            await juliet.text(f"turn {turn}")
        self.assertEqual(juliet.texts(), ["turn 1", "turn 2", "turn 3"])

    async def test_unknown_session_is_refused_and_a_new_one_begins(self):
        romeo, juliet = await self.two()
        await juliet.cut()
        juliet["xep_0198"].sm_id = "no-such-session"
        juliet.dial()
        await juliet.until("the refusal", lambda: juliet.count("sm_failed"))
        await juliet.until("a new session", lambda: juliet.count("session_start") == 2)
        juliet.send_presence()
        await juliet.fence()
        romeo.send_message(mto=juliet.boundjid.bare, mbody="Still there?")
        await juliet.text("Still there?")
