"""A zone whose keys all have one key tag, with many signatures that fit none of them (KeyTrap, CVE-2023-50387). A validator without
a limit verifies each signature with each key.
"""

from __future__ import annotations

import os
import time

import dns.dnssec
import dns.name
import dns.rdtypes.ANY.DNSKEY
import dns.rdtypes.ANY.RRSIG
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ec

ALGORITHM = 14  # ECDSA P-384: the slowest to verify of those in use
ZONE, REVOKE, SEP = 0x0100, 0x0080, 0x0001
TTL = 300
DAY_S = 86_400


def zone_key(tag: int) -> dns.rdtypes.ANY.DNSKEY.DNSKEY:
    """A key with that key tag. The tag is a sum, and its 16 bits of flags are part of the sum: validators ignore most of them."""
    while True:
        key = dns.dnssec.make_dnskey(ec.generate_private_key(ec.SECP384R1()).public_key(), ALGORITHM, ZONE)
        flags = ZONE + tag - dns.dnssec.key_id(key)
        for candidate in (flags & 0xFFFF, (flags + 1) & 0xFFFF, (flags - 1) & 0xFFFF):  # the carry of the sum
            made = key.replace(flags=candidate)
            if dns.dnssec.key_id(made) == tag and candidate & ZONE and not candidate & (REVOKE | SEP):
                return made


def signed(name: str, body: str, keys: int, signatures: int) -> tuple[str, str]:
    """The text of the zone, and its DS. `body`: its records; those of `www` and `*.any` get the signatures."""
    origin = dns.name.from_text(name)
    begin, end = time.time() - DAY_S, time.time() + 30 * DAY_S
    private = ec.generate_private_key(ec.SECP384R1())
    key = dns.dnssec.make_dnskey(private.public_key(), ALGORITHM, ZONE | SEP)
    colliding = [zone_key(4711) for _ in range(keys)]
    all_keys = dns.rrset.from_rdata_list(origin, TTL, [key, *colliding])
    lines = [all_keys.to_text(), rrsig(origin, dns.dnssec.sign(all_keys, private, origin, key, begin, end))]
    for owner, ttl, kind, text in (line.split(maxsplit=3) for line in body.splitlines()):
        records = dns.rrset.from_text_list(dns.name.from_text(owner, origin), int(ttl), "IN", kind, [text], origin=origin, relativize=False)
        if kind == "SOA":  # knot takes the zone for a signed one by it
            lines.append(rrsig(origin, dns.dnssec.sign(records, private, origin, key, begin, end)))
        if owner not in ("www", "*.any"):
            continue
        made = dns.dnssec.sign(records, private, origin, colliding[0], begin, end)
        lines += [rrsig(records.name, made.replace(signature=os.urandom(len(made.signature)))) for _ in range(signatures)]
    return body + "\n".join(lines) + "\n", f"{name}. {TTL} DS {dns.dnssec.make_ds(origin, key, 'SHA256').to_text()}\n"


def rrsig(owner: dns.name.Name, made: dns.rdtypes.ANY.RRSIG.RRSIG) -> str:
    return f"{owner} {TTL} IN RRSIG {made.to_text()}"
