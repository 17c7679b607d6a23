// Requests of OPNsense's API, and its replies: those that its controllers give, and replies that must not be believed.
#include "control/sinks/opnsense/api.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace steer::opnsense {
namespace {

BOOST_AUTO_TEST_SUITE(api)

BOOST_AUTO_TEST_CASE(requests_have_the_paths_of_the_controllers) {
    const IpAddress v6 = *IpAddress::parse("2001:DB8::1");
    BOOST_TEST(describe_aliases().path == "/api/firewall/alias/export");
    BOOST_TEST(describe_aliases().body.empty());
    BOOST_TEST(list_table("stream").path == "/api/firewall/alias_util/list/stream");
    BOOST_TEST(list_table("stream").body == R"({"current":1,"rowCount":-1})");
    // OPNsense accepts lower-case digits only.
    BOOST_TEST(add_element("stream", v6).path == "/api/firewall/alias_util/add/stream");
    BOOST_TEST(add_element("stream", v6).body == R"({"address":"2001:db8::1"})");
    BOOST_TEST(delete_element("stream", v6).path == "/api/firewall/alias_util/delete/stream");
}

BOOST_AUTO_TEST_CASE(the_facts_of_the_named_aliases_are_read) {
    const std::string reply =
        R"({"geoip":{"url":""},"aliases":{"alias":{)"
        R"("11111111-1111-1111-1111-111111111111":{"enabled":"1","name":"other","type":"host"},)"
        R"("22222222-2222-2222-2222-222222222222":{"enabled":"1","name":"stream",)"
        R"("type":"external","description":"for SteerDNS","expire":""}}}})";
    const auto facts = read_facts(reply, {"stream", "media"}).value();
    BOOST_REQUIRE(facts.size() == 1);
    const AliasFacts& stream = facts.at("stream");
    BOOST_TEST(stream.type == "external");
    BOOST_TEST(stream.description == "for SteerDNS");
    BOOST_TEST(stream.expire.empty());
    BOOST_TEST(stream.enabled);
    BOOST_TEST(read_facts(R"({"aliases":{"alias":[]}})", {"stream"}).value().empty());
    for (const char* bad : {"", "[]", "{}", R"({"aliases":[]})", R"({"aliases":{}})"})
        BOOST_TEST(read_facts(bad, {"stream"}).has_error(), bad);
    BOOST_TEST(
        read_facts(R"({"aliases":{"alias":{"x":7,"y":{"name":7}}}})", {"stream"}).value().empty());
}

BOOST_AUTO_TEST_CASE(a_table_has_hosts_and_other_elements) {
    const auto content =
        read_table(R"({"total":6,"rowCount":6,"current":1,"rows":[)"
                   R"({"ip":"203.0.113.7"},{"ip":"2001:db8::7","in_pass_p":4,"in_pass_b":9},)"
                   R"({"ip":"203.0.113.8/32"},{"ip":"10.0.0.0/8"},{"ip":"!192.0.2.1"},)"
                   R"({"ip":"2001:db8::/64"}]})")
            .value();
    BOOST_REQUIRE(content.hosts.size() == 3);
    BOOST_TEST(content.hosts[0].to_string() == "203.0.113.7");
    BOOST_TEST(content.hosts[1].to_string() == "2001:db8::7");
    BOOST_TEST(content.hosts[2].to_string() == "203.0.113.8");
    BOOST_TEST(content.others == 3);
    BOOST_TEST(
        read_table(R"({"total":0,"rowCount":0,"current":1,"rows":[]})").value().hosts.empty());
}

BOOST_AUTO_TEST_CASE(a_part_of_a_table_is_no_table) {
    BOOST_TEST(read_table(R"({"total":2,"rows":[{"ip":"203.0.113.7"}]})").has_error());
    for (const char* bad :
         {"", "[]", "{}", R"({"rows":[]})", R"({"total":1,"rows":[{"ip":7}]})",
          R"({"total":1,"rows":[7]})", R"({"total":"1","rows":[{"ip":"203.0.113.7"}]})",
          R"({"total":0,"rows":{}})", "{\"total\":0,\"rows\":[]"})
        BOOST_TEST(read_table(bad).has_error(), bad);
    BOOST_TEST(read_table(std::string(100, '[')).has_error());
}

BOOST_AUTO_TEST_CASE(only_done_is_done) {
    BOOST_TEST(read_done(R"({"status":"done"})").has_value());
    BOOST_TEST(read_done(R"({"status":"not_an_address"})").error().text ==
               "it replies \"not_an_address\"");
    BOOST_TEST(
        read_done(R"({"status":"failed","status_msg":"nonexistent alias stream"})").error().text ==
        "it replies \"nonexistent alias stream\"");
    BOOST_TEST(read_done("{\"status\":\"failed\",\"status_msg\":\"a\\u001b[31m\"}")
                   .error()
                   .text.find('\x1b') == std::string::npos);
    for (const char* bad : {"", "[]", "{}", "7", R"({"status":1})"})
        BOOST_TEST(read_done(bad).has_error(), bad);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::opnsense
