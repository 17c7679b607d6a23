#include "control/sinks/fleet/sentinel.h"

#include <boost/test/unit_test.hpp>
#include <optional>

#include "support/silent_router.h"

namespace steer::fleet {
namespace {

struct SentinelPlace {
    // The answer to one question, after these bytes of the Sentinel.
    std::string asked(std::initializer_list<std::string_view> replies) {
        std::string seen = "nothing";
        link.sent.clear();
        query.ask(100, [&seen](const Result<MasterAddress>& found, std::uint64_t) {
            seen = found ? found->host + ":" + std::to_string(found->port) : found.error().text;
        });
        query.connected(101);
        for (const std::string_view reply : replies)
            query.received(reply, 102);
        if (query.is_requesting()) query.tick(query.next_deadline());
        return seen;
    }
    test::SilentLink link;
    SentinelQuery query{link, "shared", {.username = {}, .password = "secret"}};
};

BOOST_FIXTURE_TEST_SUITE(sentinel, SentinelPlace)

BOOST_AUTO_TEST_CASE(it_says_where_the_master_is) {
    BOOST_TEST(asked({"*2\r\n$9\r\n192.0.2.1\r\n$4\r\n6379\r\n"}) == "192.0.2.1:6379");
    BOOST_TEST(link.sent ==
               "*3\r\n$8\r\nSENTINEL\r\n$23\r\nget-master-addr-by-name\r\n$6\r\nshared\r\n");
}

BOOST_AUTO_TEST_CASE(one_that_asks_for_a_login_gets_it_once) {
    BOOST_TEST(asked({"-NOAUTH Authentication required.\r\n", "+OK\r\n",
                      "*2\r\n$9\r\n192.0.2.1\r\n$4\r\n6380\r\n"}) == "192.0.2.1:6380");
    BOOST_TEST(asked({"-NOAUTH Authentication required.\r\n", "-WRONGPASS no\r\n"}) ==
               "it refused the login: WRONGPASS no");
    BOOST_TEST(asked({"-NOAUTH Authentication required.\r\n", "+OK\r\n", "-NOAUTH again\r\n"}) ==
               "it refused: NOAUTH again");
}

BOOST_AUTO_TEST_CASE(other_replies_are_no_master) {
    BOOST_TEST(asked({"*-1\r\n"}) == "it does not know a master \"shared\"");
    BOOST_TEST(asked({"*2\r\n$1\r\nx\r\n$5\r\n99999\r\n"}) ==
               "it does not know a master \"shared\"");
    BOOST_TEST(asked({"HTTP/1.1 400\r\n"}).starts_with("it does not speak Redis's protocol"));
    BOOST_TEST(asked({}) == "it does not answer");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::fleet
