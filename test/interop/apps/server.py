"""The server under test, as the environment names it (README.md lists the variables)."""

import itertools
import os
import shlex
import subprocess
import time

DOMAIN = os.environ["XMPP_DOMAIN"]
HOST = os.environ["XMPP_HOST"]
PORT = int(os.environ["XMPP_PORT"])
TLS_PORT = int(os.environ["XMPP_TLS_PORT"])
CA = os.environ["XMPP_CA"]
PASSWORD = os.environ["XMPP_PASSWORD"]
STATE = os.environ["INTEROP_STATE"]

_serial = itertools.count(1)


def add_account(name):
    """Makes an account with a name that no earlier run used, and returns its bare JID."""
    local = f"{name}-{os.getpid()}-{next(_serial)}"
    subprocess.run([*shlex.split(os.environ["XMPP_ADD_ACCOUNT"]), local, PASSWORD], check=True, stdin=subprocess.DEVNULL, timeout=60)
    return f"{local}@{DOMAIN}"


def await_true(what, seconds, question, evidence=lambda: ""):
    """Asks question() until it answers with something true, and returns that; raises with the evidence after the deadline."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still waiting: {what}\n{evidence()}")
        time.sleep(0.1)
