"""`palabre chat`, the small terminal client of Palabre, as a pipe."""

import contextlib
import json
import os
import subprocess
import tempfile

from apps import server


class Chat:
    """One device of one account. Its keys last as long as the object's folder."""

    def __init__(self, jid):
        self.jid = jid
        self.home = tempfile.mkdtemp(prefix="chat-", dir=server.STATE)
        self.env = {**os.environ, "HOME": self.home, "XDG_DATA_HOME": self.home + "/data", "PALABRE_PASSWORD": server.PASSWORD,
                    "PALABRE_ACCOUNT": jid, "SSL_CERT_FILE": server.CA}
        self.listener = None

    def send(self, to, text):
        """Returns when the server has acknowledged the text."""
        run = subprocess.run(self._command("send", "-to", to), env=self.env, input=text, text=True, capture_output=True, timeout=60)
        if run.returncode != 0:
            raise AssertionError(f"palabre chat send: {run.stdout}{run.stderr}")

    def collect(self):
        """What the server had kept since the last time: a list of messages."""
        run = subprocess.run(self._command("receive", "-json", "-once"), env=self.env, stdin=subprocess.DEVNULL, text=True,
                             capture_output=True, timeout=60)
        if run.returncode != 0:
            raise AssertionError(f"palabre chat receive: {run.stdout}{run.stderr}")
        return [json.loads(line) for line in run.stdout.splitlines()]

    @contextlib.contextmanager
    def contact(self, jid):
        """The interactive client, which has just asked to be a contact of another account; it ends with the block."""
        with open(self.home + "/interactive", "w") as log:
            desk = subprocess.Popen(self._command(""), env=self.env, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True)
        try:
            desk.stdin.write(f"/add {jid}\n")
            desk.stdin.flush()
            yield
            desk.stdin.write("/quit\n")
            desk.stdin.close()
            desk.wait(60)
        finally:
            desk.kill()
            desk.wait()

    def listen(self):
        """Prints messages into a file until close()."""
        with open(self.home + "/heard", "w") as out, open(self.home + "/errors", "w") as errors:
            self.listener = subprocess.Popen(self._command("receive", "-json"), env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=errors)

    def heard(self):
        with open(self.home + "/heard") as file:
            return [json.loads(line) for line in file.read().split("\n")[:-1]]

    def await_text(self, text):
        return server.await_true(f"{text!r} at {self.jid}", 60, lambda: [m for m in self.heard() if m["body"] == text], self.evidence)

    def evidence(self):
        with open(self.home + "/errors") as errors:
            return f"--- heard by {self.jid}\n{self.heard()}\n--- errors\n{errors.read()[-4000:]}"

    def close(self):
        if self.listener:
            self.listener.terminate()
            self.listener.wait(60)
            self.listener = None

    def _command(self, verb, *arguments):
        return [os.environ["PALABRE"], "chat", *verb.split(), "-server", f"{server.HOST}:{server.PORT}", "-method", "starttls", "-ca", server.CA,
                *arguments]
