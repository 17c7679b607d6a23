// The reader of address lists against the simulated router, under one fake clock.
#include <boost/test/unit_test.hpp>

#include "reader_world.h"
#include "routeros/list_reader.h"

namespace steer::routeros::test {
namespace {

using rossim::Family;

// The router, the reader and what it reported.
struct ListWorld : ReaderWorld, ListSink {
    ListWorld() : ReaderWorld(reader_options()), reader(config(), *this, *this) {}

    static ListReader::Config config(std::size_t max = 1000) {
        return {reader_access(), {{"kids", max}, {"guests", max}}, true};
    }
    MenuReader& menus() override { return reader; }
    void rows(RouterLists all) override {
        ++notified;
        last = std::move(all);
    }
    void log(Level, std::string_view sentence) override { sentences.emplace_back(sentence); }

    void add(const std::string& list, const std::string& address,
             std::optional<std::int64_t> timeout_s = {}) {
        sim.add_row(address.find(':') == address.npos ? Family::ipv4 : Family::ipv6, list, address,
                    timeout_s, "", now_us);
    }
    // "192.0.2.1 2001:db8::/32"; a timed one with "~" and its seconds from now.
    std::string of(const std::string& list) {
        std::string out;
        for (const TimedAddress& one : last.lists[list]) {
            out += (out.empty() ? "" : " ") + one.address.to_string();
            if (one.until_ms != 0)
                out += "~" + std::to_string((one.until_ms - now_ms() + 500) / 1000);
        }
        return out;
    }

    ListReader reader;
    RouterLists last;
    std::vector<std::string> sentences;
    int notified = 0;
};

std::string text_of(const std::vector<Address>& all) {
    std::string out;
    for (const Address& one : all)
        out += (out.empty() ? "" : " ") + one.to_string();
    return out;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(lists, ListWorld)

BOOST_AUTO_TEST_CASE(rows_of_both_families_are_read) {
    add("kids", "192.168.88.10");
    add("kids", "192.168.89.0/24", 3600);
    add("kids", "fd88::10");
    add("guests", "10.0.0.1-10.0.0.6");
    add("other", "10.9.9.9");
    add("kids", "192.168.88.66");
    sim.edit_row(Family::ipv4, "kids", "192.168.88.66", {.disabled = true}, now_us);
    sync();
    BOOST_TEST(of("kids") == "192.168.88.10 192.168.89.0/24~3598 fd88::10/128");
    BOOST_TEST(of("guests") == "10.0.0.1 10.0.0.2/31 10.0.0.4/31 10.0.0.6");
    BOOST_TEST(last.lists.size() == 2U);
    BOOST_TEST(last.servers.empty());
    BOOST_TEST(notified == 1);
    BOOST_TEST(sentences.empty());
}

BOOST_AUTO_TEST_CASE(changes_are_reported_once) {
    add("kids", "192.168.88.10");
    sync();
    add("other", "10.9.9.9");
    run_for(30'000'000);
    BOOST_TEST(notified == 1);
    add("kids", "192.168.88.11");
    add("kids", "192.168.88.12", 20);
    run_for(1'000'000);
    BOOST_TEST(of("kids") == "192.168.88.10 192.168.88.11 192.168.88.12~19");
    BOOST_TEST(notified == 2);
    sim.remove_row(Family::ipv4, "kids", "192.168.88.10", now_us);
    run_for(1'000'000);
    BOOST_TEST(of("kids").starts_with("192.168.88.11 192.168.88.12"));
    // The router ends a timeout itself, and a row may move to another list.
    run_for(25'000'000);
    BOOST_TEST(of("kids") == "192.168.88.11");
    sim.edit_row(Family::ipv4, "kids", "192.168.88.11", {.disabled = true}, now_us);
    run_for(1'000'000);
    BOOST_TEST(of("kids").empty());
    sim.edit_row(Family::ipv4, "kids", "192.168.88.11", {.disabled = false}, now_us);
    run_for(1'000'000);
    BOOST_TEST(of("kids") == "192.168.88.11");
    sim.edit_row(Family::ipv4, "kids", "192.168.88.11", {.list = "guests"}, now_us);
    run_for(1'000'000);
    BOOST_TEST(of("kids").empty());
    BOOST_TEST(of("guests") == "192.168.88.11");
}

BOOST_AUTO_TEST_CASE(a_name_counts_by_the_rows_that_the_router_makes_of_it) {
    add("kids", "school.example");
    sync();
    BOOST_TEST(of("kids").empty());
    sim.resolve(Family::ipv4, "school.example", {"203.0.113.7", "203.0.113.8"}, now_us);
    run_for(1'000'000);
    BOOST_TEST(of("kids") == "203.0.113.7 203.0.113.8");
}

BOOST_AUTO_TEST_CASE(servers_are_followed_within_seconds) {
    sim.put_record("/ip/dns", {{"dynamic-servers", "192.0.2.53,2001:db8::53,fe80::1%ether1,x"}},
                   now_us);
    sync();
    BOOST_TEST((last.servers == std::vector<std::string>{"192.0.2.53", "2001:db8::53"}));
    sim.put_record("/ip/dns", {{"dynamic-servers", "198.51.100.53"}}, now_us);
    run_for(11'000'000);
    BOOST_TEST((last.servers == std::vector<std::string>{"198.51.100.53"}));
    sim.put_record("/ip/dns", {{"dynamic-servers", ""}}, now_us);
    run_for(11'000'000);
    BOOST_TEST(last.servers.empty());
    BOOST_TEST(notified == 3);
}

BOOST_AUTO_TEST_CASE(the_last_rows_stay_while_the_router_is_away) {
    add("kids", "192.168.88.10");
    sync();
    reachable = false;
    sim.close(*session, now_us);
    session.reset();
    reader.closed("connection reset", now_ms());
    add("kids", "192.168.88.11");
    sim.remove_row(Family::ipv4, "kids", "192.168.88.10", now_us);
    run_for(60'000'000);
    BOOST_TEST(of("kids") == "192.168.88.10");
    BOOST_TEST(notified == 1);
    BOOST_REQUIRE(!sentences.empty());
    BOOST_TEST(sentences[0] ==
               "router edge1 at 192.0.2.1:8728 ended the connection (connection reset): its last "
               "known address lists stay in use; it is tried again");
    reachable = true;
    run_for(70'000'000);
    BOOST_TEST(of("kids") == "192.168.88.11");
    BOOST_TEST(sentences.back() == "router edge1 at 192.0.2.1:8728 lists its address lists again");
}

BOOST_AUTO_TEST_CASE(a_list_that_is_too_long_is_cut_with_a_sentence) {
    reader.configure(config(10), now_ms());
    sim.prefill(Family::ipv4, "kids", 25, now_us);
    add("guests", "10.0.0.1");
    sync();
    BOOST_TEST(last.lists["kids"].size() == 10U);
    BOOST_TEST(of("guests") == "10.0.0.1");
    BOOST_REQUIRE(sentences.size() == 1U);
    BOOST_TEST(sentences[0] ==
               "router edge1 at 192.0.2.1:8728 has more than 10 entries in list 'kids': the others "
               "are left out; raise max_entries");
    BOOST_TEST((reader.state() == RouterState::in_sync));
}

BOOST_AUTO_TEST_CASE(other_lists_after_a_reload_replace_the_old_ones) {
    add("kids", "192.168.88.10");
    add("late", "192.168.88.20");
    sync();
    auto other = config();
    other.max_entries = {{"late", 10}};
    reader.configure(other, now_ms());
    run_for(2'000'000);
    BOOST_TEST(last.lists.size() == 1U);
    BOOST_TEST(of("late") == "192.168.88.20");
}

BOOST_AUTO_TEST_CASE(ranges_become_prefixes) {
    BOOST_TEST(text_of(addresses_of(Menu::ip, "10.0.0.0-10.0.0.255")) == "10.0.0.0/24");
    BOOST_TEST(text_of(addresses_of(Menu::ip, "0.0.0.0-255.255.255.255")) == "0.0.0.0/0");
    BOOST_TEST(text_of(addresses_of(Menu::ip, "255.255.255.254-255.255.255.255")) ==
               "255.255.255.254/31");
    BOOST_TEST(text_of(addresses_of(Menu::ip, "10.0.0.7-10.0.0.7")) == "10.0.0.7");
    for (const char* const text : {"10.0.0.9-10.0.0.1", "10.0.0.1-254", "x-y", "", "-", "a.example",
                                   "10.0.0.0/24-10.0.1.0", "fd00::1"})
        BOOST_TEST(text_of(addresses_of(Menu::ip, text)).empty());
    BOOST_TEST(text_of(addresses_of(Menu::ipv6, "fd00::1-fd00::2")).empty());
    BOOST_TEST(text_of(addresses_of(Menu::ipv6, "fd00::/64")) == "fd00::/64");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::routeros::test
