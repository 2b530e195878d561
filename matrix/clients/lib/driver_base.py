"""The loop of every driver in Python: one JSON object a line in, one a line out (matrix/driver/messages.ts)."""

import base64
import json
import os
import sys
import threading
import traceback


class Unsupported(Exception):
    """Raised by an op that the library cannot express."""


class DriverError(Exception):
    """Raised by an op to answer an error under a name of the driver's choice."""

    def __init__(self, name, message):
        super().__init__(message)
        self.name = name


def to_base64(data):
    return None if data is None else base64.b64encode(data).decode("ascii")


def from_base64(text):
    return None if text is None else base64.b64decode(text)


def serve(client, version, kind, ops, name_of):
    """Serves `ops` (name → function of the arguments) until standard input closes; each request has its own thread.

    `name_of` gives the protocol's name of a library's exception.
    """
    # Whatever the library prints, from C++ too, is log: only this loop may write to the real standard output.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    lock = threading.Lock()

    def write(line):
        text = json.dumps(line, separators=(",", ":"))
        with lock:
            answers.write(text + "\n")
            answers.flush()

    def answer(request):
        number = request["id"]
        try:
            run = ops.get(request["op"])
            if run is None:
                raise Unsupported(f"{client}'s driver has no op {request['op']}")
            write({"id": number, "result": run(request.get("args") or {}) or {}})
        except Unsupported as reason:
            write({"id": number, "unsupported": str(reason)})
        except DriverError as error:
            write({"id": number, "error": {"name": error.name, "message": str(error)}})
        except Exception as error:  # Whatever the library raises is its answer.
            traceback.print_exc(file=sys.stderr)
            write({"id": number, "error": {"name": name_of(error), "message": str(error)}})

    write({"ready": {"client": client, "version": version, "kind": kind}})
    for line in sys.stdin:
        threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()
    # Libraries wait for their brokers when they end in order: nobody is left to wait for them.
    os._exit(0)
