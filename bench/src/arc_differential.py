"""Seals and validates with dkimpy what `arc_differential` writes: one JSON object a line in, one a line out.

Key records come from the question alone. dkimpy answers None where a chain was sealed as failed: it has ended.
"""

import base64
import json
import logging
import sys

import dkim

logging.disable(logging.CRITICAL)


def seal(question):
    fields = dkim.arc_sign(
        base64.b64decode(question["message"]),
        question["selector"].encode(),
        question["domain"].encode(),
        question["key"].encode(),
        question["domain"].encode(),
        timestamp=str(question["time"]),
        linesep=b"\r\n",
    )
    return [field.decode("utf-8").rstrip("\r\n") + "\r\n" for field in fields]


def validate(question):
    records = question["records"]

    def record(name, timeout=5):
        found = records.get(name.decode().rstrip("."))
        return found.encode() if found is not None else None

    result, _, reason = dkim.arc_verify(base64.b64decode(question["message"]), dnsfunc=record)
    return [result.decode() if result is not None else "ended", reason]


for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = seal(question) if "key" in question else validate(question)
    except dkim.DKIMException as error:
        answer = ["error", type(error).__name__ + ": " + str(error)]
    except Exception as error:  # a crash of the oracle is no verdict
        answer = ["crash", repr(error)]
    print(json.dumps(answer), flush=True)
