"""The page of control.http in Chromium: each view, in both themes and at a phone's width, beside traffic; nothing that comes over
the network becomes HTML.

With STEER_PICTURES set to a folder, screenshots are left there.
"""

import json
import signal
import socket
import sys
import unittest

from lab.browser import NEEDED, OPTION
from lab.network import run, skip_without, until
from lab.scene import PASSWORD, USER, Scene, start_load
from page_browser import URL, PageBrowser

BUILD = sys.argv.pop(1)
TOKEN, READ_TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f", "00112233445566778899aabbccddeeff"
PHONE = 390  # px
ENTER = "\ue007"
HTML = "<img src=x onerror=document.title='broken'>"
CONFIG = """
control:
  watch: off
  history: {folder}/state/versions
  http:
    metrics: off
    folder: {folder}/state/page
    tokens:
      - {{ name: noc, role: admin, token_file: {folder}/token }}
      - {{ name: wall, role: read, token_file: {folder}/wall }}
routers:
  edge1: {{ address: 172.16.1.1:8728, username: {user}, password: {password} }}
plugins:
  - {{ tag: routed, type: domain_set, args: {{ exps: [ "domain:stream.example" ] }} }}
  - {{ tag: ads, type: adlist, args: {{ lists: [ {folder}/ads.txt ], cname: true }} }}
  - {{ tag: pool, type: cache, args: {{ size: 10000, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: log, type: query_recorder, args: {{ path: {folder}/state/queries.db }} }}
  - {{ tag: stream, type: ros_address_list, args: {{ router: edge1, address_list4: stream, address_list6: stream6, async: false, sync_timeout: 10s }} }}
  - {{ tag: main, type: sequence, args: [
      {{ exec: $log }}, {{ exec: $ads }}, {{ matches: qname $routed, exec: $stream }}, {{ exec: $pool }}, {{ exec: $up }} ] }}
"""


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(Scene("page", BUILD))
        scene.start_resolver()
        scene.start_router()
        scene.folder.chmod(0o755)
        (scene.folder / "ads.txt").write_text("ads.example\n")
        (scene.folder / "token").write_text(TOKEN + "\n")
        (scene.folder / "wall").write_text(READ_TOKEN + "\n")
        for name in ("token", "wall"):
            (scene.folder / name).chmod(0o600)
        for name in ("etc", "state"):
            (scene.folder / name).mkdir()
            (scene.folder / name).chmod(0o777)
        cls.file = scene.folder / "etc/steer.yaml"
        cls.text = CONFIG.format(folder=scene.folder, user=USER, password=PASSWORD)
        cls.file.write_text(cls.text)
        scene.start_daemon(cls.file)
        for name in ("node.stream.example", "www.other.example", "ads.example"):
            scene.kdig(name)
        cls.chromium = cls.enterClassContext(PageBrowser(scene.network, "appliance"))

    def browser(self, token=TOKEN, path="", **emulate):
        """A window as of a new user, who signs in."""
        browser = self.chromium
        browser.emulate(**emulate)
        browser.sign_in(token, path, "Ready" if token in (TOKEN, READ_TOKEN) else "token is wrong")
        browser.errors()
        return browser

    def finish(self, browser, name):
        """Nothing was broken, and nothing is wider than the window."""
        browser.keep_picture(name)
        self.assertEqual(browser.errors(), [])
        self.assertEqual(browser.barriers(), [])
        self.assertLessEqual(browser.run("return document.documentElement.scrollWidth - window.innerWidth"), 0)
        if browser.run("return window.innerWidth") < PHONE + 1:
            self.assertEqual(browser.run("return [...document.querySelectorAll('.panel')].filter((one) => one.scrollWidth > one.clientWidth)"
                                         ".map((one) => one.innerText)"), [])
        self.assertEqual(browser.run("return performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)"
                                     ".filter((origin) => origin !== location.origin)"), [])

    def test_overview(self):
        browser = self.browser()
        for text in ("Ready", "in sync", "udp://1.1.1.1", "answered", "Workers busy", "Blocked"):
            browser.wait(text)
        self.assertNotIn("Recursion", browser.text("nav"))
        self.finish(browser, "overview")

    def test_a_refused_reload_needs_attention(self):
        browser = self.browser()
        self.file.write_text(self.text.replace("exec: $up }", "exec: $nothing }"))
        try:
            self.assertNotEqual(self.scene.ask("reload").returncode, 0)
            browser.wait("the last reload was refused", "#view")
        finally:
            self.file.write_text(self.text)
            self.scene.steerctl("reload")
        until(lambda: "the last reload was refused" not in browser.text(".panel"), 20, "the problem is gone")

    def test_overview_dark_on_a_phone(self):
        browser = self.browser(dark=True, width=PHONE, height=844)
        browser.wait("in sync")
        self.assertEqual(browser.run("return getComputedStyle(document.body).backgroundColor"), "rgb(18, 23, 28)")
        for view, text in (("queries", "Newest queries"), ("history", "Most frequent names"), ("history/name/www.other.example", "one point per"),
                           ("names", "One name"), ("explain/node.stream.example/A", "Acknowledged"), ("routers", "edge1"), ("routers/edge1", "Differences"),
                           ("lists", "ads.txt"), ("configuration", "plugins:"), ("fleet", "No fleet")):
            browser.run("location.hash = arguments[0]", view)
            browser.wait(text)
            self.finish(browser, f"dark-{view.replace('/', '-')}")

    def test_wrong_token(self):
        browser = self.browser(token="nothing")
        browser.wait("this token is wrong")
        self.assertEqual(browser.run("return document.querySelector('input[name=token]').value"), "")
        self.assertNotIn("Queries/s", browser.text())

    def test_names(self):
        browser = self.browser(path="names/node.stream.example")
        browser.wait("domain:stream.example")
        browser.wait("203.0.113.31")
        self.finish(browser, "name")

    def test_names_of_the_last_hour_are_there_at_once(self):
        browser = self.browser(path="names")
        browser.wait("The last hour, as it was recorded")
        browser.wait("www.other.example")
        self.finish(browser, "names")

    def test_a_name_that_is_html_stays_text(self):
        browser = self.browser(path="names")
        browser.wait("Count queries")
        browser.click("Count queries for 10 s")
        asker = self.scene.network.start("client", "asker", "/bin/sh", "-c",
                                         f"while :; do kdig @172.16.1.2 +retry=0 +timeout=1 \"{HTML}.other.example\" A >/dev/null; sleep 0.2; done")
        browser.wait("onerror")
        asker.stop()
        self.assertEqual(browser.run("return [document.images.length, document.title]"), [0, "Names – SteerDNS"])
        self.finish(browser, "html")

    def test_routers(self):
        browser = self.browser(path="routers/edge1")
        browser.wait("None: the router has what clients were told.")
        browser.click("Pause writes")
        browser.wait("Pause writes: done")
        browser.wait("paused")
        self.assertTrue(self.scene.reported("routers")["routers"][0]["paused"])
        browser.click("Resume")
        browser.wait("Resume: done")
        self.assertFalse(self.scene.reported("routers")["routers"][0]["paused"])
        self.finish(browser, "router")

    def test_aliases_of_opnsense(self):
        browser = self.browser(path="routers")
        browser.wait("edge1")
        self.assertNotIn("OPNsense", browser.text("#view"))
        self.file.write_text(self.text.replace("routers:\n", "opnsense:\n  fw1: { address: 172.16.1.1:4443, key: key, secret: secret }\nrouters:\n", 1)
                             .replace("  - { tag: main,", "  - { tag: media, type: opnsense_alias, args: { router: fw1, alias4: steer_media } }\n  - { tag: main,")
                             .replace("{ exec: $pool }", "{ matches: qname $routed, exec: $media }, { exec: $pool }"))
        try:
            self.scene.steerctl("reload")
            for text in ("OPNsense", "fw1", "steer_media", "away", "refused"):
                browser.wait(text, "#view")
            self.finish(browser, "opnsense")
        finally:
            self.file.write_text(self.text)
            self.scene.steerctl("reload")
        until(lambda: "OPNsense" not in browser.text("#view"), 20, "the aliases are gone")

    def test_findings_of_the_doctor(self):
        """What comes from a router stays text; a command is one."""
        browser = self.browser(path="routers/edge1")
        browser.wait("systemctl enable --now steerdns-doctor")
        mends = ["/ip/firewall/nat/add chain=dstnat protocol=udp dst-port=53 action=redirect", "/ip/firewall/nat/print"]
        self.report(["note other " + HTML, "problem redirect the redirect is missing: `/ip/firewall/nat/print`"],
                    ["1 why clients can ask another server", *(f"1 do {command}" for command in mends), "1 undo /ip/firewall/nat/remove [find dst-port=53]",
                     f"0 advice {HTML}"])
        browser.wait("reported")
        browser.wait("the redirect is missing")
        self.assertEqual(browser.run("return [...document.querySelectorAll('.finding')].map((one) => one.querySelector('b').innerText)"), ["redirect", "other"])
        self.assertEqual(browser.run("return [...document.querySelectorAll('.finding p code')].map((one) => one.innerText)"), ["/ip/firewall/nat/print"])
        self.assertEqual(browser.text(".finding pre"), "\n".join(mends))
        self.assertEqual(browser.run("return document.images.length"), 0)
        # The commands, and no others, are in the clipboard: they are pasted into a field.
        browser.click("Copy all")
        browser.wait("Copied")
        self.assertEqual(browser.pasted(), "\n".join(mends))
        # What is open stays open while reports come.
        browser.run("document.querySelector('.finding summary').click()")
        self.report(["problem redirect another sentence"], ["0 do /system/identity/print"])
        browser.wait("another sentence")
        browser.run("document.querySelector('.finding')?.setAttribute('title', 'drawn once')")
        self.report(["problem redirect another sentence"], ["0 do /system/identity/print"])
        age = browser.text(".quiet:last-child")
        until(lambda: browser.text(".quiet:last-child") != age, 20, "the page has asked again")
        self.assertEqual(browser.run("return document.querySelector('.finding').title"), "drawn once")
        self.report([f"note other {HTML}", "problem redirect the redirect is missing"], ["1 why clients can ask another server", *(f"1 do {command}" for command in mends)])
        browser.wait("the redirect is missing")
        self.finish(browser, "doctor")
        browser.run("location.hash = 'routers'")
        browser.wait("onerror")
        self.finish(browser, "doctor-all")
        browser = self.browser(path="routers/edge1", dark=True, width=PHONE, height=844)
        browser.wait("the redirect is missing")
        self.finish(browser, "dark-doctor")

    def test_the_doctors_own_report_has_its_commands(self):
        """What `--watch` reports is what the doctor prints in a terminal."""
        doctor = [str(self.scene.build / "tools/steerctl/steerctl"), "--socket", str(self.scene.socket), "doctor", "--config", str(self.file)]
        found = json.loads(self.scene.network.run("appliance", doctor[0], *doctor[1:3], "--json", *doctor[3:], check=False).stdout)["routers"][0]["findings"]
        self.assertTrue(any(one["fix"] and one["undo"] for one in found), found)
        watch = self.scene.network.start("appliance", "watch", *doctor, "--watch", "1")
        try:
            browser = self.browser(path="routers/edge1")
            first = next(one for one in found if one["fix"])
            browser.wait(first["fix"][0])
            reported = self.rpc("doctor.report", {})["routers"][0]["findings"]
            kept = ("check", "level", "what", "why", "advice", "fix", "undo")
            self.assertEqual([{name: one[name] for name in kept} for one in reported], [{name: one[name] for name in kept} for one in found])
            self.assertEqual(len(browser.run("return [...document.querySelectorAll('.finding')]")), len(found))
            self.finish(browser, "doctor-real")
            browser.emulate(width=PHONE, height=844)
            self.finish(browser, "doctor-real-phone")
        finally:
            watch.stop()

    def rpc(self, method, params):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(20)
            control.connect(str(self.scene.socket))
            control.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
            return json.loads(control.makefile().readline())["result"]

    def report(self, findings, remedies):
        """As `steerctl doctor --watch` does."""
        self.rpc("doctor.report", {"router": "edge1", "interval_s": 60, "findings": findings, "remedies": remedies})

    def test_lists(self):
        browser = self.browser(path="lists")
        browser.wait("blocks")
        browser.click("Pause 5 min")
        browser.wait("paused for")
        self.assertGreater(self.scene.reported("adlist")["adlists"][0]["paused_s"], 0)
        browser.click("Resume")
        browser.wait("blocks")
        self.finish(browser, "lists")

    def test_a_token_that_may_only_read_changes_nothing(self):
        browser = self.browser(token=READ_TOKEN)
        # All other buttons are disabled.
        enabled = "return [...document.querySelectorAll('#view button:enabled')].map((one) => one.innerText)"
        for view, text, allowed in (("overview", "Problems", []), ("queries", "Newest queries", ["Filter", "Pause"]), ("history", "Most active clients", ["Find"]),
                                    ("names", "One name", ["Look up", "Count queries for 10 s"]), ("explain", "A query", ["Explain", "Trace the next one"]),
                                    ("routers", "edge1", []), ("routers/edge1", "Differences", []), ("lists", "blocks", []), ("configuration", "Check", []), ("fleet", "No fleet", [])):
            browser.run("location.hash = arguments[0]", view)
            browser.wait(text)
            until(lambda: browser.run(enabled) == allowed, 20, f"only {allowed} of {view} are enabled, and not {browser.run(enabled)}")
        label = "return [...document.querySelectorAll('button')].find((one) => one.innerText === arguments[0])"
        for view, button, role in (("routers/edge1", "Pause writes", "operate"), ("routers", "Stop all writes", "admin"), ("lists", "Pause 5 min", "operate"),
                                   ("configuration", "Apply", "admin")):
            browser.run("location.hash = arguments[0]", view)
            until(lambda: browser.run(f"{label}?.title", button) == f'This needs the role "{role}", and you have "read".', 20, f"{button} is disabled")
            self.assertTrue(browser.run(f"{label}.disabled", button))
        browser.wait('configuration.show needs the role "admin"')

    # ---- queries

    def ask(self, name, kind="A", times=1):
        self.scene.kdig(*[name, kind] * times)

    def test_live_queries(self):
        browser = self.browser(path="queries")
        browser.wait("No query")
        until(lambda: self.ask("live.other.example") is None and "live.other.example" in browser.text("table"), 20, "the query is shown")
        # Names, clients and ends are filters.
        browser.type("input[name=name]", "stream.example")
        browser.click("Filter")
        until(lambda: self.ask("live.other.example") is None and self.ask("short.stream.example") is None and "short.stream.example" in browser.text("table"),
              20, "the query below the name is shown")
        self.assertNotIn("live.other.example", browser.text("table"))
        browser.click("Pause")
        browser.wait("Paused")
        before = browser.text("table")
        self.ask("long.stream.example")
        until(lambda: self.scene.reported("history", "--name", "long.stream.example")["queries"], 20, "the query is recorded")
        self.assertEqual(browser.text("table"), before)
        browser.click("Go on")
        browser.wait("long.stream.example", "table")
        self.finish(browser, "queries")
        browser.click("long.stream.example")
        browser.wait("domain:stream.example")
        self.assertIn("#explain/long.stream.example/A/192.168.88.10/172.16.1.2", browser.run("return location.hash"))
        browser.wait("192.168.88.10 asked 172.16.1.2 over udp")

    def test_a_filter_that_is_wrong_is_named(self):
        browser = self.browser(path="queries")
        browser.type("input[name=client]", "nobody")
        browser.click("Filter")
        browser.wait('"nobody" is not an address, a prefix, a MAC address or the name of a client')

    def test_lost_queries_are_counted(self):
        browser = self.browser(path="queries")
        browser.wait("No query")
        queries = self.scene.folder / "many"
        queries.write_text("".join(f"l{i}.other.example A\n" for i in range(500)))
        self.scene.network.run("client", "dnsperf", "-s", "172.16.1.2", "-d", str(queries), "-n", "4", "-c", "1")
        until(lambda: self.ask("last.other.example") is None and "were not sent to this page" in browser.text(), 20, "the losses are shown")
        self.assertLessEqual(browser.run("return document.querySelectorAll('tbody tr').length"), 100)

    def test_live_names_that_are_html_stay_text(self):
        browser = self.browser(path="queries")
        until(lambda: self.ask(f"{HTML}.other.example") is None and "onerror" in browser.text("table"), 20, "the name is shown")
        browser.click(browser.run("return [...document.querySelectorAll('td a')].find((one) => one.innerText.includes('onerror')).innerText"))
        browser.wait("onerror", "dl")
        self.assertEqual(browser.run("return [document.images.length, document.title]"), [0, "Explain – SteerDNS"])
        self.finish(browser, "live-html")

    def test_stored_names_that_are_html_or_terminal_escapes_stay_text(self):
        for name in (f"{HTML}.stored.other.example", "\\027[2J\\007.stored.other.example"):
            self.ask(name, times=3)
        until(lambda: len(self.scene.reported("history", "--suffix", "stored.other.example")["queries"]) >= 6, 20, "the queries are stored")
        for words in (("history", "--suffix", "stored.other.example"), ("history", "top"), ("history", "--json")):
            text = self.scene.steerctl(*words)
            self.assertIn("other.example", text)
            self.assertEqual([c for c in text if ord(c) < 32 and c != "\n"], [], words)
        browser = self.browser(path="history")
        browser.wait("onerror")
        browser.click(browser.run("return [...document.querySelectorAll('td a')].find((one) => one.innerText.includes('onerror')).innerText"))
        browser.wait("one point per")
        browser.wait("onerror", "table")
        self.assertEqual(browser.run("return [document.images.length, document.title]"), [0, "History – SteerDNS"])
        self.finish(browser, "stored-html")

    def test_explain(self):
        browser = self.browser(path="explain")
        browser.wait("Trace the next one")
        browser.type("input[name=name]", "node.stream.example")
        browser.type("input[name=client]", f"192.168.88.77{ENTER}")
        text = browser.wait("Acknowledged")
        for part in ("192.168.88.77 asked 127.0.0.1 over udp", "NOERROR", "node.stream.example.", "domain:stream.example", "steer.yaml:", "cache 'pool'",
                     "/ip/firewall/address-list/add =list=stream =address=203.0.113.31", "done ret="):
            self.assertIn(part, text)
        self.finish(browser, "explain")
        browser.open(f"{URL}#explain/ads.example")
        text = browser.wait("full:ads.example")
        self.assertIn("ads.txt:1", text)
        self.assertIn("block by ad list 'ads'", text)

    def test_explain_without_the_role_asks_for_itself(self):
        browser = self.browser(token=READ_TOKEN, path="explain/www.other.example/A/192.168.88.77")
        browser.wait("asked as 127.0.0.1, and not as 192.168.88.77: asking for another client needs the role operate")
        browser.wait("127.0.0.1 asked 127.0.0.1 over udp")

    def test_trace_of_the_next_query(self):
        browser = self.browser(path="explain/www.other.example")
        browser.wait("asked 127.0.0.1")
        browser.click("Trace the next one")
        until(lambda: self.ask("www.other.example") is None and "192.168.88.10 asked 172.16.1.2" in browser.text(), 20, "a client's query is shown")

    def test_history(self):
        self.ask("www.other.example", times=5)
        browser = self.browser(path="history")
        browser.wait("www.other.example")
        for part in ("192.168.88.10", "answered", "udp://1.1.1.1"):
            browser.wait(part)
        self.finish(browser, "history")
        browser.click("www.other.example")
        browser.wait("one point per")
        browser.wait("www.other.example", "table")
        browser.click("All queries")
        browser.wait("Most active clients")
        browser.click("192.168.88.10")
        browser.wait("client: 192.168.88.10")
        self.finish(browser, "history-client")

    def test_the_course_of_a_frequent_name_has_all_its_queries(self):
        queries = self.scene.folder / "busy"
        queries.write_text("busy.other.example A\n")
        self.scene.network.run("client", "dnsperf", "-s", "172.16.1.2", "-d", str(queries), "-n", "2500", "-c", "1")
        browser = self.browser(path="history/name/busy.other.example")
        browser.wait("50 queries, the newest first")
        reported = self.rpc("recorder.series", {"kind": "name", "key": "BUSY.other.example", "seconds": 3600})
        self.assertEqual(sum(one["queries"] for one in reported["buckets"]), 2500)
        browser.wait("2,500 queries; one point per 1 min.")
        self.finish(browser, "history-busy")
        # Pages go on to older queries and back.
        times = "return [...document.querySelectorAll('.two-lines tbody tr')].map((one) => one.cells[0].innerText)"
        state = "return [...document.querySelectorAll('.buttons button')].slice(0, 2).map((one) => one.disabled)"
        until(lambda: browser.run(state) == [True, False], 20, "the newest are shown")
        self.assertEqual(len(browser.run(times)), 50)
        browser.click("Next 50")
        until(lambda: browser.run(state) == [False, False], 20, "older ones are shown")
        self.assertEqual(len(browser.run(times)), 50)
        browser.click("Back")
        until(lambda: browser.run(state) == [True, False], 20, "the newest are shown again")

    def saved(self, browser, button):
        """What the browser would save."""
        browser.run("window.saved = []; URL.createObjectURL = (blob) => { window.blob = blob; return '#'; };"
                    "HTMLAnchorElement.prototype.click = function () { blob.text().then((text) => saved.push(this.download, text)); }")
        browser.click(button)
        until(lambda: browser.run("return saved.length") == 2, 20, "a file is saved")
        return browser.run("return saved")

    def test_queries_are_found_by_each_filter_and_exported(self):
        for name in ("find-me.other.example", "-formula.other.example", f"{HTML}.found.other.example"):
            self.scene.kdig("+noidn", "-q", name, "-t", "A")
        until(lambda: len(self.scene.reported("history", "--suffix", "other.example", "--contains", "f")["queries"]) >= 3, 20, "the queries are recorded")
        names = "return [...document.querySelectorAll('.two-lines tbody tr')].map((one) => one.cells[1].innerText)"
        browser = self.browser(path="history")
        browser.wait("Find queries")
        self.assertIn("Times are in ", browser.run("return document.querySelector('details').textContent"))
        browser.type("input[name=text]", f"ind-M{ENTER}")
        browser.wait("the newest first")
        self.assertEqual(browser.run(names), ["find-me.other.example"])
        self.finish(browser, "history-found")
        # A filter is in the address: it can be kept as a bookmark.
        self.assertIn("contains%3Dind-M", browser.run("return location.hash"))
        browser.open(f"{URL}#history/find/name%3Dfind-me.other.example%26client%3D192.168.88.0%2F24%26type%3DA%26rcode%3DNOERROR%26daily%3D00:00-00:00")
        browser.wait("the newest first")
        self.assertEqual(browser.run(names), ["find-me.other.example"])
        for wrong, sentence in (("client=nobody", "is not an address, a prefix, a MAC address or the name of a client"), ("decision=block", "expected one of forwarded"), ("contains=nothing-like-it", "No query matches. Choose a longer time"),
                            ("from=2001-01-01T00:00&to=2001-01-02T00:00", "No query matches")):
            browser.run("location.hash = '#history/find/' + encodeURIComponent(arguments[0])", wrong)
            browser.wait(sentence)
        browser.run("location.hash = '#history/find/' + encodeURIComponent('suffix=other.example&contains=f')")
        browser.wait("onerror", ".two-lines")
        self.assertEqual(browser.run("return [document.images.length, document.title]"), [0, "History – SteerDNS"])
        name, text = self.saved(browser, "Export CSV")
        self.assertRegex(name, r"^queries-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.csv$")
        lines = text.split("\r\n")
        self.assertTrue(lines[0].startswith("time,client,client_port,server,transport,name,type,"))
        self.assertEqual(sum('"\'-formula.other.example"' in line for line in lines), 1)
        self.assertEqual(text, self.scene.steerctl("history", "--suffix", "other.example", "--contains", "f", "--export", "csv").replace("\r", "").replace("\n", "\r\n"))
        browser.wait("exported")
        name, text = self.saved(browser, "Export JSON")
        self.assertIn("find-me.other.example", [one["name"] for one in json.loads(text)])
        lines = self.scene.steerctl("history", "--suffix", "other.example", "--contains", "f", "--export", "json").splitlines()
        self.assertEqual([json.loads(line) for line in lines], json.loads(text))
        browser.emulate(width=PHONE, height=844, dark=True)
        browser.open(f"{URL}#history/find/{'suffix%3Dother.example'}")
        browser.wait("the newest first")
        # A row is two lines.
        heights = browser.run("return [...document.querySelectorAll('.two-lines tbody tr')].map((one) => one.offsetHeight / parseFloat(getComputedStyle(one).lineHeight))")
        self.assertLess(max(heights), 3)
        self.finish(browser, "dark-history-found")

    def test_history_without_a_recorder_says_what_to_configure(self):
        recorder = next(line for line in self.text.splitlines(keepends=True) if "query_recorder" in line)
        self.file.write_text(self.text.replace(recorder, "").replace("{ exec: $log }, ", ""))
        self.scene.steerctl("reload")
        try:
            for path in ("history", "history/name/www.other.example"):
                browser = self.browser(path=path)
                browser.wait("Record queries")
                browser.wait("no query_recorder has a database: write its 'path' in the configuration")
                self.finish(browser, "history-without-a-recorder")
            # What it shows to be written is a configuration.
            shown = self.scene.folder / "shown.yaml"
            shown.write_text(browser.text(".panel pre") + "\n")
            run(str(self.scene.build / "steerdnsd"), "--config", str(shown), "--check")
        finally:
            self.file.write_text(self.text)
            self.scene.steerctl("reload")

    def test_history_that_cannot_be_read_is_no_missing_recorder(self):
        browser = self.browser(path="history/client/nobody")
        browser.wait("is not an address, a prefix, a MAC address or the name of a client")
        self.assertNotIn("Record queries", browser.text())

    def test_without_a_fleet_the_page_says_what_to_write(self):
        browser = self.browser(path="fleet")
        browser.wait("No fleet")
        shown = self.scene.folder / "fleet.yaml"
        shown.write_text(self.text + browser.text(".panel pre") + "\n")
        run(str(self.scene.build / "steerdnsd"), "--config", str(shown), "--check")
        self.finish(browser, "no-fleet")

    # ---- the configuration

    def test_configuration(self):
        browser = self.browser(path="configuration")
        browser.wait("plugins:")

        def edit(before, after):
            browser.run("const editor = document.querySelector('.CodeMirror').CodeMirror;"
                        "editor.setValue(editor.getValue().replace(arguments[0], arguments[1]))", before, after)

        edit("exec: $up }", "exec: $nothing }")
        browser.click("Check")
        browser.wait("This text has errors.")
        browser.wait("nothing", "#view table")
        browser.click("Apply")
        browser.wait("Not applied")
        self.assertEqual(self.file.read_text(), self.text)
        edit("exec: $nothing }", "exec: $up }")
        # What it would have done with the queries of the last hour.
        self.ask("blocked.other.example", times=3)
        edit("type: domain_set, args: {", "type: domain_set, args: { # a comment\n     ")
        edit("{ exec: $pool }", "{ matches: qname blocked.other.example, exec: reject 3 }, { exec: $pool }")
        browser.click("What would change?")
        browser.wait("get another decision")
        browser.wait("blocked.other.example", "#view")
        browser.wait("rejected")
        self.finish(browser, "replay")
        edit("{ matches: qname blocked.other.example, exec: reject 3 }, ", "")
        edit(" # a comment\n     ", "")
        edit("size: 10000", "size: 20000")
        browser.click("Apply")
        browser.wait("In force, as generation")
        self.assertIn("size: 20000", self.file.read_text())
        browser.click("Open")
        browser.wait("The text of version 1 is in the editor.")
        browser.click("Apply")
        browser.wait("The text before it is version 2.")
        # Neither the log nor the events, which a reader may see, have the passwords of the text.
        for shown in (json.dumps(self.scene.reported("events")), self.scene.daemon.text()):
            self.assertIn("control request configuration.apply", shown)
            self.assertNotIn(f"password: {PASSWORD}", shown)
        self.assertEqual(self.file.read_text(), self.text)
        self.finish(browser, "configuration")

    def test_keyboard(self):
        browser = self.browser()
        for key, view in (("7", "#routers"), ("8", "#lists"), ("9", "#settings"), ("1", "#overview")):
            browser.keys(key)
            until(lambda: browser.run("return location.hash") == view, 10, f"key {key} opens {view}")

    def test_traffic_beside_it(self):
        """As many queries as the load generator sends, at most 50,000 a second: the page shows them."""
        browser = self.browser()
        load = start_load(self.scene.network, (f"n{i}.other.example A" for i in range(1000)), 50_000, "-c", "4")
        rate = ("const tile = [...document.querySelectorAll('.tile')].find((one) => one.innerText.startsWith('Queries/s'));"
                "return Number(tile.querySelector('b').innerText.replaceAll(',', '')) || 0")
        until(lambda: browser.run(rate) > 1000, 15, "the page shows the load")
        print(f"  the page shows {browser.run(rate):.0f} queries/s")
        self.finish(browser, "load")
        load.stop(number=signal.SIGINT)
        lost = next(line for line in load.text().splitlines() if "Queries lost" in line)
        print(f"  dnsperf: {lost.strip()}")


if __name__ == "__main__":
    skip_without((*NEEDED, "dnsperf"), OPTION)
    unittest.main(verbosity=2)
