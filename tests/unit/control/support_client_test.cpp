// Which texts are one client, and which recorders can show it.
#include "control/observe/support/support_client.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace steer;

namespace {

std::string read(std::string_view text) {
    const auto client = support::client_from(text);
    return client ? support::text_of(*client) : "refused";
}

std::string obstacle(const config::QueryRecorder& recorder, std::string_view client) {
    return support::obstacle(recorder, *support::client_from(client));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(support_client)

BOOST_AUTO_TEST_CASE(a_client_is_an_address_or_the_prefix_of_one_subscriber) {
    BOOST_TEST(read("192.0.2.7") == "192.0.2.7");
    BOOST_TEST(read("192.0.2.7/32") == "192.0.2.7");
    BOOST_TEST(read("::ffff:192.0.2.7") == "192.0.2.7");
    BOOST_TEST(read("2001:DB8::7") == "2001:db8::7");
    BOOST_TEST(read("2001:db8:1:2::7/64") == "2001:db8:1:2::/64");
    BOOST_TEST(read("2001:db8:1::/48") == "2001:db8:1::/48");
}

BOOST_AUTO_TEST_CASE(what_many_clients_share_is_no_client) {
    for (const char* const text :
         {"192.0.2.0/24", "192.0.2.6/31", "0.0.0.0/0", "2001:db8::/47", "::/0", "::/48", "::/64",
          "::/80", "::ffff:0:0/96", "::ffff:192.0.2.0/120", "kitchen", "", "192.0.2.7/33"})
        BOOST_TEST(read(text) == "refused", text);
    BOOST_TEST(read("::7") == "::7");
    const auto error = support::client_from("kitchen").error().text;
    BOOST_TEST(error.find("client is \"kitchen\": expected an address") == 0U, error);
    BOOST_TEST(error.find("'steerctl clients'") != std::string::npos, error);
}

BOOST_AUTO_TEST_CASE(a_recorder_that_masks_clients_cannot_show_one) {
    config::QueryRecorder recorder;
    for (const char* const client : {"192.0.2.7", "2001:db8::7", "2001:db8::/64"})
        BOOST_TEST(obstacle(recorder, client) == "");
    recorder.mask4 = 24;
    // Not even the first address of the network, which all of it is written as.
    for (const char* const client : {"192.0.2.7", "192.0.2.0"})
        BOOST_TEST(obstacle(recorder, client) ==
                   "keeps /24 of IPv4 addresses (mask4), so its history cannot show one client");
    BOOST_TEST(obstacle(recorder, "2001:db8::7") == "");
    recorder.mask6 = 64;
    BOOST_TEST(obstacle(recorder, "2001:db8:1:2::7") ==
               "keeps /64 of IPv6 addresses (mask6): ask for 2001:db8:1:2::/64");
    BOOST_TEST(obstacle(recorder, "2001:db8:1:2::/64") == "");
    BOOST_TEST(obstacle(recorder, "2001:db8:1::/56") == "");
    recorder.mask6 = 32;
    BOOST_TEST(obstacle(recorder, "2001:db8:1::/56") ==
               "keeps /32 of IPv6 addresses (mask6), so its history cannot show one client");
}

BOOST_AUTO_TEST_CASE(an_excepted_client_is_refused_with_the_setting) {
    config::QueryRecorder recorder;
    recorder.except_clients = {*matchers::Prefix::parse("192.0.2.0/24"),
                               *matchers::Prefix::parse("2001:db8:1::/64")};
    BOOST_TEST(obstacle(recorder, "192.0.2.7") ==
               "records no queries of this client (except_clients)");
    BOOST_TEST(obstacle(recorder, "192.0.3.7") == "");
    BOOST_TEST(obstacle(recorder, "2001:db8:1::/64") ==
               "records no queries of this client (except_clients)");
    BOOST_TEST(obstacle(recorder, "2001:db8:1::/56") == "");  // a part of it is recorded
}

BOOST_AUTO_TEST_SUITE_END()
