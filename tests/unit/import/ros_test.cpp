// RouterOS's export syntax: every way in which a command may be written.
#include <boost/test/unit_test.hpp>

#include "tools/import/ros_dns.h"
#include "tools/import/ros_export.h"
#include "tools/import/ros_import.h"

using namespace steer::importing;

namespace {

// "MENU VERB name=text name=text", a row each.
std::string all_statements(std::string_view text) {
    const RosExport read = read_ros_export(text);
    std::string out;
    for (const RosStatement& s : read.statements) {
        out += s.menu + " " + s.verb;
        for (const RosValue& v : s.values)
            out += " " + v.name + "=" + v.text + (v.is_expression ? "(?)" : "");
        for (const std::string& word : s.words)
            out += " <" + word + ">";
        out += "\n";
    }
    if (read.failure) out += "failed at " + std::to_string(read.failure->line) + "\n";
    return out;
}

BOOST_AUTO_TEST_CASE(a_menu_holds_for_the_lines_below_it) {
    const std::string_view row = "/ip/dns/static add name=a address=1\n";
    BOOST_TEST(all_statements("/ip dns static\nadd name=a address=1\n") == row);
    BOOST_TEST(all_statements("/ip/dns/static\nadd name=a address=1") == row);
    BOOST_TEST(all_statements("/ip dns\nstatic add name=a address=1") == row);
    BOOST_TEST(all_statements("/ip dns static add name=a address=1") == row);
    BOOST_TEST(all_statements("/ip/dns/static/add name=a address=1") == row);
    BOOST_TEST(all_statements("/ip dns\r\n static  add \t name=a address=1 \r\n") == row);
}

BOOST_AUTO_TEST_CASE(a_command_with_its_menu_leaves_the_menu_as_it_was) {
    BOOST_TEST(all_statements("/ip dns\n/ip dns static add name=a\nset servers=1.1.1.1\n") ==
               "/ip/dns/static add name=a\n/ip/dns set servers=1.1.1.1\n");
    BOOST_TEST(all_statements("/ip dns static add name=a; add name=b; /ip dns set vrf=x") ==
               "/ip/dns/static add name=a\n add name=b\n/ip/dns set vrf=x\n");
}

BOOST_AUTO_TEST_CASE(a_backslash_at_the_end_joins_lines_without_the_indentation) {
    BOOST_TEST(all_statements("/ip dns\nset servers=\\\n    1.1.1.1 \\\n    vrf=a\n") ==
               "/ip/dns set servers=1.1.1.1 vrf=a\n");
    BOOST_TEST(
        all_statements("/ip dns static\nadd name=lo\\\r\n    ng comment=\"one \\\n      two\"\n") ==
        "/ip/dns/static add name=long comment=one   two\n");
}

BOOST_AUTO_TEST_CASE(quotes_and_escapes_are_read) {
    BOOST_TEST(all_statements("/x add a=\"\\\"\\\\\\$\\?\\n\\t\\41\\_end\"") ==
               "/x add a=\"\\$?\n\tA end\n");
    BOOST_TEST(all_statements("/x add a=\"x;y # [z]\" b=\"\"") == "/x add a=x;y # [z] b=\n");
    BOOST_TEST(all_statements("/x add a=\"\\.b\"") ==
               "/x add a=\\.b\n");  // no escape of RouterOS's
    BOOST_TEST(all_statements("/x add a=\"^b\\$\" c=\"d$\"") == "/x add a=^b$ c=d$\n");
}

BOOST_AUTO_TEST_CASE(a_value_that_only_a_router_knows_is_an_expression) {
    BOOST_TEST(all_statements("/x add a=$b c=[find d=\"]\"] e=(1 + 2) f=\"$g\"") ==
               "/x add a=$b(?) c=[find d=\"]\"](?) e=(1 + 2)(?) f=$g(?)\n");
    BOOST_TEST(all_statements("/interface set [ find default-name=ether1 ] name=wan") ==
               "/interface set name=wan <[ find default-name=ether1 ]>\n");
}

BOOST_AUTO_TEST_CASE(scripts_are_skipped_with_a_note) {
    const RosExport read =
        read_ros_export(":foreach i in=[find] do={\n  /ip dns set vrf=a\n}\n/ip dns set vrf=b\n");
    BOOST_TEST(read.statements.size() == 1U);
    BOOST_TEST(read.statements.at(0).values.at(0).text == "b");
    BOOST_TEST(read.statements.at(0).line == 4);
    BOOST_TEST(read.notes.size() == 1U);
}

BOOST_AUTO_TEST_CASE(commands_of_a_block_that_always_runs_are_read) {
    const std::string_view row = "/ip/dns/static add name=a type=FWD\n";
    BOOST_TEST(all_statements("/ip dns static\n:do { add name=a type=FWD } on-error={}\n") == row);
    BOOST_TEST(
        all_statements("/ip dns static\n:do {add name=a type=FWD} on-error={ :log info \"}\" }") ==
        row);
    BOOST_TEST(
        all_statements(":do {\n  /ip dns static add name=a type=FWD\n} on-error={\n :put x\n}\n") ==
        row);
    BOOST_TEST(
        all_statements(
            "/ip dns static\n:if ([:len [find name=\"a\"]] = 0) do={ add name=a type=FWD }\n") ==
        row);
    BOOST_TEST(all_statements(":do { /ip dns static add name=a; /ip dns static add name=b }\n") ==
               "/ip/dns/static add name=a\n/ip/dns/static add name=b\n");
    BOOST_TEST(all_statements("/ip dns static\n:do { add name=a address=$x } on-error={}\n") ==
               "/ip/dns/static add name=a address=$x(?)\n");
    BOOST_TEST(all_statements("/ip dns static\n:do { :put x; add name=a type=FWD; :put \"}\" } "
                              "on-error={}\nadd name=b\n") ==
               std::string(row) + "/ip/dns/static add name=b\n");
    BOOST_TEST(all_statements("/ip dns static\n:if ($a = 1) do={ add name=a }\n") == "");
    BOOST_TEST(all_statements("/ip dns static\n:do { add name=a\n") ==
               "/ip/dns/static add name=a\nfailed at 3\n");
}

Imported imported(const std::string& text) {
    return import_routeros(text, "test");
}

bool has(const Imported& made, std::string_view text) {
    return made.yaml.find(text) != std::string::npos;
}

// Published lists have thousands of such rows.
BOOST_AUTO_TEST_CASE(a_row_that_is_forwarded_to_the_router_keeps_its_list) {
    std::string text = "/ip dns static\n";
    for (int i = 0; i < 100; ++i)
        text += ":do { add name=n" + std::to_string(i) +
                ".example type=FWD address-list=far match-subdomain=yes forward-to=localhost } "
                "on-error={}\n";
    text += "add name=x.example type=FWD address-list=far forward-to=Gone\n";
    text +=
        "add name=y.example type=FWD forward-to=Gone\nadd name=z.example type=FWD "
        "forward-to=127.0.0.1\n";
    const Imported made = imported(text);
    BOOST_TEST(has(
        made,
        "{ name: n99.example, type: FWD, match_subdomain: true, address_list: \"$list_far\" }"));
    BOOST_TEST(has(made, "{ name: x.example, type: FWD, address_list: \"$list_far\" }"));
    std::size_t notes = 0;
    for (const Note& note : made.notes)
        notes += note.text.starts_with("forward-to=") ? 1U : 0U;
    BOOST_TEST(notes == 3U);
    BOOST_TEST(has(made, "forward-to='localhost' (100 rows): it is the router itself"));
    BOOST_TEST(has(made, "forward-to='Gone' (2 rows): this forwarder is not imported"));
}

BOOST_AUTO_TEST_CASE(international_names_of_a_router_get_their_dns_form) {
    const Imported made = imported(
        "/ip dns static\nadd name=m\u00fcnchen.lan address=192.0.2.1\n"
        "add name=a.lan type=CNAME cname=\"b\\C3\\BCro.lan\"\n");
    BOOST_TEST(has(made, "{ name: xn--mnchen-3ya.lan"));
    BOOST_TEST(has(made, "xn--bro-hoa.lan"));
}

BOOST_AUTO_TEST_CASE(a_row_keeps_the_servers_that_can_be_asked) {
    const Imported made =
        imported("/ip dns static\nadd name=a.example type=FWD forward-to=192.0.2.1,localhost\n");
    BOOST_TEST(has(made, "forward_to: \"192.0.2.1\""));
    BOOST_TEST(has(made, "its forward-to '192.0.2.1,localhost' is used without localhost"));
}

BOOST_AUTO_TEST_CASE(a_row_may_be_forwarded_to_a_server_by_name) {
    const Imported made = imported(
        "/ip dns static\nadd name=a.example type=FWD forward-to=ns.corp.example\n"
        "add name=b.example type=FWD forward-to=ns.corp.example\n");
    BOOST_TEST(has(made, "{ name: b.example, type: FWD, forward_to: \"$servers_1\" }"));
    BOOST_TEST(has(made, "- { addr: ns.corp.example }"));
    BOOST_TEST(!has(made, "servers_2"));
}

BOOST_AUTO_TEST_CASE(the_timeout_of_servers_reaches_rows) {
    const Imported made = imported(
        "/ip dns set query-server-timeout=1s\n/ip dns static\n"
        "add name=a.example type=FWD forward-to=192.0.2.1\nadd name=b.example type=FWD "
        "forward-to=192.0.2.1\n"
        "add name=c.example type=FWD forward-to=192.0.2.1,192.0.2.2\n");
    BOOST_TEST(has(made, "{ name: b.example, type: FWD, forward_to: \"$servers_1\" }"));
    BOOST_TEST(has(made, "{ name: c.example, type: FWD, forward_to: \"$servers_2\" }"));
    BOOST_TEST(has(made, "- { addr: \"192.0.2.2\", timeout: 1s }"));
}

BOOST_AUTO_TEST_CASE(a_script_that_adds_rows_is_noted) {
    const Imported made = imported(
        "/ip dns set servers=192.0.2.1\n/system script add name=s source=\"/ip dns static add "
        "name=a\"\n");
    BOOST_TEST(has(made, "a script with '/ip dns static' is skipped"));
}

BOOST_AUTO_TEST_CASE(the_version_is_read_from_the_header) {
    BOOST_TEST(read_ros_export("# aug/23/2026 08:15:00 by RouterOS 6.49.10\n").version ==
               "6.49.10");
    BOOST_TEST(read_ros_export("# 2026-02-05 12:34:56 by RouterOS 7.16.1\r\n#\n").version ==
               "7.16.1");
    BOOST_TEST(read_ros_export("\xEF\xBB\xBF# 2026 by RouterOS 7.16\n").has_header);
    BOOST_TEST(!read_ros_export("# by hand\n").has_header);
}

BOOST_AUTO_TEST_CASE(an_unterminated_string_is_refused) {
    BOOST_TEST(all_statements("/x\nadd a=\"b\nadd c=d") == "failed at 2\n");
    BOOST_TEST(all_statements("/x\n\nset [find a=b\n") == "failed at 3\n");
    BOOST_TEST(all_statements(std::string_view("/x\n\0", 4)) == "failed at 2\n");
    BOOST_TEST(all_statements("") == "");
    BOOST_TEST(all_statements("/x add a=b\\") == "/x add a=b\\\n");
}

BOOST_AUTO_TEST_CASE(durations_of_routeros_are_parsed) {
    BOOST_TEST(parse_ros_time("1w2d3h4m5s").value() == 788'645'000U);
    BOOST_TEST(parse_ros_time("500ms").value() == 500U);
    BOOST_TEST(parse_ros_time("1s500ms").value() == 1500U);
    BOOST_TEST(parse_ros_time("00:10:00").value() == 600'000U);
    BOOST_TEST(parse_ros_time("1d01:00:00").value() == 90'000'000U);
    BOOST_TEST(parse_ros_time("30").value() == 30'000U);
    for (const char* const bad : {"", "soon", "1x", "s", "1d:00", "99999999999s"})
        BOOST_TEST(!parse_ros_time(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(a_later_set_replaces_an_earlier_one) {
    std::optional<Failure> failure;
    const RosDns dns =
        gather(read_ros_export("/ip dns\nset servers=1.1.1.1 vrf=a\nset \\\n    servers=2.2.2.2\n"),
               failure);
    BOOST_TEST(!failure.has_value());
    BOOST_TEST(dns.find("servers")->text == "2.2.2.2");
    BOOST_TEST(dns.find("servers")->place == "line 4");
    BOOST_TEST(dns.find("vrf")->text == "a");
    BOOST_TEST(dns.find("none") == nullptr);
}

}  // namespace
