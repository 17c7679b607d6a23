// Tests of the device that asks: by the lease of its address, else by the frame; behind a cache, while waiting, and after a
// lease has changed.
#include <boost/test/unit_test.hpp>

#include "matchers/prefix/mac_address.h"
#include "packet/appliance.h"
#include "packet/programs.h"

namespace steer::test {
namespace {

constexpr const char* kDeviceName = "www.device.example";
constexpr std::uint64_t kFrameMac = 0x02c100000001;  // of all clients here, as behind a router
constexpr std::uint64_t kLeaseMac = 0x001daa000002;
constexpr const char *kFound = "192.0.2.97", *kOthers = "203.0.113.4";

DeviceSet set_of(std::vector<std::uint64_t> macs, std::vector<std::string> names = {},
                 std::vector<std::string> groups = {}) {
    return {std::move(macs), std::move(names), std::move(groups)};
}

LeaseDevice lease_of(const std::string& address, std::uint64_t mac, const std::string& label = {}) {
    return {*IpAddress::parse(address),
            mac,
            label,
            label.empty() ? label : label + ".lan",
            "guests",
            "kids"};
}

// Leases that can change while a snapshot is in force.
struct Leases : LiveAnswers {
    void are(std::vector<LeaseDevice> devices) {
        auto& fresh = tables.emplace_back(std::make_unique<LiveTable>());
        fresh->devices = LeaseDevices(std::move(devices));
        table = fresh.get();
    }
    std::vector<std::unique_ptr<LiveTable>> tables;
};

struct DeviceWorld {
    explicit DeviceWorld(DeviceSet set) {
        maker.snapshot().device_sets.push_back(std::move(set));
        maker.snapshot().lease_tables.push_back(leases);
    }
    std::uint32_t upstreams() {
        return maker.group({static_cast<std::uint16_t>(maker.upstream("198.51.100.53", 0))});
    }
    void end() {
        maker.add(Op::sequence_end);
        maker.add(Op::end);
        a.publish(maker.finish());
    }
    // [device] kFound ; forward
    void decide() {
        const auto test = maker.test(Op::if_device);
        maker.add(Op::black_hole, maker.black_hole(kFound), true);
        maker.land(test);
        maker.add(Op::forward, upstreams());
        end();
    }
    void let_upstream_answer() {
        for (const Seen& query : a.upstream_queries())
            a.reply(query, 300, {kOthers});
        a.turn();
    }
    std::string by_port(const std::string& client = "192.0.2.10") {
        a.ask(kDeviceName, kTypeA, 1, Client{.address = client});
        a.turn();
        let_upstream_answer();
        return a.answer().last_address();
    }
    std::string by_stream(const std::string& client = "192.0.2.10") {
        a.inject(DnsMessage::query(7, kDeviceName, kTypeA), 1, false, 0, client);
        a.turn();
        let_upstream_answer();
        const auto answers = a.injected_answers();
        BOOST_REQUIRE(answers.size() == 1 && answers[0].answer);
        return answers[0].answer->last_address();
    }

    std::shared_ptr<Leases> leases = std::make_shared<Leases>();
    Appliance a;
    SnapshotMaker maker;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(devices)

BOOST_AUTO_TEST_CASE(without_a_lease_the_source_mac_names_the_device) {
    DeviceWorld w(set_of({kFrameMac}));
    w.decide();
    BOOST_TEST(w.by_port() == kFound);
    BOOST_TEST(w.by_stream() == kOthers);
    w.leases->are({lease_of("192.0.2.11", kLeaseMac)});  // another's
    BOOST_TEST(w.by_port() == kFound);
    w.leases->are({lease_of("192.0.2.10", 0)});  // a lease without a MAC address
    BOOST_TEST(w.by_port() == kFound);
}

BOOST_AUTO_TEST_CASE(a_lease_is_preferred_to_the_source_mac) {
    DeviceWorld w(set_of({kLeaseMac}));
    w.decide();
    BOOST_TEST(w.by_port() == kOthers);
    w.leases->are({lease_of("192.0.2.10", kLeaseMac), lease_of("2001:db8::10", kLeaseMac)});
    BOOST_TEST(w.by_port() == kFound);
    BOOST_TEST(w.by_stream() == kFound);
    BOOST_TEST(w.by_port("2001:db8::10") == kFound);
    BOOST_TEST(w.by_port("192.0.2.11") == kOthers);
    DeviceWorld router(set_of({kFrameMac}));
    router.decide();
    router.leases->are({lease_of("192.0.2.10", kLeaseMac)});
    BOOST_TEST(router.by_port() == kOthers);
}

BOOST_AUTO_TEST_CASE(a_lease_that_changes_is_in_force_for_the_next_query) {
    DeviceWorld w(set_of({}, {"laptop"}));
    w.decide();
    BOOST_TEST(w.by_port() == kOthers);
    w.leases->are({lease_of("192.0.2.10", kLeaseMac, "laptop")});
    BOOST_TEST(w.by_port() == kFound);
    w.leases->are({lease_of("192.0.2.10", kLeaseMac, "tv")});
    BOOST_TEST(w.by_port() == kOthers);
    w.leases->are({});
    BOOST_TEST(w.by_port() == kOthers);
}

BOOST_AUTO_TEST_CASE(hosts_have_labels_whole_names_and_groups) {
    for (const auto& [set, holds] :
         {std::pair(set_of({}, {"laptop"}), true), std::pair(set_of({}, {"laptop.lan"}), true),
          std::pair(set_of({}, {}, {"guests"}), true), std::pair(set_of({}, {}, {"kids"}), true),
          std::pair(set_of({}, {"lap", "laptop.la"}, {"guest", "laptop"}), false),
          std::pair(set_of({kFrameMac}, {"tv"}, {"staff"}), false)}) {
        DeviceWorld w(set);
        w.decide();
        w.leases->are({lease_of("192.0.2.10", kLeaseMac, "laptop")});
        BOOST_TEST((w.by_stream() == kFound) == holds);
    }
}

BOOST_AUTO_TEST_CASE(the_first_table_with_the_address_decides) {
    DeviceWorld w(set_of({kLeaseMac}));
    const auto second = std::make_shared<Leases>();
    w.maker.snapshot().lease_tables.push_back(second);
    w.decide();
    second->are({lease_of("192.0.2.10", kLeaseMac)});
    BOOST_TEST(w.by_port() == kFound);
    w.leases->are({lease_of("192.0.2.10", kLeaseMac + 1)});
    BOOST_TEST(w.by_port() == kOthers);
}

// forward ; [device] kFound: the record keeps where the frame is from.
BOOST_AUTO_TEST_CASE(a_parked_query_keeps_its_device) {
    DeviceWorld w(set_of({kFrameMac}));
    w.maker.add(Op::forward, w.upstreams());
    const auto test = w.maker.test(Op::if_device);
    w.maker.add(Op::black_hole, w.maker.black_hole(kFound), true);
    w.maker.land(test);
    w.end();
    BOOST_TEST(w.by_port() == kFound);
    BOOST_TEST(w.by_stream() == kOthers);
}

// cache ; [device] list ; forward: a hit is claimed for who asks now.
BOOST_AUTO_TEST_CASE(a_cached_answer_is_claimed_for_the_device_that_asks) {
    DeviceWorld w(set_of({kLeaseMac}));
    w.leases->are({lease_of("192.0.2.10", kLeaseMac)});
    w.maker.add(Op::enter_cache, w.maker.cache(), true);
    const auto test = w.maker.test(Op::if_device);
    w.maker.add(Op::enter_list, w.maker.list(policy_list(3)));
    w.maker.land(test);
    w.maker.add(Op::forward, w.upstreams());
    w.end();
    BOOST_TEST(w.by_port("192.0.2.11") == kOthers);
    BOOST_TEST(w.a.events().empty());
    BOOST_TEST(w.by_port("192.0.2.10") == kOthers);
    BOOST_TEST(w.a.event().list == 3);
    BOOST_TEST(w.a.count(Stat::cache_guarded_hits) == 1U);
    w.leases->are({lease_of("192.0.2.12", kLeaseMac)});  // it has another address now
    BOOST_TEST(w.by_port("192.0.2.10") == kOthers);
    BOOST_TEST(w.a.events().empty());
    BOOST_TEST(w.a.count(Stat::cache_hits) == 2U);
}

// [device] kFound ; cache ; forward: answers of one device are not another's.
BOOST_AUTO_TEST_CASE(a_device_test_in_front_of_a_cache_runs_for_each_query) {
    DeviceWorld w(set_of({kLeaseMac}));
    const auto test = w.maker.test(Op::if_device);
    w.maker.add(Op::black_hole, w.maker.black_hole(kFound), true);
    w.maker.land(test);
    w.maker.add(Op::enter_cache, w.maker.cache(), true);
    w.maker.add(Op::forward, w.upstreams());
    w.end();
    BOOST_TEST(w.by_port() == kOthers);
    BOOST_TEST(w.by_port() == kOthers);
    w.leases->are({lease_of("192.0.2.10", kLeaseMac)});
    BOOST_TEST(w.by_port() == kFound);
    BOOST_TEST(w.by_port("192.0.2.11") == kOthers);
    BOOST_TEST(w.a.count(Stat::cache_hits) == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
