#!/usr/bin/env python3
"""The simulator of OPNsense answers as the sources of OPNsense's API say, and refuses what they refuse."""
import base64
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from opnsim.machine import Machine  # noqa: E402

LIST, ADD, DELETE = (f"/api/firewall/alias_util/{action}/stream" for action in ("list", "add", "delete"))
EXPORT = "/api/firewall/alias/export"


class Api(unittest.TestCase):
    def setUp(self):
        self.machine = Machine()
        self.machine.add_user("key", "secret")
        self.machine.add_alias("stream")

    def ask(self, method, url, post=None, user="key:secret", machine=None, **headers):
        if user:
            headers["authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        body = b""
        if post is not None:
            body = json.dumps(post).encode()
            headers.setdefault("content-type", "application/json")
        return (machine or self.machine).answer(method, url, headers, body)

    def table(self):
        return self.machine.pf_show("stream")

    def test_unknown_paths_are_not_found_before_credentials_are_checked(self):
        for url in ("/", "/api/firewall", "/api/firewall/alias_util/ad/stream", "/api/core/alias_util/add/stream",
                    "/api/firewall/alias_util/add", "/ui/firewall/alias_util/add/stream"):
            self.assertEqual(self.ask("POST", url, {"address": "192.0.2.1"}, user=None)[0], 404, url)

    def test_wrong_credentials_are_unauthorized(self):
        for user in (None, "key", "key:wrong", "other:secret", "key:"):
            self.assertEqual(self.ask("POST", LIST, {}, user=user)[0], 401, user)
        self.assertEqual(self.ask("POST", LIST, {}, user=None, authorization="Basic !!!")[0], 401)

    def test_privileges_decide_by_the_whole_url(self):
        self.machine.add_user("tables", "secret", ["page-diagnostics-tables"])
        self.machine.add_user("aliases", "secret", ["page-firewall-aliases"])
        self.assertEqual(self.ask("POST", LIST, {}, user="tables:secret")[0], 200)
        self.assertEqual(self.ask("GET", EXPORT, user="tables:secret")[0], 403)
        self.assertEqual(self.ask("POST", LIST, {}, user="aliases:secret")[0], 403)
        self.assertEqual(self.ask("GET", EXPORT, user="aliases:secret")[0], 200)
        self.assertEqual(self.ask("GET", EXPORT + "?ids=x", user="aliases:secret")[0], 403)

    def test_an_empty_json_body_is_a_bad_request(self):
        self.assertEqual(self.ask("POST", LIST, **{"content-type": "application/json"})[0], 400)

    def test_add_and_delete_change_the_table(self):
        self.assertEqual(self.ask("POST", ADD, {"address": "203.0.113.7"}), (200, {"status": "done"}))
        self.ask("POST", ADD, {"address": "2001:db8::7"})
        self.assertEqual(self.table(), ["203.0.113.7", "2001:db8::7"])
        self.assertEqual(self.ask("POST", DELETE, {"address": "203.0.113.7"}), (200, {"status": "done"}))
        self.assertEqual(self.table(), ["2001:db8::7"])

    def test_changes_need_a_post_with_an_address(self):
        for method, post in (("GET", None), ("GET", {"address": "192.0.2.1"}), ("POST", {}), ("POST", {"ip": "192.0.2.1"})):
            for url in (ADD, DELETE):
                self.assertEqual(self.ask(method, url, post), (200, {"status": "failed"}))
        self.assertEqual(self.table(), [])

    def test_an_address_has_lower_case_digits_and_nothing_else(self):
        for address in ("2001:DB8::7", "192.0.2.1 192.0.2.2", "192.0.2.1\n", "host.example", "!192.0.2.1"):
            self.assertEqual(self.ask("POST", ADD, {"address": address}), (200, {"status": "not_an_address"}), address)

    def test_done_does_not_mean_that_pf_took_it(self):
        for address in ("1.2", "999.0.0.1", "_", "::::"):
            self.assertEqual(self.ask("POST", ADD, {"address": address}), (200, {"status": "done"}), address)
        self.machine.max_entries = 0
        self.assertEqual(self.ask("POST", ADD, {"address": "192.0.2.1"}), (200, {"status": "done"}))
        self.assertEqual(self.table(), [])
        self.assertEqual(self.ask("POST", DELETE, {"address": "192.0.2.1"}), (200, {"status": "done"}))

    def test_delete_compares_texts(self):
        self.ask("POST", ADD, {"address": "2001:db8:0::7"})
        self.ask("POST", DELETE, {"address": "2001:db8:0::7"})
        self.assertEqual(self.table(), ["2001:db8::7"])
        self.ask("POST", DELETE, {"address": "2001:db8::7"})
        self.assertEqual(self.table(), [])

    def test_an_unknown_alias_is_refused_by_add_only(self):
        add = self.ask("POST", "/api/firewall/alias_util/add/other", {"address": "192.0.2.1"})
        self.assertEqual(add, (200, {"status": "failed", "status_msg": "nonexistent alias other"}))
        self.assertEqual(self.ask("POST", "/api/firewall/alias_util/delete/other", {"address": "192.0.2.1"})[1], {"status": "done"})
        self.assertEqual(self.ask("POST", "/api/firewall/alias_util/list/other", {})[1]["rows"], [])

    def test_an_alias_of_hosts_rewrites_the_configuration(self):
        self.machine.add_alias("hosts", type="host")
        self.ask("POST", "/api/firewall/alias_util/add/hosts", {"address": "192.0.2.1"})
        self.assertEqual(self.machine.config_writes, 1)
        self.ask("POST", ADD, {"address": "192.0.2.1"})
        self.assertEqual(self.machine.config_writes, 1)

    def test_a_list_without_a_row_count_ends_after_9999_elements(self):
        self.machine.tables["stream"] = {f"198.18.{i >> 8}.{i & 255}": {} for i in range(10_001)}
        self.assertEqual(len(self.ask("GET", LIST)[1]["rows"]), 9999)
        whole = self.ask("POST", LIST, {"current": 1, "rowCount": -1})[1]
        self.assertEqual((len(whole["rows"]), whole["total"]), (10_001, 10_001))
        page = self.ask("POST", LIST, {"current": 2, "rowCount": 10_000})[1]
        self.assertEqual((len(page["rows"]), page["total"]), (1, 10_001))
        old = Machine("24.7")
        old.add_user("key", "secret")
        old.add_alias("stream")
        old.tables["stream"] = dict(self.machine.tables["stream"])
        self.assertEqual(len(self.ask("GET", LIST, machine=old)[1]["rows"]), 10_001)

    def test_the_export_has_every_alias_and_old_versions_have_no_post(self):
        alias = self.machine.aliases["stream"]
        exported = self.ask("GET", EXPORT)[1]["aliases"]["alias"][alias.uuid]
        self.assertEqual((exported["name"], exported["type"], exported["enabled"], exported["expire"]),
                         ("stream", "external", "1", ""))
        self.assertEqual(self.ask("POST", EXPORT, {"ids": "x"})[1], {"aliases": {"alias": []}})
        old = Machine("24.7")
        old.add_user("key", "secret")
        self.assertEqual(self.ask("POST", EXPORT, {}, machine=old)[0], 500)
        self.assertEqual(self.ask("GET", EXPORT, machine=old)[1]["aliases"]["alias"], [])

    def test_a_reboot_empties_external_tables_only(self):
        self.machine.add_alias("hosts", type="host")
        for name in ("stream", "hosts"):
            self.ask("POST", f"/api/firewall/alias_util/add/{name}", {"address": "192.0.2.1"})
        self.machine.reboot()
        self.assertEqual((self.table(), self.machine.pf_show("hosts")), ([], ["192.0.2.1"]))

    def test_a_read_only_user_writes_nothing(self):
        self.machine.add_user("reader", "secret", read_only=True)
        for url in (ADD, DELETE, "/api/firewall/alias_util/flush/stream"):
            self.assertEqual(self.ask("POST", url, {"address": "192.0.2.1"}, user="reader:secret")[0], 500)
        self.assertEqual(self.table(), [])

    def test_names_and_types_of_aliases_are_checked(self):
        for name in ("", "_", "__x", "1x", "a-b", "a" * 32):
            self.assertRaises(ValueError, self.machine.add_alias, name)
        self.assertRaises(ValueError, self.machine.add_alias, "x", type="hosts")
        self.assertEqual(self.ask("GET", "/api/firewall/alias/get_alias_u_u_i_d/none")[1], [])


if __name__ == "__main__":
    unittest.main()
