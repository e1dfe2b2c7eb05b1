"""The message archive (XEP-0313, XEP-0059, XEP-0359): paging over 300 messages, filters, errors."""

import asyncio
from datetime import datetime, timedelta, timezone

from slixmpp.exceptions import IqError

from peer import Test

COUNT = 300
MAM = "{urn:xmpp:mam:2}"
RSM = "{http://jabber.org/protocol/rsm}"
BODY = "{urn:xmpp:forward:0}forwarded/{jabber:client}message/{jabber:client}body"


class Archive(Test):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.romeo, self.juliet = await self.two()
        self.sent = [f"verse {n}" for n in range(COUNT)]
        for text in self.sent[:COUNT // 2]:
            self.juliet.send_message(mto=self.romeo.boundjid, mbody=text)
        await self.romeo.until("the first half", lambda: len(self.romeo.texts()) == COUNT // 2, 60)
        self.end_of_first, self.start_of_second = await self.pause()
        for text in self.sent[COUNT // 2:]:
            self.juliet.send_message(mto=self.romeo.boundjid, mbody=text)
        await self.romeo.until("all", lambda: len(self.romeo.texts()) == COUNT, 60)
        self.live = [(m["body"], m.xml.find("{urn:xmpp:sid:0}stanza-id").get("id")) for m in self.romeo.messages if m["body"]]

    async def pause(self):
        """Two times between what was and what comes, a second apart, since a server may keep whole seconds."""
        end = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=1)
        start = end + timedelta(seconds=1)
        await asyncio.sleep((start - datetime.now(timezone.utc)).total_seconds() + 0.05)
        return end.strftime("%Y-%m-%dT%H:%M:%SZ"), start.strftime("%Y-%m-%dT%H:%M:%SZ")

    async def page(self, peer, max=50, to=None, **query):
        """One page: [(text, archive id)], and the <fin/>. The query names after, before, with_jid, start, end."""
        self.queries = getattr(self, "queries", 0) + 1
        edges = "".join(f"<{name}>{query[name]}</{name}>" for name in ("after", "before") if query.get(name) is not None)
        fields = "".join(f"<field var='{name.split('_')[0]}'><value>{query[name]}</value></field>"
                         for name in ("with_jid", "start", "end") if name in query)
        answer = await peer.ask("set", f"""<query xmlns='urn:xmpp:mam:2' queryid='q{self.queries}'>
            <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>{fields}</x>
            <set xmlns='http://jabber.org/protocol/rsm'><max>{max}</max>{edges}</set></query>""", to)
        results = [m.xml.find(MAM + "result") for m in peer.messages]
        found = [r for r in results if r is not None and r.get("queryid") == f"q{self.queries}"]
        return [(r.findtext(BODY), r.get("id")) for r in found], answer.xml.find(MAM + "fin")

    async def pages(self, peer, direction, **query):
        """All pages of 50 in a direction (after or before), in the order of the archive."""
        found, edge = [], None if direction == "after" else ""
        while True:
            page, fin = await self.page(peer, **{direction: edge}, **query)
            self.assertLessEqual(len(page), 50)
            found = found + page if direction == "after" else page + found
            if not page or fin.get("complete") == "true":
                return found
            edge = page[-1][1] if direction == "after" else page[0][1]

    async def test_all_of_it(self):
        with self.subTest("forwards; ids are those that came live"):
            self.assertEqual(await self.pages(self.romeo, "after"), self.live)
        with self.subTest("backwards"):
            self.assertEqual(await self.pages(self.romeo, "before"), self.live)
        with self.subTest("the sender has the same"):
            self.assertEqual([text for text, _ in await self.pages(self.juliet, "after")], self.sent)
        with self.subTest("the last page"):
            page, fin = await self.page(self.romeo, 10, before="")
            self.assertEqual(page, self.live[-10:])
            self.assertEqual(tuple(fin.findtext(f"{RSM}set/{RSM}{edge}") for edge in ("first", "last")), (page[0][1], page[-1][1]))
            self.assertNotEqual(fin.get("complete"), "true")
        with self.subTest("after an id, before another"):
            page, _ = await self.page(self.romeo, 5, after=self.live[99][1])
            self.assertEqual(page, self.live[100:105])
            page, _ = await self.page(self.romeo, 5, before=self.live[99][1])
            self.assertEqual(page, self.live[94:99])
        with self.subTest("with"):
            self.assertEqual(await self.pages(self.romeo, "after", with_jid=self.juliet.boundjid.bare), self.live)
            self.assertEqual(await self.pages(self.romeo, "after", with_jid="nurse@" + self.romeo.boundjid.domain), [])
        with self.subTest("start and end"):
            first = await self.pages(self.romeo, "after", end=self.end_of_first)
            second = await self.pages(self.romeo, "after", start=self.start_of_second)
            self.assertEqual((first, second), (self.live[:COUNT // 2], self.live[COUNT // 2:]))
        with self.subTest("an id that is not there"):
            with self.assertRaises(IqError) as caught:
                await self.page(self.romeo, 5, after="no-such-id")
            self.assertEqual(caught.exception.condition, "item-not-found")
        with self.subTest("the whole by slixmpp's own iterator"):
            found = [r["mam_result"]["forwarded"]["stanza"]["body"] async for r in self.romeo["xep_0313"].iterate(rsm={"max": 70})]
            self.assertEqual(found, self.sent)
        with self.subTest("a stranger may not read it"):
            with self.assertRaises(IqError):
                await self.page(self.juliet, to=self.romeo.boundjid.bare)
