// Which sources count together, by prefix, name, response code, transport and cookie.
#include "dataplane/limits/limiter.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "dataplane/dns/wire.h"

namespace steer::test {
namespace {

std::vector<std::uint8_t> wire_of(const std::string& name) {
    std::vector<std::uint8_t> out;
    std::size_t from = 0;
    while (from < name.size()) {
        const std::size_t dot = std::min(name.find('.', from), name.size());
        out.push_back(static_cast<std::uint8_t>(dot - from));
        out.insert(out.end(), name.begin() + static_cast<std::ptrdiff_t>(from),
                   name.begin() + static_cast<std::ptrdiff_t>(dot));
        from = dot + 1;
    }
    out.push_back(0);
    return out;
}

struct LimiterWorld {
    // Each row lets one thing pass.
    explicit LimiterWorld(LimitWhat what, unsigned prefix4 = 24, unsigned prefix6 = 56) {
        policy.tables = std::make_shared<LimitTables>();
        policy.tables->workers.push_back(std::make_unique<LimitThread>(std::size_t{1} << 16, 1));
        LimitRow row;
        row.name = fact_of(what).name;
        row.what = what;
        row.rate = LimitRate::of(0.01, 1);
        row.prefix4 = static_cast<std::uint8_t>(prefix4);
        row.prefix6 = static_cast<std::uint8_t>(prefix6);
        policy.add(std::move(row));
    }
    bool query(const std::string& client, bool is_udp = true,
               dns::CookieState cookie = dns::CookieState::none) {
        const IpAddress address = *IpAddress::parse(client);
        return limiter.on_query(policy, {address, local, 53, is_udp, cookie}, 40, now) ==
               Limited::no;
    }
    bool reply(const std::string& client, const std::string& name, unsigned rcode = 0,
               bool has_answers = true, bool is_udp = true,
               dns::CookieState cookie = dns::CookieState::none) {
        const IpAddress address = *IpAddress::parse(client);
        const auto wire = wire_of(name);
        return limiter.on_reply(policy, {address, local, 53, is_udp, cookie},
                                {wire, static_cast<std::uint8_t>(rcode), has_answers},
                                now) == Limited::no;
    }

    LimitPolicy policy;
    Limiter limiter{0, false, 0x1234567};
    IpAddress local = *IpAddress::parse("192.0.2.53");
    Now now{1'000'000};
};

// Answers with records of 192.0.2.0/24 and others, under one row of `responses`.
struct AnswerWorld {
    static constexpr double kPerS = 100;

    explicit AnswerWorld(bool has_batches, unsigned workers = 1, double per_s = kPerS,
                         double burst = kPerS) {
        LimitRow row;
        row.name = "responses";
        row.what = LimitWhat::responses;
        row.per_s = per_s;
        row.burst = burst;
        row.rate = LimitRate::of(per_s, burst);
        row.salt = 0x7654321;
        policy.add(std::move(row));
        auto tables = std::make_shared<LimitTables>();
        for (unsigned i = 0; i < workers; ++i)
            tables->workers.push_back(std::make_unique<LimitThread>(std::size_t{1} << 20, workers));
        policy.set_tables(std::move(tables));
        if (!has_batches) policy.batched = {};
    }
    // As for a cached answer.
    bool passes(const IpAddress& client, std::span<const std::uint8_t> name, Now now,
                dns::CookieState cookie = dns::CookieState::none) {
        const Limiter::Client from{client, local, 53, true, cookie};
        const Limiter::Batching batching(limiter, policy, now.s());
        const std::uint32_t key = limiter.name_key(name);
        return batching.add(batching.find(from, key)) ||
               limiter.on_answer(batching, from, name, key, now) == Limited::no;
    }

    AnswerBatches::Batch batch_of(const Limiter::Client& client, std::span<const std::uint8_t> name,
                                  Now now) {
        return Limiter::Batching(limiter, policy, now.s()).find(client, limiter.name_key(name));
    }

    LimitPolicy policy;
    Limiter limiter{0, false, 0x1234567};
    IpAddress local = *IpAddress::parse("192.0.2.53");
};

IpAddress v4(std::uint32_t number) {
    const std::array<std::uint8_t, 4> bytes{
        static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
        static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
    return IpAddress::from_v4(bytes.data());
}

// Passed answers of a source with `per_s` in 8 s; each second brings `others` of other sources.
unsigned passed_in(AnswerWorld& world, double per_s, unsigned others, std::uint64_t first_ms) {
    const auto name = wire_of("www.example");
    const IpAddress client = v4(0xc0000201);
    std::mt19937 random(7);
    unsigned passed = 0;
    double asked = 0, others_asked = 0;
    for (std::uint64_t ms = 0; ms < 8'000; ++ms) {
        const Now now{first_ms + ms};
        for (others_asked += others / 1000.0; others_asked >= 1; others_asked -= 1)
            (void)world.passes(v4(static_cast<std::uint32_t>(random())), name, now);
        for (asked += per_s / 1000; asked >= 1; asked -= 1)
            passed += world.passes(client, name, now) ? 1U : 0U;
    }
    return passed;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(limiter)

BOOST_AUTO_TEST_CASE(batches_pass_as_many_answers_as_single_tokens) {
    for (const unsigned others : {0U, 50'000U}) {
        for (const double share : {0.05, 0.3, 0.9, 1.0, 1.1, 1.5, 4.0, 50.0}) {
            AnswerWorld batched(true), single(false);
            BOOST_REQUIRE(batched.policy.batched.most == 5U);
            const double per_s = share * AnswerWorld::kPerS;
            const double exact = passed_in(single, per_s, others, 1'000'000);
            const double got = passed_in(batched, per_s, others, 1'000'000);
            BOOST_TEST_CONTEXT("share " << share << ", others " << others) {
                BOOST_TEST(got >= exact * 0.98);
                BOOST_TEST(got <= exact * 1.05);
            }
        }
    }
}

// A second of few answers, then one of many: the few are charged, too.
BOOST_AUTO_TEST_CASE(answers_of_a_quiet_second_are_charged_in_the_next_one) {
    AnswerWorld w(true);
    const auto name = wire_of("www.example");
    const IpAddress client = v4(0xc0000201);
    unsigned passed = 0;
    for (unsigned second = 0; second < 40; ++second) {
        const unsigned asked = second % 2 == 0 ? 5 : 1'000;
        for (unsigned i = 0; i < asked; ++i)
            passed += w.passes(client, name, {1'000'000 + second * 1'000 + i}) ? 1U : 0U;
    }
    BOOST_TEST(passed <= 41 * AnswerWorld::kPerS * 1.01);
}

// The answers of the quiet time are charged at the burst: 5 % of it at most.
BOOST_AUTO_TEST_CASE(a_client_keeps_its_burst_after_a_quiet_time) {
    struct Case {
        double per_s, burst;
    };
    const auto name = wire_of("www.example");
    for (const Case& c : {Case{100, 100}, Case{100, 20}, Case{1'000, 100}, Case{1'000, 10}}) {
        AnswerWorld w(true, 1, c.per_s, c.burst);
        std::uint64_t ms = 1'000'000;
        for (unsigned i = 0; i < w.policy.batched.most; ++i, ms += 60'000)
            BOOST_TEST(w.passes(v4(0xc0000201), name, {ms}));
        for (const std::uint32_t client : {0xc0000201U, 0xc6336401U}) {
            unsigned passed = 0;
            for (unsigned i = 0; i < 2'000; ++i)
                passed += w.passes(v4(client), name, {ms}) ? 1U : 0U;
            BOOST_TEST_CONTEXT(c.per_s << " " << c.burst << " " << client) {
                BOOST_TEST(passed >= c.burst * 0.95);
                BOOST_TEST(passed <= c.burst);
            }
        }
    }
}

// Sources whose words are in one place, each far above its rate.
BOOST_AUTO_TEST_CASE(sources_that_share_words_get_no_more_than_their_rate) {
    const auto name = wire_of("www.example");
    for (const std::size_t sources : {2U, 3U, 4U}) {
        AnswerWorld w(true);
        const Limiter::Batching batching(w.limiter, w.policy, 0);
        const auto place_of = [&](std::uint32_t client) {
            const AnswerBatches::Batch batch = batching.of(v4(client), w.limiter.name_key(name));
            return batch.place();
        };
        std::vector<std::uint32_t> clients;
        for (std::uint32_t client = 0x0a000001; clients.size() < sources; client += 256) {
            if (place_of(client) == place_of(0x0a000001)) clients.push_back(client);
        }
        unsigned passed = 0;
        for (unsigned ms = 0; ms < 20'000; ++ms) {
            for (const std::uint32_t client : clients)
                passed += w.passes(v4(client), name, {1'000'000 + ms}) ? 1U : 0U;
        }
        const double exact = static_cast<double>(sources) * 21 * AnswerWorld::kPerS;
        BOOST_TEST(passed <= exact * 1.01, sources);
        BOOST_TEST(passed >= exact * 0.95, sources);
    }
}

BOOST_AUTO_TEST_CASE(several_workers_charge_owed_answers_once) {
    AnswerWorld w(true, 2);
    BOOST_REQUIRE(w.policy.batched.most == 2U);
    const double exact = passed_in(*std::make_unique<AnswerWorld>(false, 2), 400, 0, 1'000'000);
    const double got = passed_in(w, 400, 0, 1'000'000);
    BOOST_TEST(got >= exact * 0.98);
    BOOST_TEST(got <= exact * 1.05);
}

BOOST_AUTO_TEST_CASE(few_workers_and_one_row_have_batches) {
    BOOST_TEST(AnswerWorld(true, 2).policy.batched.most == 2U);
    AnswerWorld many(true, 6);
    BOOST_TEST(many.policy.batched.most == 0U);
    const auto name = wire_of("www.example");
    const Limiter::Client client{v4(0xc0000201), many.local, 53, true};
    BOOST_TEST(many.batch_of(client, name, {1'000'000}).is_none());
    LimitPolicy two;
    for (const std::uint8_t prefix4 : {std::uint8_t{24}, std::uint8_t{32}}) {
        LimitRow row;
        row.what = LimitWhat::responses;
        row.per_s = 1'000;
        row.burst = 1'000;
        row.rate = LimitRate::of(1'000, 1'000);
        row.prefix4 = prefix4;
        two.add(std::move(row));
    }
    two.set_tables(many.policy.tables);
    BOOST_TEST(two.batched.most == 0U);
}

BOOST_AUTO_TEST_CASE(a_client_that_no_limit_is_for_has_no_batches) {
    const auto name = wire_of("www.example");
    AnswerWorld w(true);
    const auto has_batch = [&](const IpAddress& client, dns::CookieState cookie,
                               bool is_udp = true) {
        return !w.batch_of({client, w.local, 53, is_udp, cookie}, name, {1'000'000}).is_none();
    };
    const IpAddress client = v4(0xc0000201), trusted = v4(0xc0000202), excepted = v4(0xc0000203);
    w.policy.trusted = matchers::PrefixSet(std::vector{*matchers::Prefix::parse("192.0.2.2")});
    w.policy.rows[0].except = AddressSet(std::vector{*matchers::Prefix::parse("192.0.2.3")});
    w.policy.rows[0].is_for_all = false;
    BOOST_TEST(has_batch(client, dns::CookieState::none));
    BOOST_TEST(has_batch(client, dns::CookieState::client));
    BOOST_TEST(!has_batch(client, dns::CookieState::valid));
    BOOST_TEST(!has_batch(client, dns::CookieState::none, false));
    BOOST_TEST(!has_batch(trusted, dns::CookieState::none));
    BOOST_TEST(!has_batch(excepted, dns::CookieState::none));
}

BOOST_AUTO_TEST_CASE(a_word_is_taken_over_only_if_it_is_old) {
    constexpr std::uint64_t kFirst = 0x1234'0000'0000'0005, kSecond = 0x4321'0000'0000'0005,
                            kThird = 0x5555'0000'0000'0005;  // of one place
    AnswerBatches batches;
    const auto of = [&](std::uint64_t key) { return AnswerBatches::of(batches.words(), key); };
    const auto add = [&](std::uint64_t key, std::uint32_t now_s, std::uint32_t most = 2) {
        return of(key).add(AnswerBatches::Most(most), now_s);
    };
    BOOST_TEST(add(kFirst, 7));
    BOOST_TEST(add(kFirst, 8));
    BOOST_TEST(!add(kFirst, 8));  // full
    BOOST_TEST(add(kSecond, 7));
    BOOST_TEST(!add(kThird, 8));  // both words are new
    BOOST_TEST(of(kThird).close(8) == 0U);
    BOOST_TEST(of(kFirst).close(8) == 2U);
    BOOST_TEST(!add(kFirst, 8));  // closed
    BOOST_TEST(of(kFirst).close(8) == 0U);
    of(kFirst).open(8);
    BOOST_TEST(add(kFirst, 8));
    BOOST_TEST(add(kThird, 9));  // in place of the second key
    BOOST_TEST(of(kSecond).close(9) == 0U);
    of(kSecond).open(9);
    BOOST_TEST(!add(kSecond, 9));
    BOOST_TEST(add(kSecond, 10));  // in place of the first key
    BOOST_TEST(of(kFirst).close(10) == 0U);
    BOOST_TEST(of(kSecond).close(10) == 1U);
    BOOST_TEST(!add(kFirst, 10));  // a key that asks keeps its closed word
    of(kThird).open(10);
    BOOST_TEST(add(kThird, 10));
    BOOST_TEST(add(kThird, 10));
    of(kThird).undo();
    BOOST_TEST(add(kThird, 10));
    BOOST_TEST(of(kThird).close(10) == 2U);
    of(kThird).undo();
    BOOST_TEST(of(kThird).close(10) == 0U);
    BOOST_TEST(!AnswerBatches::none().add(AnswerBatches::Most(2), 7));
    BOOST_TEST(AnswerBatches::none().close(7) == 0U);
}

BOOST_AUTO_TEST_CASE(a_batch_has_space_if_the_next_answer_needs_no_token) {
    const AnswerBatches batches;
    const AnswerBatches::Most two(2);
    const auto batch = AnswerBatches::of(batches.words(), 0x1234'0000'0000'0005);
    const auto other = AnswerBatches::of(batches.words(), 0x4321'0000'0000'0005);
    BOOST_TEST(!batch.has_space(two));  // it has not begun
    BOOST_TEST(batch.add(two, 7));
    BOOST_TEST(batch.has_space(two));
    BOOST_TEST(!other.has_space(two));
    BOOST_TEST(batch.add(two, 7));
    BOOST_TEST(!batch.has_space(two));  // full
    (void)batch.close(7);
    BOOST_TEST(!batch.has_space(two));
    batch.open(7);
    BOOST_TEST(batch.has_space(two));
    BOOST_TEST(!AnswerBatches::none().has_space(two));
}

BOOST_AUTO_TEST_CASE(clients_of_one_prefix_count_together) {
    LimiterWorld w(LimitWhat::queries);
    BOOST_TEST(w.query("192.0.2.1"));
    BOOST_TEST(!w.query("192.0.2.255"));
    BOOST_TEST(w.query("192.0.3.1"));
    BOOST_TEST(w.query("2001:db8:0:100::1"));
    BOOST_TEST(!w.query("2001:db8:0:1ff::2"));
    BOOST_TEST(w.query("2001:db8:0:200::1"));
    LimiterWorld one(LimitWhat::queries, 32, 128);
    BOOST_TEST(one.query("192.0.2.1"));
    BOOST_TEST(one.query("192.0.2.2"));
    BOOST_TEST(one.query("2001:db8::1"));
    BOOST_TEST(one.query("2001:db8::2"));
    BOOST_TEST(!one.query("2001:db8::2"));
    LimiterWorld all(LimitWhat::queries, 0, 0);
    BOOST_TEST(all.query("192.0.2.1"));
    BOOST_TEST(!all.query("198.51.100.1"));
    BOOST_TEST(!all.query("2001:db8::1"));
}

BOOST_AUTO_TEST_CASE(connections_and_cookies_have_buckets_of_their_own) {
    LimiterWorld w(LimitWhat::queries);
    BOOST_TEST(w.query("192.0.2.1"));
    BOOST_TEST(!w.query("192.0.2.1"));
    BOOST_TEST(w.query("192.0.2.1", false));
    BOOST_TEST(!w.query("192.0.2.1", false));
    BOOST_TEST(!w.query("192.0.2.1", true, dns::CookieState::client));
    BOOST_TEST(w.query("192.0.2.1", true, dns::CookieState::valid));
    BOOST_TEST(!w.query("192.0.2.1", true, dns::CookieState::valid));
    BOOST_TEST(w.query("192.0.2.2", true, dns::CookieState::valid));
}

// A cookie proves one address, so a report has this address alone.
BOOST_AUTO_TEST_CASE(offenders_have_the_bits_that_they_count_by) {
    struct Case {
        std::string client;
        dns::CookieState cookie;
        unsigned prefix4, prefix6;
        std::string shown;
    };
    using dns::CookieState;
    for (const Case& c : {Case{"192.0.2.7", CookieState::none, 24, 56, "192.0.2.0/24"},
                          Case{"192.0.2.7", CookieState::valid, 24, 56, "192.0.2.7/32"},
                          Case{"192.0.2.0", CookieState::valid, 24, 56, "192.0.2.0/32"},
                          Case{"2001:db8::7", CookieState::none, 24, 56, "2001:db8::/56"},
                          Case{"2001:db8::7", CookieState::valid, 24, 56, "2001:db8::/64"},
                          Case{"192.0.2.7", CookieState::none, 0, 0, "::/0"},
                          Case{"192.0.2.7", CookieState::valid, 0, 0, "192.0.2.7/32"}}) {
        LimiterWorld w(LimitWhat::queries, c.prefix4, c.prefix6);
        for (int i = 0; i < 3; ++i)
            (void)w.query(c.client, true, c.cookie);
        unsigned found = 0;
        OffenderBoard::Offender offender;
        for (std::size_t slot = 0; slot < OffenderBoard::kSlots; ++slot) {
            if (!w.policy.tables->workers[0]->board.read(slot, offender)) continue;
            ++found;
            const matchers::Prefix prefix{offender.prefix, offender.bits};
            BOOST_TEST(prefix.to_string() == c.shown);
        }
        BOOST_TEST(found == 1U);
    }
}

BOOST_AUTO_TEST_CASE(answers_count_by_name_in_any_case) {
    LimiterWorld w(LimitWhat::responses);
    for (const std::string name :
         {"a.b", "www.example", "www.a-long-name.of.several.labels.example"}) {
        BOOST_TEST(w.reply("192.0.2.1", name));
        std::string upper = name;
        for (char& c : upper)
            c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        BOOST_TEST(!w.reply("192.0.2.2", upper), name);
        BOOST_TEST(w.reply("192.0.2.2", "x" + name));
    }
    // Neither connections nor valid cookies are limited.
    BOOST_TEST(w.reply("192.0.2.1", "a.b", 0, true, false));
    BOOST_TEST(w.reply("192.0.2.1", "a.b", 0, true, true, dns::CookieState::valid));
    BOOST_TEST(w.reply("192.0.2.1", "a.b", 0, true, true, dns::CookieState::valid));
}

BOOST_AUTO_TEST_CASE(negative_answers_count_by_domain_and_errors_by_prefix) {
    LimiterWorld w(LimitWhat::responses);
    BOOST_TEST(w.reply("192.0.2.1", "a.victim.example", dns::kNxDomain, false));
    BOOST_TEST(!w.reply("192.0.2.1", "b.VICTIM.example", dns::kNxDomain, false));
    BOOST_TEST(w.reply("192.0.2.1", "a.other.example", dns::kNxDomain, false));
    BOOST_TEST(w.reply("192.0.2.1", "a.victim.example", dns::kNoError, false));
    BOOST_TEST(!w.reply("192.0.2.1", "b.victim.example", dns::kNoError, false));
    BOOST_TEST(w.reply("192.0.2.1", "a.victim.example"));
    BOOST_TEST(w.reply("192.0.2.1", "a.example", dns::kRefused, false));
    BOOST_TEST(!w.reply("192.0.2.1", "b.test", dns::kRefused, false));
    BOOST_TEST(w.reply("192.0.2.1", "b.test", dns::kServFail, false));
}

BOOST_AUTO_TEST_CASE(a_domain_above_its_limit_refuses_misses_without_a_token) {
    LimiterWorld w(LimitWhat::nxdomain, 0, 0);
    const IpAddress client = *IpAddress::parse("192.0.2.1");
    const auto miss = [&](const std::string& name, bool is_udp = true) {
        const auto wire = wire_of(name);
        return w.limiter.on_miss(w.policy, {client, w.local, 53, is_udp}, wire, w.now) ==
               Limited::no;
    };
    BOOST_TEST(miss("a.victim.example"));
    BOOST_TEST(miss("b.victim.example"));
    BOOST_TEST(w.reply("198.51.100.1", "c.victim.example", dns::kNxDomain, false));
    BOOST_TEST(!miss("d.victim.example"));
    BOOST_TEST(miss("d.other.example"));
    BOOST_TEST(miss("d.victim.example", false));
    w.now.ms += 101'000;
    BOOST_TEST(miss("d.victim.example"));
}

// The noted addresses, of one thread.
std::vector<std::string> proven_in(const LimiterWorld& w) {
    std::vector<std::string> out;
    for (std::size_t slot = 0; slot < OffenderBoard::kSlots; ++slot) {
        OffenderBoard::Offender one;
        if (w.policy.tables->workers[0]->proven.read(slot, one))
            out.push_back(one.prefix.to_string());
    }
    return out;
}

// One client must not use up what all clients share. The order in which the rows are written does
// not matter.
BOOST_AUTO_TEST_CASE(a_query_above_the_row_of_its_client_does_not_count_for_all) {
    for (const bool is_shared_first : {true, false}) {
        const auto rows_of = [&](LimitWhat what) {
            LimiterWorld world(what);
            world.policy = {};
            world.policy.tables = std::make_shared<LimitTables>();
            world.policy.tables->workers.push_back(
                std::make_unique<LimitThread>(std::size_t{1} << 16, 1));
            for (const bool is_shared : {is_shared_first, !is_shared_first}) {
                LimitRow row;
                row.name = is_shared ? "all" : "each";
                row.what = what;
                row.id = is_shared ? 0 : 1;
                row.salt = is_shared ? 1 : 2;
                row.prefix4 = is_shared ? 0 : 32;
                row.rate = LimitRate::of(0.01, is_shared ? 5 : 2);
                world.policy.add(std::move(row));
            }
            return world;
        };
        LimiterWorld queries = rows_of(LimitWhat::queries);
        LimiterWorld denials = rows_of(LimitWhat::nxdomain);
        const auto denied = [&](const char* client) {
            return denials.reply(client, "a.example.com", dns::kNxDomain, false);
        };
        unsigned passed = 0, passed_denials = 0;
        for (int i = 0; i < 100; ++i) {
            passed += queries.query("192.0.2.1") ? 1U : 0U;
            passed_denials += denied("192.0.2.1") ? 1U : 0U;
        }
        BOOST_TEST(passed == 2U);
        BOOST_TEST(passed_denials == 2U);
        BOOST_TEST(queries.query("198.51.100.2"));
        BOOST_TEST(denied("198.51.100.2"));
        // Many clients together are above what all share.
        for (const char* const client : {"198.51.100.3", "198.51.100.4"}) {
            (void)queries.query(client);
            (void)denied(client);
        }
        BOOST_TEST(!queries.query("198.51.100.5"));
        BOOST_TEST(!denied("198.51.100.5"));
    }
}

// A second row of the same prefix, such as one with `ban`, counts what the first one refuses.
BOOST_AUTO_TEST_CASE(rows_of_one_prefix_count_all_queries) {
    LimiterWorld world(LimitWhat::queries, 32);
    LimitRow row;
    row.name = "banned";
    row.id = 1;
    row.salt = 1;
    row.what = LimitWhat::queries;
    row.prefix4 = 32;
    row.rate = LimitRate::of(0.01, 5);
    world.policy.add(std::move(row));
    for (int i = 0; i < 10; ++i)
        (void)world.query("192.0.2.1");
    const LimitCounts& counts = world.policy.tables->workers[0]->counts[1];
    BOOST_TEST(counts[static_cast<std::size_t>(LimitDecision::dropped)].get() == 5U);
}

// The longest prefix of the client's family counts first.
BOOST_AUTO_TEST_CASE(prefixes_of_the_families_may_be_ordered_differently) {
    LimiterWorld world(LimitWhat::queries, 32, 48);
    LimitRow row;
    row.name = "each6";
    row.id = 1;
    row.salt = 1;
    row.what = LimitWhat::queries;
    row.prefix4 = 24;
    row.prefix6 = 64;
    row.rate = LimitRate::of(0.01, 1);
    world.policy.rows[0].rate = LimitRate::of(0.01, 2);
    world.policy.add(std::move(row));
    for (int i = 0; i < 10; ++i)
        (void)world.query("2001:db8::1");
    BOOST_TEST(world.query("2001:db8:0:1::1"));  // another /64 of the /48
}

BOOST_AUTO_TEST_CASE(only_a_valid_cookie_or_a_connection_proves_a_banned_address) {
    LimiterWorld w(LimitWhat::queries);
    w.policy.rows[0].ban_ms = 1'000;
    const auto prove = [&](const std::string& client) {
        const IpAddress address = *IpAddress::parse(client);
        w.limiter.prove(w.policy, {address, w.local, 53, false}, w.now);
    };
    w.query("198.51.100.1", true, dns::CookieState::valid);
    prove("198.51.100.1");
    BOOST_TEST(proven_in(w).empty());
    const std::vector<matchers::Prefix> banned{*matchers::Prefix::parse("198.51.100.0/24"),
                                               *matchers::Prefix::parse("2001:db8:0:100::/56")};
    w.policy.tables->banned.set(banned);
    w.query("198.51.100.2");
    w.query("198.51.100.3", true, dns::CookieState::client);
    w.query("203.0.113.1", true, dns::CookieState::valid);
    BOOST_TEST(proven_in(w).empty());
    w.query("198.51.100.4", true, dns::CookieState::valid);
    BOOST_TEST(proven_in(w) == std::vector<std::string>{"198.51.100.4"});
    prove("2001:db8:0:1ff::5");
    prove("2001:db8:0:200::5");
    BOOST_TEST(proven_in(w).size() == 2U);
    w.policy.tables->banned.set({});
    prove("198.51.100.6");
    BOOST_TEST(proven_in(w).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_banned_source_gets_tc_until_its_address_is_proven) {
    LimiterWorld w(LimitWhat::queries);
    w.policy.rows[0].ban_ms = 1'000;
    w.policy.rows[0].rate = LimitRate::of(1'000, 1'000);
    w.policy.bans = true;
    const auto limited = [&](const char* client, bool is_udp = true,
                             dns::CookieState cookie = dns::CookieState::none) {
        return w.limiter.on_query(
            w.policy, {*IpAddress::parse(client), w.local, 53, is_udp, cookie}, 40, w.now);
    };
    BOOST_TEST((limited("198.51.100.1") == Limited::no));
    const std::vector<matchers::Prefix> banned{*matchers::Prefix::parse("198.51.100.0/24")};
    const std::vector<matchers::Prefix> exempt{*matchers::Prefix::parse("198.51.100.9")};
    w.policy.tables->banned.set(banned);
    w.policy.tables->exempt.set(exempt);
    BOOST_TEST((limited("198.51.100.1") == Limited::truncate));
    BOOST_TEST((limited("198.51.100.1", true, dns::CookieState::client) == Limited::truncate));
    BOOST_TEST((limited("198.51.100.1", true, dns::CookieState::valid) == Limited::no));
    BOOST_TEST((limited("198.51.100.1", false) == Limited::no));
    BOOST_TEST((limited("198.51.100.9") == Limited::no));
    BOOST_TEST((limited("198.51.101.1") == Limited::no));
    const LimitCounts& counts = w.policy.tables->workers[0]->counts[0];
    BOOST_TEST(counts[static_cast<std::size_t>(LimitDecision::truncated)].get() == 2U);
    w.policy.rows[0].dry_run = true;
    BOOST_TEST((limited("198.51.100.1") == Limited::no));
}

BOOST_AUTO_TEST_CASE(an_offender_without_cookie_and_connection_has_no_proof) {
    for (const bool is_udp : {true, false}) {
        for (const dns::CookieState cookie : {dns::CookieState::none, dns::CookieState::valid}) {
            LimiterWorld w(LimitWhat::queries);
            w.query("198.51.100.1", is_udp, cookie);
            w.query("198.51.100.1", is_udp, cookie);
            bool is_found = false;
            for (std::size_t slot = 0; slot < OffenderBoard::kSlots; ++slot) {
                OffenderBoard::Offender one;
                if (!w.policy.tables->workers[0]->board.read(slot, one)) continue;
                is_found = true;
                BOOST_TEST(one.is_proven == (!is_udp || cookie == dns::CookieState::valid));
            }
            BOOST_TEST(is_found);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
