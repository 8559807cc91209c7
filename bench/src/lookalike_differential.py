"""Asks dnstwist for the names that it makes of a domain: one JSON question a line, one JSON answer a line. Nothing is looked up."""

import json
import sys

import dnstwist

for line in sys.stdin:
    question = json.loads(line)
    fuzzer = dnstwist.Fuzzer(question["domain"], dictionary=question["words"], tld_dictionary=question["suffixes"])
    fuzzer.generate()
    print(json.dumps([[made["fuzzer"], made["domain"]] for made in fuzzer.domains]), flush=True)
