// Names of clients in reports, and as options.
#include "client_names.h"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include "report.h"

namespace steerctl {
namespace {

const ClientNames kNames(boost::json::parse(R"({"clients":[
    {"address":"192.0.2.7","mac":"00:1d:aa:00:00:01","name":"Laptop"},
    {"address":"2001:db8::7","mac":"00:1d:aa:00:00:01","name":"Laptop"},
    {"address":"192.0.2.8","mac":null,"name":"TV"},
    {"address":null,"mac":"00:1d:aa:00:00:02","name":"Away"},
    {"address":"192.0.2.9","mac":null,"name":null}]})"));

BOOST_AUTO_TEST_SUITE(client_names)

BOOST_AUTO_TEST_CASE(reports_show_the_name_and_the_address) {
    BOOST_TEST(kNames.shown("192.0.2.8") == "TV (192.0.2.8)");
    BOOST_TEST(kNames.shown("192.0.2.9") == "192.0.2.9");
    const auto text =
        history_text(boost::json::parse(
                         R"({"queries":[{"time_us":1,"client":"192.0.2.8","name":"a.example"}]})"),
                     kNames);
    BOOST_TEST(text.find("TV (192.0.2.8)") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(a_name_stands_for_one_client) {
    BOOST_TEST(kNames.find("TV", ClientAs::address).client == "192.0.2.8");
    BOOST_TEST(kNames.find("TV", ClientAs::device).client == "192.0.2.8");
    BOOST_TEST(kNames.find("Laptop", ClientAs::device).client == "00:1d:aa:00:00:01");
    BOOST_TEST(kNames.find("Laptop", ClientAs::address).error ==
               "'Laptop' is the name of 192.0.2.7, 2001:db8::7: write one of them");
    BOOST_TEST(kNames.find("Away", ClientAs::device).client == "00:1d:aa:00:00:02");
    BOOST_TEST(kNames.find("Away", ClientAs::address).error == "no address of 'Away' is known now");
    BOOST_TEST(
        kNames.find("kitchen", ClientAs::address).error ==
        "'kitchen' is not an address or the name of a client; 'steerctl clients' shows both");
}

BOOST_AUTO_TEST_CASE(addresses_are_left_to_the_daemon) {
    for (const char* const text : {"192.0.2.1", "2001:db8::/48", "00:1D:aa:00:00:09", "", "1.2.3"})
        BOOST_TEST(kNames.find(text, ClientAs::address).client == text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steerctl
