"""Asks dkimpy about messages that `dkim_differential` wrote: one JSON object a line in, one a line out.

Key records come from the case alone. dkimpy raises where a signature cannot be read, and answers False where it is wrong.
"""

import base64
import json
import sys

import dkim


def ask(case):
    record = case["record"].encode("latin-1") if case["record"] is not None else None
    try:
        verifier = dkim.DKIM(base64.b64decode(case["message"]))
        return "pass" if verifier.verify(dnsfunc=lambda name, timeout=5: record) else "fail"
    except dkim.DKIMException as error:
        return "error: " + type(error).__name__ + ": " + str(error)
    except Exception as error:  # a crash of the oracle is no verdict
        return "crash: " + repr(error)


for line in sys.stdin:
    print(json.dumps(ask(json.loads(line))), flush=True)
