"""Gajim, a desktop app, on a virtual screen and a private D-Bus, as a user without privileges; operated with gajim-remote."""

import json
import os
import pwd
import shutil
import socket
import sqlite3
import ssl
import subprocess
import tempfile

from apps import server

HERE = os.path.dirname(os.path.abspath(__file__))


class Gajim:
    """One device of one account, with OMEMO on towards one contact."""

    def __init__(self, jid, contact):
        self.jid, self.contact = jid, contact
        self.user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        self.home = tempfile.mkdtemp(prefix="gajim-")
        self.config = os.path.join(self.home, "config")
        self.env = {"HOME": self.home, "XDG_RUNTIME_DIR": self.home, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "GDK_BACKEND": "x11",
                    "NO_AT_BRIDGE": "1", "GSETTINGS_BACKEND": "memory", "LIBGL_ALWAYS_SOFTWARE": "1",
                    "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.home}/bus"}
        self.log = os.path.join(server.STATE, os.path.basename(self.home) + ".log")
        self.processes = []
        if self.user:
            os.chown(self.home, self.user.pw_uid, self.user.pw_gid)

    def start(self):
        """Logs in; the first time with new settings and keys, which last until close(), so that it can quit and start again."""
        if not self.processes:
            self._prepare()
        self._spawn("gajim", "--config-path", self.config, "--separate", "--loglevel", "gajim=INFO")
        server.await_true("Gajim to be online", 60, lambda: self.remote("get_status", "app") == "online", self.evidence)

    def _prepare(self):
        """Writes the settings, trusting the server's certificate as a user does who has accepted it once, and makes the screen."""
        shutil.copytree(os.path.join(HERE, "gajim_guest"), os.path.join(self.home, "guest"))
        self._run("/usr/bin/python3", self._copy("gajim_settings.py"), self.config, self.jid, server.PASSWORD,
                  server.HOST, str(server.PORT), self.contact, os.path.join(self.home, "guest"))
        self._trust(server_certificate())
        self._spawn("dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=" + self.env["DBUS_SESSION_BUS_ADDRESS"])
        server.await_true("the private D-Bus", 60, lambda: os.path.exists(self.home + "/bus"), self.evidence)
        self._start_screen()

    def remote(self, method, *args):
        """What gajim-remote prints, or an empty string while Gajim does not answer."""
        run = self._run("gajim-remote", method, *args, check=False)
        return run.stdout.strip() if run.returncode == 0 else ""

    def send(self, text):
        server.await_true("Gajim to send", 60, lambda: self.remote("send_chat_message", self.contact, text, "app"), self.evidence)

    def send_to_group(self, room, text):
        server.await_true("Gajim to send to the group", 60, lambda: self.remote("send_groupchat_message", room, text, "app") == "True", self.evidence)

    def messages(self, text):
        """How Gajim's history has a text: a list of (whether it was encrypted) for each time it is there."""
        path = os.path.join(self.config, "logs.db")
        if not os.path.exists(path):
            return []
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as history:
            rows = history.execute("select additional_data from logs where message = ?", (text,)).fetchall()
        return ["OMEMO" in json.dumps(json.loads(data or "{}")) for (data,) in rows]

    def await_message(self, text):
        server.await_true(f"{text!r}, encrypted, in the history of {self.jid}", 60, lambda: self.messages(text) == [True],
                          lambda: f"it is there as {self.messages(text)}\n{self.evidence()}")

    def evidence(self):
        with open(self.log, errors="replace") as log:
            return f"--- log of {self.jid} in Gajim\n" + "".join(line[:600] for line in log.readlines()[-60:])

    def quit(self):
        """Ends Gajim alone; its screen stays."""
        _end(self.processes.pop())

    def close(self):
        for process in reversed(self.processes):
            _end(process)
        shutil.rmtree(self.home)

    def _start_screen(self):
        reader, writer = os.pipe()
        self._spawn("Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x1024x24", "-nolisten", "tcp", pass_fds=(writer,))
        os.close(writer)
        with os.fdopen(reader) as display:
            self.env["DISPLAY"] = ":" + display.readline().strip()

    def _trust(self, pem):
        path = os.path.join(self.config, "cert_store", "server.pem")
        with open(path, "w") as file:
            file.write(pem)
        os.chmod(path, 0o644)

    def _copy(self, name):
        """A copy that the unprivileged user may read, wherever the checkout is."""
        return shutil.copy(os.path.join(HERE, name), self.home)

    def _as_user(self):
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}

    def _spawn(self, *command, **options):
        with open(self.log, "a") as log:
            self.processes.append(subprocess.Popen(
                command, env=self.env, cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._as_user(), **options))

    def _run(self, *command, check=True):
        run = subprocess.run(command, env=self.env, cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             timeout=60, **self._as_user())
        if check and run.returncode != 0:
            raise AssertionError(f"{command[0]}: {run.stdout}{run.stderr}")
        return run


def _end(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def server_certificate():
    """The certificate that the server shows on its direct TLS port, as PEM, verified against its authority."""
    context = ssl.create_default_context(cafile=server.CA)
    with socket.create_connection((server.HOST, server.TLS_PORT), 10) as plain:
        with context.wrap_socket(plain, server_hostname=server.DOMAIN) as secure:
            return ssl.DER_cert_to_PEM_cert(secure.getpeercert(True))
