#include <boost/test/unit_test.hpp>

#include "api_client.h"

namespace rossim::test {
namespace {

Options with_reader() {
    Options options;
    options.users.push_back({"reader", "r", {"read", "api"}});
    options.users.push_back({"web", "w", {"read", "write"}});
    return options;
}

BOOST_AUTO_TEST_SUITE(login)

BOOST_AUTO_TEST_CASE(a_plain_login_works) {
    Bench bench(with_reader());
    const SessionId s = bench.connect_raw();
    const auto wrong = bench.ask(s, {"/login", "=name=reader", "=password=x", ".tag=1"});
    BOOST_REQUIRE(wrong.size() == 2);
    BOOST_TEST(
        wrong[0].words == (Words{"!trap", ".tag=1", "=message=invalid user name or password (6)"}),
        boost::test_tools::per_element());
    BOOST_TEST(wrong[1].words == (Words{"!done", ".tag=1"}), boost::test_tools::per_element());
    BOOST_TEST(!bench.is_closed(s));
    BOOST_TEST(bench.ask(s, {"/login", "=name=reader", "=password=r"}).at(0).words[0] == "!done");
}

BOOST_AUTO_TEST_CASE(rights_of_a_user_are_enforced) {
    Bench bench(with_reader());
    const SessionId s = bench.connect_raw();
    const auto no_api = bench.ask(s, {"/login", "=name=web", "=password=w"});
    BOOST_TEST(no_api.at(0).words[0] == "!trap");
    bench.ask(s, {"/login", "=name=reader", "=password=r"});
    const auto refused =
        bench.ask(s, {"/ip/firewall/address-list/add", "=list=x", "=address=10.0.0.1"});
    BOOST_TEST(value_of(refused.at(0).words, "message") == "not enough permissions (9)");
    BOOST_TEST(bench.router.row_count(Family::ipv4) == 0U);
    BOOST_TEST(bench.ask(s, {"/ip/firewall/address-list/print"}).back().words[0] == "!done");
}

BOOST_AUTO_TEST_CASE(versions_before_6_43_use_a_challenge) {
    Options options;
    options.version = {6, 42};
    options.users = {{"userTest", "passTest", {"read", "api"}}};
    Bench bench(options);
    const SessionId s = bench.connect_raw();
    const auto challenge = bench.ask(s, {"/login"});
    BOOST_TEST(value_of(challenge.at(0).words, "ret").size() == 32U);
    const auto wrong =
        bench.ask(s, {"/login", "=name=userTest", "=response=0021277bff9ac7caf06aa608e46616d47f"});
    BOOST_TEST(value_of(wrong.at(0).words, "message") == "cannot log in");
}

BOOST_AUTO_TEST_CASE(versions_6_43_to_6_45_0_take_both_logins) {
    const auto first = [](Version version, const Words& words) {
        Options options;
        options.version = version;
        options.users = {{"userTest", "passTest", {"read", "api"}}};
        Bench bench(options);
        return bench.ask(bench.connect_raw(), words).at(0).words;
    };
    const Words plain{"/login", "=name=userTest", "=password=passTest"};
    for (const Version version : {Version{6, 43}, Version{6, 45}, Version{6, 45, 1}, Version{7, 1}})
        BOOST_TEST(first(version, plain) == Words{"!done"}, boost::test_tools::per_element());
    for (const Version version : {Version{6, 43}, Version{6, 44, 6}, Version{6, 45}})
        BOOST_TEST(value_of(first(version, {"/login"}), "ret").size() == 32U);
    for (const Version version : {Version{6, 45, 1}, Version{6, 49}, Version{7, 1}})
        BOOST_TEST(first(version, {"/login"})[0] == "!trap");
}

BOOST_AUTO_TEST_CASE(the_first_sentence_has_to_be_a_login) {
    Bench bench;
    const SessionId s = bench.connect_raw();
    const auto got = bench.ask(s, {"/system/resource/print"});
    BOOST_TEST(got.at(0).words == (Words{"!fatal", "not logged in"}),
               boost::test_tools::per_element());
    BOOST_TEST(bench.is_closed(s));
}

BOOST_AUTO_TEST_CASE(sentences_and_bytes_before_the_login_are_limited) {
    Bench bench;
    const SessionId s = bench.connect_raw();
    for (int i = 0; i < 4; ++i)
        bench.ask(s, {"/login", "=name=a", "=password=b"});
    BOOST_TEST(bench.ask(s, {"/login", "=name=admin", "=password="}).at(0).words[0] == "!fatal");
    const SessionId big = bench.connect_raw();
    bench.write(big, {"/login", "=name=" + std::string(5000, 'x')});
    bench.run_until(bench.now_us);
    BOOST_TEST(bench.is_closed(big) == false);  // one login in progress is answered first
    const SessionId endless = bench.connect_raw();
    bench.router.feed(endless, std::string("\xD0\0\0", 3) + std::string(5000, 'x'), bench.now_us);
    bench.run_until(bench.now_us);
    BOOST_TEST(bench.is_closed(endless));
}

BOOST_AUTO_TEST_CASE(sentences_behind_a_login_wait_for_it) {
    Options options;
    options.costs.base = 300;
    Bench bench(options);
    const SessionId s = bench.connect_raw();
    bench.write(s, {"/login", "=name=admin", "=password="});
    bench.write(s, {"/system/identity/print"});
    bench.run_until(10'000);
    const auto got = bench.take(s);
    BOOST_REQUIRE(got.size() == 3);
    BOOST_TEST(value_of(got[1].words, "name") == "MikroTik");
}

BOOST_AUTO_TEST_CASE(a_session_over_the_limit_is_closed) {
    Options options;
    options.max_sessions = 2;
    Bench bench(options);
    const SessionId a = bench.connect();
    bench.connect();
    const SessionId c = bench.connect_raw();
    BOOST_TEST(bench.is_closed(c));
    bench.router.close(a, bench.now_us);
    BOOST_TEST(!bench.is_closed(bench.connect_raw()));
}

BOOST_AUTO_TEST_CASE(quit_and_invalid_bytes_end_the_session) {
    Bench bench;
    const SessionId s = bench.connect();
    BOOST_TEST(
        bench.ask(s, {"/quit"}).at(0).words == (Words{"!fatal", "session terminated on request"}),
        boost::test_tools::per_element());
    BOOST_TEST(bench.is_closed(s));
    const SessionId t = bench.connect();
    bench.router.feed(t, "\xFF\xFF", bench.now_us);
    bench.run_until(bench.now_us);
    BOOST_TEST(bench.is_closed(t));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim::test
