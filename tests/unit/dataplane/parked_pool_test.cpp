#include "dataplane/stages/parked_pool.h"

#include <boost/test/unit_test.hpp>
#include <map>

#include "packet/programs.h"
#include "support/dns_message.h"
#include "support/random.h"

namespace steer {
namespace {

using test::wire_name;

struct Pool {
    explicit Pool(unsigned records, unsigned per_client = 256)
        : pool({records, per_client, std::max(records / 4, 1U)}, 3, hasher, counts) {
        snapshot.slot = 2;
    }
    Parked* take(const std::string& client, const std::string& name, bool over_tcp = false,
                 bool has_cookie = false) {
        const auto wire = wire_name(name);
        const auto taken =
            pool.take(snapshot, {*IpAddress::parse(client), over_tcp, has_cookie}, wire);
        why = taken.why;
        if (taken.record == nullptr) return nullptr;
        taken.record->state = Parked::State::held;
        taken.record->path.client.address = *IpAddress::parse(client);
        taken.record->qname_len = static_cast<std::uint8_t>(wire.size());
        std::copy(wire.begin(), wire.end(), taken.record->qname.begin());
        return taken.record;
    }
    std::array<std::uint8_t, 16> secret{1};
    cache::KeyHasher hasher{secret};
    Shared::ParkedCounts counts;
    Snapshot snapshot;
    ParkedPool pool;
    Verdict why{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(parked_pool)

BOOST_AUTO_TEST_CASE(a_count_table_agrees_with_a_map) {
    CountTable table(64);
    std::map<std::uint64_t, std::uint32_t> model;
    test::Random random(5);
    unsigned keys = 0;
    for (int i = 0; i < 200'000; ++i) {
        // Few distinct homes, so that runs are long and wrap around.
        const std::uint64_t key =
            (random.below(40) * 7 + 120) % 137 + (std::uint64_t{random.below(3)} << 32);
        if (random.below(2) == 0 && (model[key] > 0 || keys < 64)) {
            if (model[key]++ == 0) ++keys;
            table.add(key);
        } else if (model[key] > 0) {
            if (--model[key] == 0) --keys;
            table.remove(key);
        }
        BOOST_REQUIRE_EQUAL(table.get(key), model[key]);
    }
    for (const auto& [key, n] : model)
        BOOST_CHECK_EQUAL(table.get(key), n);
}

BOOST_AUTO_TEST_CASE(records_are_taken_and_given_back) {
    Pool p(8);
    Parked* const one = p.take("192.0.2.1", "www.a.example");
    BOOST_REQUIRE(one != nullptr);
    BOOST_CHECK_EQUAL(p.counts.by_slot[2], 1U);
    const auto token = ParkedPool::token_of(*one);
    BOOST_CHECK(p.pool.find(token) == one);
    p.pool.give(one);
    BOOST_CHECK(p.pool.find(token) == nullptr);
    BOOST_CHECK_EQUAL(p.counts.by_slot[2], 0U);
    Parked* const again = p.take("192.0.2.1", "www.a.example");
    BOOST_CHECK(again == one);
    BOOST_CHECK(ParkedPool::token_of(*again) != token);  // a stale token does not match
    BOOST_CHECK(p.pool.find(token) == nullptr);
    p.pool.give(again);
}

BOOST_AUTO_TEST_CASE(tokens_of_other_workers_are_not_found) {
    Pool p(8);
    Parked* const one = p.take("192.0.2.1", "www.a.example");
    const auto token = ParkedPool::token_of(*one);
    BOOST_CHECK(p.pool.find(0) == nullptr);
    BOOST_CHECK(p.pool.find(token ^ (std::uint64_t{1} << 56)) == nullptr);
    BOOST_CHECK(p.pool.find(token + (std::uint64_t{100} << 32)) == nullptr);
    BOOST_CHECK(p.pool.find(UINT64_MAX) == nullptr);
    p.pool.give(one);
}

BOOST_AUTO_TEST_CASE(a_client_is_an_ipv4_address_or_an_ipv6_64_prefix) {
    Pool p(64, 2);
    BOOST_CHECK(p.take("192.0.2.1", "a.b1.example") != nullptr);
    BOOST_CHECK(p.take("192.0.2.1", "a.b2.example") != nullptr);
    BOOST_CHECK(p.take("192.0.2.1", "a.b3.example") == nullptr);
    BOOST_CHECK(p.why == Verdict::drop_client_quota);
    BOOST_CHECK(p.take("192.0.2.2", "a.b3.example") != nullptr);
    BOOST_CHECK(p.take("2001:db8:0:1::1", "a.b4.example") != nullptr);
    BOOST_CHECK(p.take("2001:db8:0:1::2", "a.b5.example") != nullptr);
    BOOST_CHECK(p.take("2001:db8:0:1:ffff::3", "a.b6.example") == nullptr);
    BOOST_CHECK(p.take("2001:db8:0:2::1", "a.b6.example") != nullptr);
}

// Queries with a client's address over UDP may come from others.
BOOST_AUTO_TEST_CASE(a_client_has_a_quota_over_udp_and_one_over_tcp) {
    Pool p(64, 2);
    for (const bool over_tcp : {false, true}) {
        const std::string end = over_tcp ? ".tcp.example" : ".udp.example";
        Parked* const one = p.take("192.0.2.1", "a" + end, over_tcp);
        BOOST_CHECK(one != nullptr);
        BOOST_CHECK(p.take("192.0.2.1", "b" + end, over_tcp) != nullptr);
        BOOST_CHECK(p.take("192.0.2.1", "c" + end, over_tcp) == nullptr);
        BOOST_CHECK(p.why == Verdict::drop_client_quota);
        p.pool.give(one);
        BOOST_CHECK(p.take("192.0.2.1", "c" + end, over_tcp) != nullptr);
        BOOST_CHECK(p.take("192.0.2.1", "d" + end, over_tcp) == nullptr);
    }
}

BOOST_AUTO_TEST_CASE(a_domain_gets_a_quarter_of_the_pool) {
    Pool p(16);
    for (const char* name :
         {"a.victim.example", "b.victim.example", "c.d.victim.example", "victim.example"}) {
        BOOST_CHECK(p.take("192.0.2.1", name) != nullptr);
    }
    BOOST_CHECK(p.take("192.0.2.1", "e.victim.example") == nullptr);
    BOOST_CHECK(p.why == Verdict::drop_suffix_quota);
    BOOST_CHECK(p.take("192.0.2.1", "e.other.example") != nullptr);
    BOOST_CHECK(p.take("192.0.2.1", "example") != nullptr);
    BOOST_CHECK(p.take("192.0.2.1", "") != nullptr);
}

BOOST_AUTO_TEST_CASE(a_domain_does_not_take_the_share_of_its_public_suffix) {
    Pool p(64);
    const auto fill = [&p](const std::string& domain) {
        std::vector<Parked*> taken;
        for (int i = 0; i < 64; ++i) {
            Parked* const one = p.take("192.0.2.1", "r" + std::to_string(i) + "." + domain);
            if (one != nullptr) taken.push_back(one);
        }
        return taken;
    };
    const auto give = [&p](const std::vector<Parked*>& taken) {
        for (Parked* one : taken)
            p.pool.give(one);
    };
    auto taken = fill("evil.co.uk");
    for (Parked* one : fill("evil2.co.uk"))
        taken.push_back(one);
    BOOST_CHECK(p.take("192.0.2.2", "www.bbc.co.uk") == nullptr);  // no list: "co.uk" is one domain
    give(taken);

    matchers::PublicSuffixBuilder builder;
    builder.add("co.uk", matchers::PublicSuffixBuilder::Kind::plain, false);
    builder.add("github.io", matchers::PublicSuffixBuilder::Kind::plain, true);
    Parked* const before = p.take("192.0.2.1", "r.evil.co.uk");
    matchers::PublicSuffixes::publish(builder.build());
    p.pool.give(before);  // counted for "co.uk" when it arrived
    taken = fill("evil.co.uk");
    BOOST_CHECK_EQUAL(taken.size(), 16U);
    Parked* const honest = p.take("192.0.2.2", "www.bbc.co.uk");
    BOOST_REQUIRE(honest != nullptr);
    p.pool.give(honest);
    give(taken);

    // A platform has half.
    for (int i = 0; i < 4; ++i)
        for (Parked* one : fill("evil" + std::to_string(i) + ".github.io"))
            taken.push_back(one);
    BOOST_CHECK_EQUAL(p.pool.in_use(), 32U);
    BOOST_CHECK(p.take("192.0.2.2", "honest.github.io") == nullptr);
    BOOST_CHECK(p.why == Verdict::drop_suffix_quota);
    BOOST_CHECK(p.take("192.0.2.2", "www.bbc.co.uk") != nullptr);
    matchers::PublicSuffixes::publish({});
}

BOOST_AUTO_TEST_CASE(a_part_of_a_domain_has_half_of_its_share_and_a_part_of_that_a_quarter) {
    Pool p(64);
    unsigned deep = 0, deeper = 0;
    for (int i = 0; i < 20; ++i)
        deeper += p.take("192.0.2.1", "r" + std::to_string(i) + ".b.a.victim.example") != nullptr;
    BOOST_CHECK_EQUAL(deeper, 4U);
    for (int i = 0; i < 20; ++i)
        deep += p.take("192.0.2.1", "r" + std::to_string(i) + ".a.victim.example") != nullptr;
    BOOST_CHECK_EQUAL(deeper + deep, 8U);
    BOOST_CHECK(p.take("192.0.2.1", "www.victim.example") != nullptr);
}

BOOST_AUTO_TEST_CASE(refreshes_of_a_cache_have_one_limit_on_all_workers) {
    Pool workers[]{Pool(64), Pool(64)};
    CacheInstance limited;
    limited.most_refreshes = 2;
    limited.refreshes = std::make_shared<RunningRefreshes>();
    for (Pool& p : workers)
        p.snapshot.caches = {CacheInstance{}, limited};
    const auto begin = [&](Pool& p, const std::string& name, std::uint32_t cache) {
        return p.pool.take_background(p.snapshot, wire_name(name), cache).record;
    };
    Parked* const first = begin(workers[0], "one.example", 1);
    Parked* const second = begin(workers[1], "two.example", 1);
    BOOST_REQUIRE(first != nullptr && second != nullptr);
    BOOST_CHECK(!limited.may_refresh());
    BOOST_CHECK(begin(workers[0], "three.example", 1) == nullptr);
    BOOST_CHECK(begin(workers[1], "three.example", 1) == nullptr);
    BOOST_CHECK_EQUAL(limited.refreshes->count(), 2U);
    BOOST_CHECK(begin(workers[0], "three.example", 0) != nullptr);  // of a cache without a limit
    workers[1].pool.give(second);
    BOOST_CHECK(limited.may_refresh());
    Parked* const third = begin(workers[0], "three.example", 1);
    BOOST_REQUIRE(third != nullptr);
    workers[0].pool.give(first);
    workers[0].pool.give(third);
    BOOST_CHECK_EQUAL(limited.refreshes->count(), 0U);
    // A record that a client gets next counts for no cache.
    Parked* const of_client = workers[0].take("192.0.2.1", "www.example");
    BOOST_REQUIRE(of_client != nullptr);
    workers[0].pool.give(of_client);
    BOOST_CHECK_EQUAL(limited.refreshes->count(), 0U);
}

BOOST_AUTO_TEST_CASE(a_full_pool_refuses) {
    Pool p(4);
    for (int i = 0; i < 4; ++i)
        BOOST_CHECK(p.take("192.0.2.1", "www.n" + std::to_string(i) + ".example") != nullptr);
    BOOST_CHECK(p.take("192.0.2.1", "www.other.example") == nullptr);
    BOOST_CHECK(p.why == Verdict::drop_parked_full);
    BOOST_CHECK_EQUAL(p.pool.in_use(), 4U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
