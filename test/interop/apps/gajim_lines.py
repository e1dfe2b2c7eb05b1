"""Gajim for tests in other languages: a line of JSON in for what is to be done, a line of JSON out when it was done.

usage: gajim_lines.py JID CONTACT     (with the environment that README.md lists)

    ["start"]  ["quit"]  ["send", TEXT]  ["send_to_group", ROOM, TEXT]  ["await_message", TEXT]  ["messages", TEXT]  ["evidence"]

The answer is {"is": VALUE}, or {"error": TEXT}. It ends, and deletes what it has, with the input.
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from apps.gajim import Gajim  # noqa: E402 (needs the path)

KNOWN = {"start", "quit", "send", "send_to_group", "await_message", "messages", "evidence"}

gajim = Gajim(*sys.argv[1:])
try:
    for line in sys.stdin:
        verb, *args = json.loads(line)
        try:
            if verb not in KNOWN:
                raise AssertionError(f"no such thing to do: {verb}")
            answer = {"is": getattr(gajim, verb)(*args)}
        except AssertionError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)
finally:
    gajim.close()
