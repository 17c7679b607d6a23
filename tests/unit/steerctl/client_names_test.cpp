// Names of clients in reports.
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steerctl
