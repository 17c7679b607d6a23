"""The bench `policy`: the rate with rules and claims ÷ the rate of the same queries without.

One worker answers the queries of `cached` from its cache; every hundredth is for a new name and is
forwarded, to an upstream that the port itself plays (tests/bench/mixed_port.h). With rules: 20 domain sets of together
100,000 domain rules and 400 patterns stand before the cache, one in ten names is claimed for a list of a connected
router, and a snapshot is built and published in the middle. Without: a cache before a forwarder, nothing in the middle.
"""

from __future__ import annotations

import pathlib
import random
import statistics
import string

from bench import cached, floors
from bench.machine import announce, rounds
from lab.network import LabError

SETS, DOMAINS, PATTERNS = 20, 100_000, 400
NEW_NAME_EVERY, CACHE, CACHE_MIB = 100, 65_536, 64
NEW_NAMES = 1 / NEW_NAME_EVERY
SECONDS, ROUNDS, PAGES = 4.0, 5, 1_100
LOAD = cached.Load(mib=1_600)
POLICY_SET = "domain:stream.example"  # a tenth of cached.names()

PLAIN = f"""plugins:
  - {{ tag: answers, type: cache, args: {{ size: {CACHE}, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [{{ addr: "udp://1.1.1.1:53" }}] }} }}
"""
LIST = """  - tag: list
    type: ros_address_list
    args: { address: "127.0.0.1:%d", username: api-user, password: secret, async: true, address_list4: policy_set_v4,
            address_list6: policy_set_v6, comment_prefix: forgedns, min_ttl: 60, max_ttl: 1800 }
"""


def _word(low: int, high: int) -> str:
    return "".join(random.choice(string.ascii_lowercase) for _ in range(random.randint(low, high)))


def _rules(domains: int, patterns: int) -> list[str]:
    """As block and geo lists have them; of the names that are asked for they match none."""
    rules = [f"domain:{_word(5, 12)}.{_word(3, 8)}.{random.choice(('com', 'net', 'org', 'io'))}" for _ in range(domains)]
    for i in range(patterns):
        rules.append(f"keyword:{_word(7, 11)}" if i % 2 == 0 else rf"regexp:^{_word(3, 5)}[0-9]+[.-]{_word(4, 7)}\.")
    return rules


def write_config(folder: pathlib.Path, router_port: int, domains: int = DOMAINS, patterns: int = PATTERNS) -> pathlib.Path:
    """A configuration of SETS rules before a cache. The first claims for the router's list, the others set marks."""
    random.seed(20260801)
    text, sequence = PLAIN + LIST % router_port, ""
    for number in range(SETS):
        rules = _rules(domains // SETS, patterns // SETS)
        if number == 0:
            rules[0] = POLICY_SET
        (folder / f"set{number}.txt").write_text("\n".join(rules) + "\n")
        text += f"  - {{ tag: set{number}, type: domain_set, args: {{ files: [{folder}/set{number}.txt] }} }}\n"
        text += f"  - {{ tag: is{number}, type: qname, args: [ $set{number} ] }}\n"
        sequence += f"      - {{ matches: $is{number}, exec: {'$list' if number == 0 else f'mark {number}'} }}\n"
    path = folder / "policy.yaml"
    path.write_text(text + "  - tag: main\n    type: sequence\n    args:\n" + sequence +
                    "      - exec: $answers\n      - exec: $up\n")
    return path


def write_plain(folder: pathlib.Path) -> pathlib.Path:
    path = folder / "plain.yaml"
    path.write_text(PLAIN + "  - { tag: main, type: sequence, args: [ { exec: $answers }, { exec: $up } ] }\n")
    return path


def _ours(build: pathlib.Path, folder: pathlib.Path, config: pathlib.Path, huge: bool, *words: str) -> dict:
    return cached.ours(build, folder / "hot.pcap", huge, 0, folder / "names.txt", LOAD, "--cache-mib", str(CACHE_MIB), *words,
                       config=config, seconds=SECONDS)


def _measured(*arguments) -> dict:
    result = _ours(*arguments, "--new-name-every", str(NEW_NAME_EVERY))
    if result["answered_share"] < 0.999 or not 0.9 < result["asked_share"] * NEW_NAME_EVERY < 1.1:
        raise LabError(f"not what the bench is to measure: {result}")
    return result


def check(build: pathlib.Path, folder: pathlib.Path, config: pathlib.Path, huge: bool) -> int:
    """How many answers were compared with rules, in a run that is not timed; a wrong one fails the bench."""
    return _ours(build, folder, config, huge, "--check")["compared"]


def with_rules(build: pathlib.Path, folder: pathlib.Path, config: pathlib.Path, huge: bool) -> dict:
    """What bench_cached says of a run with rules, claims and a snapshot published in the middle."""
    result = _measured(build, folder, config, huge, "--reload")
    if result["claimed_share"] < 0.05:
        raise LabError(f"nothing is claimed: {result}")
    return result


def floor_own(result: dict, count, per_ns: float) -> float:
    """What remains if rules and claims take only the time of their instructions. `count`: of a line of bench.instr; `per_ns`: of a
    hit. Those of a new name run as fast as the others of a forwarded query, whose code has left the CPU's caches."""
    miss_per_ns = count("policy_without_miss") / result["miss_ns"]
    hit, miss = (count(f"policy{end}") - count(f"policy_without{end}") for end in ("", "_miss"))
    more_ns = (1 - NEW_NAMES) * hit / per_ns + NEW_NAMES * miss / miss_per_ns
    return round(result["plain_ns"] / (result["plain_ns"] + more_ns), 3)


def run(build: str) -> dict:
    with cached.prepared(pathlib.Path(build), LOAD, PAGES) as (folder, port, pages):
        parameters = announce(
            f"policy: both: one worker, {LOAD.queries} queries for {LOAD.names} names again and again from net_pcap, one in "
            f"{NEW_NAME_EVERY} for a new name, forwarded; {LOAD.mbufs} mbufs, cache of {CACHE} entries in {CACHE_MIB} MiB, "
            f"{pages} hugepages of 2 MiB, {SECONDS:g} s by turns; with rules: {DOMAINS} domain rules and {PATTERNS} patterns in "
            f"{SETS} sets, {SETS} rules before the cache, a tenth of the names claimed for a list, the router connected, a "
            "snapshot built and published in the middle; without: cache and forward alone")
        sides = {"with": write_config(folder, port), "without": write_plain(folder)}
        ns: dict[str, list[float]] = {"with": [], "without": [], "hits": []}
        huge = pages >= PAGES - 100
        compared = check(pathlib.Path(build), folder, sides["with"], huge)
        for number in range(rounds(ROUNDS)):
            result = with_rules(pathlib.Path(build), folder, sides["with"], huge)
            plain = _measured(pathlib.Path(build), folder, sides["without"], huge)
            ns["with"].append(result["ns_per_packet"])
            ns["without"].append(plain["ns_per_packet"])
            if floors.is_measured(number):
                ns["hits"].append(_ours(pathlib.Path(build), folder, sides["without"], huge)["ns_per_packet"])
            print(f"  round {number + 1}: with rules {ns['with'][-1]:.1f} ns a packet ({100 * result['packet_cache_share']:.1f} % by the "
                  f"packet cache, {100 * result['claimed_share']:.1f} % claimed, reload {result['reload_s']:.2f} s), without "
                  f"{ns['without'][-1]:.1f} ({100 * plain['packet_cache_share']:.1f} %)", flush=True)
    ratios = [b / a for a, b in zip(ns["with"], ns["without"])]
    middle = {side: statistics.median(all_) for side, all_ in ns.items()}
    miss_ns = (middle["without"] - (1 - NEW_NAMES) * middle["hits"]) / NEW_NAMES
    return {"ratio": round(statistics.median(ratios), 3), "ns": round(middle["with"], 1), "plain_ns": round(middle["without"], 1),
            "hit_ns": round(middle["hits"], 1), "miss_ns": round(miss_ns), **cached.in_l2(pathlib.Path(build)),
            "compared": compared, "hugepages": pages, "rounds": ratios, "parameters": parameters}
