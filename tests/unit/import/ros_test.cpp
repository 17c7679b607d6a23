// RouterOS's export syntax: every way in which a command may be written.
#include <boost/test/unit_test.hpp>

#include "tools/import/ros_dns.h"
#include "tools/import/ros_export.h"

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
