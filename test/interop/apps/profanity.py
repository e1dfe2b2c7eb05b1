"""Profanity, a terminal app, in a tmux window of its own: typed to and read like a person would."""

import os
import re
import shutil
import subprocess
import tempfile

from apps import server

SETTINGS = """[ui]
splash=false
tips=false
wrap=false
history=false
[logging]
chlog=true
[connection]
tls.certpath={certs}
[omemo]
policy=automatic
trustmode=blind
log=on
"""

ACCOUNT = """[app]
enabled=true
jid={jid}
server={host}
port={port}
password={password}
resource={resource}
tls.policy=force
muc.nick={nick}
"""


class Profanity:
    """One device of one account. Its home, settings and keys last until close(), so that it can quit and start again."""

    def __init__(self, jid, resource):
        self.jid = jid
        self.name = f"{jid.split('@')[0]}-{resource}"
        self.home = tempfile.mkdtemp(prefix=self.name + "-", dir=server.STATE)
        self.log = os.path.join(self.home, "profanity.log")
        self.socket = os.path.join(tempfile.gettempdir(), "interop-tmux-" + os.path.basename(self.home))
        certs = os.path.join(self.home, "certs")
        os.mkdir(certs)
        shutil.copy(server.CA, os.path.join(certs, "authority.pem"))
        subprocess.run(["openssl", "rehash", certs], check=True)
        self._write("config/profanity/profrc", SETTINGS.format(certs=certs))
        self._write("data/profanity/accounts", ACCOUNT.format(
            jid=jid, host=server.HOST, port=server.PORT, password=server.PASSWORD, resource=resource, nick=resource))
        self.device_id = None

    def start(self):
        """Logs in, and makes OMEMO keys the first time."""
        env = {**os.environ, "HOME": self.home, "XDG_CONFIG_HOME": self.home + "/config", "XDG_DATA_HOME": self.home + "/data",
               "TERM": "screen-256color", "LC_ALL": "C.UTF-8"}
        env.pop("TMUX", None)
        subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", "new-session", "-d", "-x", "220", "-y", "200",
                        f"profanity -l DEBUG -f {self.log} -a app"], env=env, check=True)
        self.await_screen(r"logged in successfully")
        if not self.device_id:
            self.type("/omemo gen")
            self.device_id = self.await_screen(r"OMEMO.*generated. Your Device ID is (\d+)")[1]

    def quit(self):
        self.type("/quit")
        server.await_true(f"{self.name} to quit", 60, lambda: not self._running(), self.screen)

    def close(self):
        if self._running():
            self._tmux("kill-server")

    def type(self, line):
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def screen(self):
        return self._tmux("capture-pane", "-p", "-J").rstrip()

    def await_screen(self, pattern, seconds=60):
        return server.await_true(f"{pattern!r} on the screen of {self.name}", seconds,
                                 lambda: re.search(pattern, self.screen()), self.evidence)

    def befriend(self, other):
        """Subscribes both to each other's presence (RFC 6121 §3) and waits until each sees the other online."""
        self.type(f"/sub request {other.jid}")
        other.await_screen(re.escape(f"Received authorization request from {self.jid}"))
        other.type(f"/sub allow {self.jid}")
        other.type(f"/sub request {self.jid}")
        self.await_screen(re.escape(f"Received authorization request from {other.jid}"))
        self.type(f"/sub allow {other.jid}")
        for device, contact in (self, other), (other, self):
            device.await_screen(rf"{re.escape(contact.jid)}.* is online")

    def open_chat(self, jid):
        """Shows the window of a contact."""
        self.type(f"/msg {jid}")
        self.await_screen(rf"^ *{re.escape(jid)}")

    def encrypt(self, jid, *devices):
        """Turns OMEMO on in the window of a contact, and waits until there is a session with each of these devices."""
        self.open_chat(jid)
        if "[OMEMO]" not in self.screen():
            self.type("/omemo start")
        self.await_screen(rf"^ *{re.escape(jid)}.*\[OMEMO\]")
        for device in devices:
            known = rf"session with {re.escape(device.jid)} device {device.device_id}"
            server.await_true(f"{self.name}: {known}", 60, lambda: self._logged(known), self.evidence)

    def await_message(self, sender, text):
        """Waits until a message is on the screen, marked as encrypted. The sender of one's own is called me."""
        self.await_screen(rf"(?m)~ {re.escape(sender)}(/.+?)?: .*{re.escape(text)}")

    def times_seen(self, text):
        return len(re.findall(re.escape(text), self.screen()))

    def sent_in_clear(self, text):
        """Whether a text was ever sent as it is, by the debug log, which holds every byte of the stream."""
        return self._logged(f"SENT:.*{re.escape(text)}")

    def evidence(self):
        """What to show on failure: the screen, and the end of the traffic."""
        lines = [line.rstrip() for line in self.screen().splitlines() if line.strip()]
        with open(self.log, errors="replace") as log:
            traffic = [line[:600].rstrip() for line in log if "SENT:" in line or "RECV:" in line]
        return "\n".join([f"--- screen of {self.name}", *lines, f"--- last traffic of {self.name}", *traffic[-30:]])

    def _logged(self, pattern):
        with open(self.log, errors="replace") as log:
            return any(re.search(pattern, line) for line in log)

    def _running(self):
        return subprocess.run(["tmux", "-S", self.socket, "has-session"], capture_output=True).returncode == 0

    def _tmux(self, *args):
        return subprocess.run(["tmux", "-S", self.socket, *args], check=True, capture_output=True, text=True).stdout

    def _write(self, path, text):
        path = os.path.join(self.home, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
