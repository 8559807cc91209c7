"""Asks pyspf about cases that `spf_differential` wrote: one JSON object a line in, one a line out.

DNS is answered from the case alone. Each case is asked twice: as pyspf is, and without its limit of void lookups, so that differences
in how those are counted can be told from others.
"""

import json
import sys

import spf

zone = {}


def lookup(name, kind, tcpfallback=True, timeout=30):
    name = name.rstrip(".").lower()
    answer = []
    for _ in range(12):
        node = zone.get(name, {})
        if kind in node.get("FAIL", []):
            raise spf.TempError("DNS failed")
        if "CNAME" not in node:
            break
        answer.append(((name, "CNAME"), node["CNAME"][0]))
        name = node["CNAME"][0]
    else:
        raise spf.TempError("aliases without end")
    for value in node.get(kind, []):
        if kind == "TXT":
            value = (value.encode("latin-1"),)
        elif kind == "MX":
            value = (value[0], value[1])
        answer.append(((name, kind), value))
    return answer


def ask(case, voids):
    spf.MAX_VOID_LOOKUPS = voids
    query = spf.query(i=case["ip"], s=case["from"], h=case["helo"], receiver="unknown", strict=True)
    try:
        result, _, explanation = query.check()
    except Exception as error:  # a crash of the oracle is no verdict
        return ["crash", repr(error)]
    return [result, explanation]


spf.DNSLookup = lookup
for line in sys.stdin:
    case = json.loads(line)
    zone = case["zone"]
    print(json.dumps({"as_is": ask(case, 2), "voids_free": ask(case, 1000)}), flush=True)
