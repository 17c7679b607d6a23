// The reader of DHCP leases against the simulated router, under one fake clock.
#include <boost/test/unit_test.hpp>

#include "reader_world.h"
#include "routeros/dhcp_leases.h"

namespace steer::routeros::test {
namespace {

constexpr std::string_view kV4 = "/ip/dhcp-server/lease", kV6 = "/ipv6/dhcp-server/binding",
                           kNetwork = "/ip/dhcp-server/network";
using Attributes = std::vector<std::pair<std::string, std::string>>;

// The router, the reader and what it reported.
struct World : ReaderWorld, LeaseSink {
    explicit World(rossim::Options o = reader_options())
        : ReaderWorld(std::move(o)), reader(reader_access(), *this, *this) {}

    MenuReader& menus() override { return reader; }
    void rows(std::vector<DhcpLease> all) override {
        ++notified;
        last = std::move(all);
    }
    void log(Level, std::string_view sentence) override { sentences.emplace_back(sentence); }

    std::string put(std::string_view menu, const Attributes& attributes) {
        return row_id_text(sim.put_record(menu, attributes, now_us));
    }
    std::string lease(const std::string& address, const std::string& name,
                      const std::string& status = "bound") {
        return put(kV4, {{"address", address},
                         {"mac-address", "00:1D:AA:00:00:0" + address.substr(address.size() - 1)},
                         {"server", "lan"},
                         {"host-name", name},
                         {"status", status},
                         {"dynamic", "true"}});
    }

    LeaseReader reader;
    std::vector<DhcpLease> last;
    std::vector<std::string> sentences;
    int notified = 0;
};

BOOST_FIXTURE_TEST_SUITE(leases, World)

BOOST_AUTO_TEST_CASE(bound_leases_of_both_families_are_read) {
    lease("192.168.88.2", "laptop");
    lease("192.168.88.3", "printer", "waiting");
    put(kV4, {{"address", "192.168.88.4"},
              {"host-name", "tv"},
              {"status", "bound"},
              {"disabled", "true"}});
    put(kV6, {{"address", "fd00::2/128"},
              {"duid", "0x00030001001DAA000002"},
              {"server", "lan6"},
              {"comment", "Kids"},
              {"address-lists", "kids,slow"},
              {"status", "bound"}});
    put(kV6, {{"address", "fd00:1::/64"}, {"duid", "001daa000002"}, {"status", "bound"}});
    sync();
    BOOST_REQUIRE(last.size() == 2U);
    BOOST_TEST((last[0] ==
                DhcpLease{1, false, false, "192.168.88.2", "00:1d:aa:00:00:02", "laptop", "lan"}));
    BOOST_TEST((last[1] == DhcpLease{1, true, true, "fd00::2", "00:1d:aa:00:00:02", "", "lan6",
                                     "Kids", "kids,slow"}));
    BOOST_TEST(notified == 1);
    BOOST_TEST(sentences.empty());
}

// /ip/dhcp-server/network says which addresses are the hosts' own.
BOOST_AUTO_TEST_CASE(leases_outside_of_the_dhcp_networks_are_marked) {
    lease("192.168.88.2", "laptop");
    lease("203.0.113.7", "server");
    put(kV6, {{"address", "fd00::2/128"}, {"duid", "001daa000002"}, {"status", "bound"}});
    const auto outside = [&] {
        std::string out;
        for (const DhcpLease& one : last)
            out += one.is_outside ? "1" : "0";
        return out;
    };
    sync();
    BOOST_TEST(outside() == "000");  // without networks nothing is known
    const std::string network = put(kNetwork, {{"address", "192.168.88.0/24"}});
    run_for(1'000'000);
    BOOST_TEST(outside() == "010");
    const std::string more = put(kNetwork, {{"address", "203.0.113.0/29"}});
    put(kNetwork, {{"address", "not an address"}});
    run_for(1'000'000);
    BOOST_TEST(outside() == "000");
    put(kNetwork, {{".id", more}, {"address", "203.0.113.0/30"}});
    run_for(1'000'000);
    BOOST_TEST(outside() == "010");
    put(kNetwork, {{".id", network}, {".dead", "true"}});
    put(kNetwork, {{".id", more}, {".dead", "true"}});
    run_for(1'000'000);
    BOOST_TEST(outside() == "000");
}

BOOST_AUTO_TEST_CASE(changes_are_reported_together) {
    const std::string id = lease("192.168.88.2", "laptop");
    sync();
    run_for(60'000'000);
    BOOST_TEST(notified == 1);
    lease("192.168.88.3", "printer");
    put(kV4, {{".id", id}, {"host-name", "service"}});
    run_for(1'000'000);
    BOOST_TEST(notified == 2);
    BOOST_REQUIRE(last.size() == 2U);
    BOOST_TEST(last[0].host_name == "service");
    put(kV4, {{".id", id}, {"status", "waiting"}});
    run_for(1'000'000);
    BOOST_TEST(last.size() == 1U);
    put(kV4, {{".id", "*2"}, {".dead", "true"}});
    run_for(1'000'000);
    BOOST_TEST(last.empty());
    // A renewal does not change the entry.
    const int before = notified;
    lease("192.168.88.9", "");
    run_for(1'000'000);
    put(kV4, {{".id", "*3"}, {"expires-after", "10m"}});
    run_for(1'000'000);
    BOOST_TEST(notified == before + 1);
}

BOOST_AUTO_TEST_CASE(a_print_finds_changes_that_listen_missed) {
    lease("192.168.88.2", "laptop");
    sync();
    bytes_sent.clear();
    run_for(590'000'000);
    BOOST_TEST(bytes_sent.find("lease/print") == std::string::npos);
    BOOST_TEST(bytes_sent.find("/system/identity/print") != std::string::npos);  // a sign of life
    run_for(15'000'000);
    BOOST_TEST(bytes_sent.find("lease/print") != std::string::npos);
    BOOST_TEST(bytes_sent.find("lease/listen") == std::string::npos);  // goes on
    BOOST_TEST(notified == 1);
}

BOOST_AUTO_TEST_CASE(known_leases_stay_while_the_router_is_away) {
    lease("192.168.88.2", "laptop");
    sync();
    sim.reboot(20'000'000, now_us);
    run_for(10'000'000);
    BOOST_TEST(last.size() == 1U);
    BOOST_TEST(notified == 1);
    BOOST_REQUIRE(!sentences.empty());
    BOOST_TEST(
        sentences.front() ==
        "router edge1 at 192.0.2.1:8728 ended the connection (closed by the router): its last "
        "known DHCP leases stay in use; it is tried again");
    lease("192.168.88.3", "printer");
    run_for(60'000'000);
    BOOST_TEST(last.size() == 2U);
    BOOST_TEST(sentences.back() == "router edge1 at 192.0.2.1:8728 lists its DHCP leases again");
}

BOOST_AUTO_TEST_CASE(the_text_of_a_lease_is_cut) {
    put(kV4, {{"address", std::string(5'000, '1')},
              {"mac-address", std::string(5'000, '2')},
              {"server", std::string(5'000, '3')},
              {"host-name", std::string(5'000, '4')},
              {"status", "bound"}});
    sync();
    BOOST_REQUIRE(last.size() == 1U);
    const DhcpLease& lease = last.front();
    for (const std::string* const text :
         {&lease.address, &lease.mac, &lease.server, &lease.host_name})
        BOOST_TEST(text->size() == kMaxHostNameBytes);
}

BOOST_AUTO_TEST_CASE(a_session_with_a_hanging_router_is_closed_and_retried) {
    sync();
    sim.hang(now_us);
    run_for(55'000'000);
    BOOST_REQUIRE(!sentences.empty());
    BOOST_TEST(sentences.front().find(" is silent: ") != std::string::npos);
    sim.resume(now_us);
    run_for(70'000'000);
    BOOST_TEST((reader.state() == RouterState::in_sync));
}

// A print may take longer than the time after which all is printed again: that is not due before the first has ended.
BOOST_AUTO_TEST_CASE(no_timer_is_due_while_a_long_print_arrives) {
    const auto hear = [&](std::initializer_list<std::string_view> words) {
        std::string bytes;
        for (const auto word : words)
            append_word(bytes, word);
        append_end(bytes);
        reader.received(bytes, now_ms());
        reader.tick(now_ms());
    };
    reader.start(now_ms());
    reader.connected(now_ms());
    hear({"!done", ".tag=1"});
    for (const auto listen : {".tag=2", ".tag=4", ".tag=6"}) {
        hear({"!trap", listen, "=message=cannot listen"});
        hear({"!done", listen});
    }
    for (int row = 1; row <= 6; ++row) {
        const std::string id = "=.id=*" + std::to_string(row);
        now_us += 10'000'000;
        hear({"!re", ".tag=3", id, "=address=192.0.2.7"});
        BOOST_TEST((reader.state() == RouterState::reading));
        BOOST_TEST(reader.next_deadline() > now_ms());
    }
    hear({"!done", ".tag=3"});
    hear({"!done", ".tag=5"});
    hear({"!done", ".tag=7"});
    BOOST_TEST((reader.state() == RouterState::in_sync));
    BOOST_TEST(reader.next_deadline() > now_ms());
}

BOOST_AUTO_TEST_CASE(each_error_is_reported_once) {
    reachable = false;
    reader.start(now_ms());
    run_for(600'000'000);
    BOOST_TEST(sentences.size() == 1U);
    BOOST_TEST(reader.error() == "cannot be reached (connection refused)");
    reachable = true;
    run_for(61'000'000);
    BOOST_TEST((reader.state() == RouterState::in_sync));
    BOOST_TEST(reader.error().empty());
}

struct Denied : World {
    static rossim::Options denied() {
        auto o = reader_options();
        o.users = {{"api-user", "secret", {"api"}}};
        return o;
    }
    Denied() : World(denied()) {}
};
BOOST_FIXTURE_TEST_CASE(without_the_policy_read_no_leases_are_known, Denied) {
    reader.start(now_ms());
    run_for(5'000'000);
    BOOST_TEST(notified == 0);
    BOOST_REQUIRE(sentences.size() == 1U);
    BOOST_TEST(sentences.front().find("does not list its DHCP leases (not enough permissions") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(link_layer_addresses_are_read_from_duids) {
    BOOST_TEST(mac_of_duid("0x00030001001DAA0000Ff") == "00:1d:aa:00:00:ff");
    BOOST_TEST(mac_of_duid("000100012a3b4c5d001daa0000ff") == "00:1d:aa:00:00:ff");
    BOOST_TEST(mac_of_duid("1605fcb400241d1781f7") == "00:24:1d:17:81:f7");
    BOOST_TEST(mac_of_duid("0x6c3b6b7c413e") == "6c:3b:6b:7c:41:3e");
    for (const std::string_view none : {"", "0x", "0x0002000000090cc084d303000912", "6c3b6b7c413",
                                        "0xzz3b6b7c413e", "00020001000000000000000000ff"})
        BOOST_TEST(mac_of_duid(none).empty(), none);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros::test
