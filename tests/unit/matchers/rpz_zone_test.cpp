// Response policy zones, record by record.
#include "matchers/list/rpz_zone.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using namespace steer::matchers;

namespace {

using Texts = std::vector<std::string>;

std::string text_of(const RpzRecord& r) {
    constexpr const char* kTriggers[] = {"name", "below", "client", "address", "ns_name", "ns_ip"};
    constexpr const char* kActions[] = {"nxdomain", "nodata", "passthru", "drop",
                                        "tcp_only", "alias",  "below",    "data"};
    std::string out = std::to_string(r.line) + " " + kTriggers[static_cast<int>(r.trigger)];
    const bool is_prefix =
        r.trigger == RpzRecord::Trigger::client || r.trigger == RpzRecord::Trigger::address;
    out += " " + (is_prefix ? r.prefix.to_string() : r.name) + " ";
    out += kActions[static_cast<int>(r.action)];
    if (!r.target.empty()) out += " " + r.target;
    if (r.action == RpzRecord::Action::data) {
        out += " " + r.type;
        for (const ZoneWord& word : r.data)
            out += " " + word.text;
    }
    return out + " " + std::to_string(r.ttl_s);
}

void check(std::string_view zone, const Texts& records, const Texts& bad,
           std::string_view name = {}) {
    Texts found, errors;
    const BadLines lines =
        read_rpz_zone(zone, "z", name, [&](const RpzRecord& r) { found.push_back(text_of(r)); });
    for (const auto& error : lines.errors())
        errors.push_back(std::to_string(error.line) + ": " + error.text);
    BOOST_TEST(found == records, boost::test_tools::per_element());
    BOOST_TEST(errors == bad, boost::test_tools::per_element());
}

std::string prefix_of(std::string_view labels) {
    const auto prefix = parse_rpz_prefix(labels);
    return prefix ? prefix->prefix.to_string() + (prefix->is_v4 ? " v4" : " v6")
                  : prefix.error().text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rpz_zone)

BOOST_AUTO_TEST_CASE(each_action_is_read) {
    check(
        "$TTL 1H\n$ORIGIN rpz.example.\n@ IN SOA ns. a. (1 ; serial\n 2h 3 4 5)\n  NS ns.\n"
        "@ TXT about\n"
        "nx.example CNAME .\nnodata.example 60 CNAME *.\npass.example IN CNAME rpz-passthru.\n"
        "old.example CNAME old.example.\nDrop.Example 5m CNAME RPZ-DROP.\n"
        "tcp.example CNAME rpz-tcp-only.\nalias.example CNAME www.Example.net.\n"
        "*.wide.example CNAME *.garden.example.\ndata.example A 192.0.2.1\n  TXT \"a b\" c\n"
        "* CNAME .\nnx2.example.rpz.example. CNAME .\n",
        {"7 name nx.example nxdomain 3600", "8 name nodata.example nodata 60",
         "9 name pass.example passthru 3600", "10 name old.example passthru 3600",
         "11 name drop.example drop 300", "12 name tcp.example tcp_only 3600",
         "13 name alias.example alias www.example.net 3600",
         "14 below wide.example below garden.example 3600",
         "15 name data.example data a 192.0.2.1 3600", "16 name data.example data txt a b c 3600",
         "17 below  nxdomain 3600", "18 name nx2.example nxdomain 3600"},
        {});
}

BOOST_AUTO_TEST_CASE(each_trigger_is_read) {
    check(
        "@ SOA ns. a. 1 2 3 4 5\n24.0.2.0.192.rpz-ip CNAME .\n"
        "32.1.2.0.192.rpz-client-ip CNAME rpz-passthru.\n48.zz.1.db8.2001.rpz-ip CNAME *.\n"
        "ns.bad.example.rpz-nsdname CNAME .\n32.9.2.0.192.rpz-nsip CNAME .\n"
        "32.7.2.0.192.rpz-ip CNAME 32.7.2.0.192.rpz-ip.\n",
        {"2 address 192.0.2.0/24 nxdomain 3600", "3 client 192.0.2.1/32 passthru 3600",
         "4 address 2001:db8:1::/48 nodata 3600", "5 ns_name  nxdomain 3600",
         "6 ns_ip  nxdomain 3600", "7 address 192.0.2.7/32 passthru 3600"},
        {});
}

BOOST_AUTO_TEST_CASE(absolute_names_are_cut_at_the_owner_of_the_soa) {
    check(
        "rpz.example. 60 IN SOA ns. a. 1 2 3 4 5\nbad.example.rpz.example. 60 IN CNAME .\n"
        "other.example. 60 IN CNAME .\n",
        {"2 name bad.example nxdomain 60"},
        {"3: \"other.example\" is not in the zone \"rpz.example\": write it below that name, or "
         "without a last dot"});
    check("bad.example.feed. CNAME .\nalone CNAME .\n",
          {"1 name bad.example nxdomain 3600", "2 name alone nxdomain 3600"}, {}, "feed");
}

BOOST_AUTO_TEST_CASE(a_line_without_a_policy_is_a_bad_line) {
    check(
        "$ORIGIN rpz.example.\n@ SOA ns. a. 1 2 3 4 5\na CNAME x.example. y.example.\n"
        "b NS ns.\nc CNAME rpz-other.\nd CNAME walled.example\ne.rpz-foo CNAME .\n"
        "33.1.2.0.192.rpz-ip CNAME .\n24.1.2.0.192.rpz-ip CNAME .\n$INCLUDE x\nf\ng CNAME \"\n"
        "h RRSIG A 5\n",
        {},
        {"3: a CNAME with 2 names: expected one, as in 'bad.example CNAME .'",
         "4: a record of type \"NS\" at \"b.rpz.example\" is not a policy: remove it",
         "5: \"rpz-other.\" is not an action: expected rpz-passthru., rpz-drop. or rpz-tcp-only.",
         "6: the target \"walled.example.rpz.example\" is inside the zone: end the name with a "
         "dot",
         "7: \"rpz-foo\" at the end of \"e.rpz-foo\" is not a trigger",
         "8: \"33.1.2.0.192\" is not a prefix: expected its length and the address from its end, "
         "as "
         "in '24.0.2.0.192' or '32.zz.db8.2001'",
         "9: \"24.1.2.0.192\" has host bits set: write it as the prefix 192.0.2.0/24",
         "10: \"$INCLUDE\": expected a record, '$ORIGIN NAME', or '$TTL SECONDS'",
         "11: no type of a record behind \"f.rpz.example\"",
         "12: a quote that is not closed on its line: remove it or add the other"});
}

BOOST_AUTO_TEST_CASE(address_triggers_are_read_in_reverse_order) {
    BOOST_TEST(prefix_of("32.1.2.0.192") == "192.0.2.1/32 v4");
    BOOST_TEST(prefix_of("8.0.0.0.10") == "10.0.0.0/8 v4");
    BOOST_TEST(prefix_of("0.0.0.0.0") == "0.0.0.0/0 v4");
    BOOST_TEST(prefix_of("128.1.zz.db8.2001") == "2001:db8::1/128 v6");
    BOOST_TEST(prefix_of("128.57.zz.3.2.db8.2001") == "2001:db8:2:3::57/128 v6");
    BOOST_TEST(prefix_of("128.8.7.6.5.4.3.db8.2001") == "2001:db8:3:4:5:6:7:8/128 v6");
    BOOST_TEST(prefix_of("0.zz") == "::/0 v6");
    for (const char* bad :
         {"", "32", "32.1.2.0", "32.01.2.0.192", "256.1.2.0.192", "32.256.2.0.192", "129.zz",
          "64.zz.1.zz.2", "64.1.2.3", "x.1.2.0.192", "64.zz.12345"})
        BOOST_TEST(prefix_of(bad).find("is not a prefix") != std::string::npos, bad);
}

BOOST_AUTO_TEST_SUITE_END()
