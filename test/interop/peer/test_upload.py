"""HTTP upload (XEP-0363): a slot, PUT, GET, a range, limits, and what keeps an upload from running as a page."""

import asyncio
import os
import urllib.error
import urllib.request
from pathlib import Path

from slixmpp.exceptions import IqError

from apps import server
from peer import DEADLINE, Test, trust

UPLOAD = "{urn:xmpp:http:upload:0}"


async def fetch(url, method="GET", data=None, **headers):
    """(status, headers, body) of an HTTP exchange, verified against the server's authority."""
    request = urllib.request.Request(url, data, {name.replace("_", "-"): value for name, value in headers.items()}, method=method)

    def exchange():
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE, context=trust()) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()
    return await asyncio.to_thread(exchange)


class Upload(Test):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.romeo = await self.online(self.account("romeo"))
        self.service = await self.find_service()
        self.assertIsNotNone(self.service, "neither the server nor one of its disco#items is an upload service")

    async def find_service(self):
        """The service by disco (XEP-0363 §4). slixmpp 1.8's own search does not run on Python 3.11."""
        disco = self.romeo["xep_0030"]
        listed = await disco.get_items(server.DOMAIN, timeout=DEADLINE)
        for jid in [server.DOMAIN, *(jid for jid, _, _ in listed["disco_items"]["items"])]:
            try:
                info = await disco.get_info(jid, timeout=DEADLINE)
            except IqError:  # a component that is not connected now
                continue
            if "urn:xmpp:http:upload:0" in info["disco_info"]["features"]:
                return jid

    async def slot(self, name, size, kind):
        """(address to put to, headers to send, address to get from)"""
        answer = await self.romeo["xep_0363"].request_slot(self.service, name, size, kind, timeout=DEADLINE)
        put = answer.xml.find(f".//{UPLOAD}put")
        headers = {h.get("name"): h.text for h in put.findall(UPLOAD + "header")}
        return put.get("url"), headers, answer.xml.find(f".//{UPLOAD}get").get("url")

    async def test_slixmpp_uploads_a_file(self):
        path = Path(os.environ["INTEROP_STATE"]) / f"letter-{os.getpid()}.bin"
        content = os.urandom(300_000)
        path.write_bytes(content)
        self.romeo["xep_0363"].upload_service = self.service
        url = await self.romeo["xep_0363"].upload_file(path, domain=self.service, timeout=DEADLINE)
        status, _, body = await fetch(url)
        self.assertEqual((status, body), (200, content))

    async def test_ranges(self):
        content = os.urandom(100_000)
        put, headers, get = await self.slot("Ünï code.bin", len(content), "application/octet-stream")
        status, _, _ = await fetch(put, "PUT", content, Content_Type="application/octet-stream", **headers)
        self.assertEqual(status, 201)
        for asked, expected in ("bytes=10-19", content[10:20]), ("bytes=99990-", content[99990:]), ("bytes=-7", content[-7:]):
            with self.subTest(asked):
                status, answer, body = await fetch(get, Range=asked)
                self.assertEqual((status, body), (206, expected))
                self.assertTrue(answer["Content-Range"].endswith("/100000"), answer["Content-Range"])
        status, answer, _ = await fetch(get, "HEAD")
        self.assertEqual((status, answer["Content-Length"]), (200, "100000"))

    async def test_page_does_not_run(self):
        page = b"<script>alert(1)</script>"
        put, headers, get = await self.slot("page.html", len(page), "text/html")
        self.assertEqual((await fetch(put, "PUT", page, Content_Type="text/html", **headers))[0], 201)
        _, answer, _ = await fetch(get)
        self.assertIn("nosniff", answer["X-Content-Type-Options"] or "")
        held = "attachment" in (answer["Content-Disposition"] or "") or "sandbox" in (answer["Content-Security-Policy"] or "") or \
            "default-src 'none'" in (answer["Content-Security-Policy"] or "")
        self.assertTrue(held, dict(answer))

    async def test_what_is_refused(self):
        with self.assertRaises(IqError) as caught:
            await self.slot("huge.bin", 10 ** 13, "application/octet-stream")
        self.assertEqual(caught.exception.condition, "not-acceptable")
        put, headers, get = await self.slot("small.bin", 10, "application/octet-stream")
        status, _, _ = await fetch(put, "PUT", b"much longer than promised", Content_Type="application/octet-stream", **headers)
        self.assertIn(status, (400, 403, 409, 413))
        self.assertEqual((await fetch(get))[0], 404)
