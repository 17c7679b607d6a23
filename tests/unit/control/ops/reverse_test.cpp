// The control socket's `reverse`: what is asked for, and what is not there.
#include "control/observe/lists/list_reports.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include "support/dns_message.h"

namespace steer {
namespace {

struct Asked {
    Asked() {
        add_reverse_methods(
            methods, [this]() -> const Snapshot& { return snapshot; }, clock);
    }
    std::string ask(const std::string& params) {
        return rpc.handle(R"({"jsonrpc":"2.0","id":1,"method":"reverse","params":)" + params + "}");
    }

    Snapshot snapshot;
    BootClock clock;
    ops::Methods methods;
    const ops::JsonRpc rpc{methods};
};

BOOST_AUTO_TEST_SUITE(reverse)

BOOST_AUTO_TEST_CASE(each_plugin_gives_its_own_name_of_an_address) {
    Asked a;
    const std::uint32_t now_s = a.clock.now().s();
    for (const char* tag : {"one", "two"})
        a.snapshot.reverse.push_back({tag, 100, std::make_shared<ReverseTable>(8)});
    a.snapshot.reverse[1].table->learn(*IpAddress::parse("192.0.2.1"),
                                       test::wire_name("www.example"), now_s + 100, now_s);
    BOOST_TEST(
        a.ask(R"({"address":"192.0.2.1"})")
            .find(R"({"address":"192.0.2.1","names":[{"plugin":"two","name":"www.example"}]})") !=
        std::string::npos);
    BOOST_TEST(a.ask(R"({"address":"2001:db8::1"})").find(R"("names":[])") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_invalid_address_is_refused) {
    Asked a;
    a.snapshot.reverse.push_back({"one", 100, std::make_shared<ReverseTable>(8)});
    for (const char* params : {R"({"address":"www.example"})", R"({"address":7})", "{}"})
        BOOST_TEST(a.ask(params).find("expected an IP address") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(without_a_reverse_lookup_the_method_is_refused) {
    Asked a;
    BOOST_TEST(a.ask(R"({"address":"192.0.2.1"})").find("has no reverse_lookup") !=
               std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
