// Dumps: what was written comes back as old as it is, with its lists; what is not a whole dump of this cache says why.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "../../cache/readers.h"
#include "../../cache/stored_answer.h"
#include "control/cache/dump.h"
#include "dataplane/cache/walk.h"
#include "dataplane/dns/checksum.h"
#include "dataplane/dns/ecs.h"
#include "dataplane/dns/walk.h"
#include "support/random.h"
#include "support/temp_folder.h"

using namespace steer;
using namespace steer::test;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kWall = 1'700'000'000'000;
constexpr Now at(std::uint32_t s) {
    return {std::uint64_t{s} * 1000};
}

struct Folder : test::TempFolder {
    [[nodiscard]] std::string file(const std::string& name) const { return *this / name; }
};

struct OneCache {
    explicit OneCache(std::uint32_t size = 1000, std::size_t budget = std::size_t{8} << 20)
        : sizes{size, size}, cache({budget, sizes}, readers.get()) {}

    // A sound answer: one address of `ttl_s`.
    void insert(const Question& q, std::uint8_t last, std::uint32_t ttl_s, Now now,
                cache::InsertTerms terms = {}) {
        auto response = DnsMessage::response(1, "x.example", dns::kA);
        response.record(DnsMessage::kAnswer, {0xc0, 0x0c}, dns::kA, ttl_s, {192, 0, 2, last});
        if (terms.life_s == 0) terms.life_s = ttl_s;
        insert(response, q, now, terms, wire_name("x.example"));
    }
    // `answered`: the name of the response's question; empty: that of `q`.
    void insert(const DnsMessage& response, const Question& q, Now now,
                cache::InsertTerms terms = {.life_s = 300}, Bytes answered = {}) {
        if (answered.empty()) answered = q.name;
        Buffer* const answer = pools.take(kSmallBuffer);
        dns::UpstreamFacts facts;
        BOOST_REQUIRE((dns::build_answer(response.bytes(), answered, dns::kA, dns::kIn, false,
                                         answer->room(), facts) == dns::AnswerError::none));
        answer->length = static_cast<std::uint32_t>(answer->answer().size());
        answer->born_ms = static_cast<std::int64_t>(now.ms);
        answer->serial = 0;
        const cache::KeyHasher hasher{secret};
        Buffer* const message =
            cache::build_insert(pools, hasher(q.facts()), q.facts(), *answer, terms);
        cache.insert(*message, now, counters);
        release(message);
        release(answer);
    }
    const cache::Entry* find(const Question& q, std::uint32_t now_s) {
        const cache::KeyFacts facts = q.facts();
        const cache::Key key = cache::KeyHasher{secret}(facts);
        const cache::Entry* entry = nullptr;
        cache.lookup(&key, &facts, 1, now_s, &entry);
        return entry;
    }
    std::string dump(const DumpScope& scope, Now now, const std::string& path) {
        const auto done = dump_instance(cache, 7, scope, now, kWall, path);
        return done ? "" : done.error().sentence();
    }
    Result<Restored> restore(const DumpScope& scope, Now now, std::uint64_t wall,
                             const std::string& path) {
        return restore_instance(cache, cache::KeyHasher{secret}, scope, now, wall, path,
                                as_the_cache_writers(cache, now));
    }

    std::array<std::uint8_t, 16> secret = kSecret;
    std::array<std::uint32_t, 2> sizes;
    Readers readers;
    BufferPools pools{64, 4};
    cache::Cache cache;
    Counters counters;
};

const DumpScope kMain{0, "main", {{"policy", "edge1"}, {"policy", "edge2"}, {"other", "edge1"}}};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cache_dump, Folder)

BOOST_AUTO_TEST_CASE(restored_answers_keep_their_age) {
    OneCache before;
    const ListId lists[] = {1, 2};
    before.insert(question(1), 1, 300, at(1000), {.lists = lists, .ttl_cap_s = 77});
    before.insert(question(2), 2, 50, at(1000));
    before.insert(question(3), 3, 300, at(1030), {.stale_s = 600, .refresh_check_after_s = 200});
    before.insert(question(4, 1), 4, 300, at(1000));  // of another instance
    BOOST_TEST(before.dump(kMain, at(1040), file("d")) == "");
    struct stat found {};
    BOOST_TEST(::stat(file("d").c_str(), &found) == 0);
    BOOST_TEST((found.st_mode & 0777) == 0600U);
    BOOST_TEST(std::distance(fs::directory_iterator(path), {}) == 1);

    // Another process, another secret, other ids of lists, another boot; 20 seconds later.
    OneCache after;
    after.secret[3] = 99;
    const DumpScope scope{1, "main", {{"other", "edge1"}, {"new", "edge1"}, {"policy", "edge2"}}};
    const auto restored = after.restore(scope, at(500), kWall + 20'000, file("d"));
    BOOST_REQUIRE(restored.has_value());
    BOOST_TEST(restored->answers == 2U);
    BOOST_TEST(restored->expired == 1U);
    const cache::Entry* const e = after.find(question(1, 1), 500);
    BOOST_REQUIRE(e != nullptr);
    BOOST_TEST(e->born.age_s(500) == 60U);
    BOOST_TEST(e->expires_s == 740U);
    BOOST_TEST(e->ttl_cap_s == 77U);
    BOOST_TEST(e->tags.load() == 0U);
    BOOST_REQUIRE(e->list_count == 2);
    BOOST_TEST(e->lists[0] == 2);
    BOOST_TEST(e->lists[1] == 0);
    const auto& answer = e->answer();
    BOOST_TEST(answer.body()[answer.addresses()[0].rdata_offset + 3] == 1);
    BOOST_TEST(after.find(question(1, 1), 740) == nullptr);
    const cache::Entry* const stale = after.find(question(3, 1), 500);
    BOOST_REQUIRE(stale != nullptr);
    BOOST_TEST(stale->expires_s == 770U);
    BOOST_TEST(stale->usable_until_s == 1370U);
    BOOST_TEST(stale->refresh_check_s.load() == 670U);
    BOOST_TEST(after.find(question(2, 1), 500) == nullptr);
    BOOST_TEST(after.find(question(4, 1), 500) == nullptr);
    BOOST_TEST(after.find(question(1, 0), 500) == nullptr);
}

// A machine that was started 5 seconds ago, and answers from before.
BOOST_AUTO_TEST_CASE(answers_older_than_the_machines_uptime_are_restored) {
    OneCache before;
    before.insert(question(1), 1, 3600, at(100'000));
    before.insert(question(2), 2, 60, at(100'000), {.stale_s = 86'400});
    BOOST_TEST(before.dump(kMain, at(100'030), file("d")) == "");
    OneCache after;
    const auto restored = after.restore(kMain, at(5), kWall + 1'000'000, file("d"));
    BOOST_REQUIRE(restored.has_value());
    BOOST_TEST(restored->answers == 2U);
    const cache::Entry* const fresh = after.find(question(1), 5);
    BOOST_REQUIRE(fresh != nullptr);
    BOOST_TEST(fresh->born.age_s(5) == 1030U);
    BOOST_TEST(fresh->expires_s == 5U + 3600 - 1030);
    const cache::Entry* const stale = after.find(question(2), 5);
    BOOST_REQUIRE(stale != nullptr);
    BOOST_TEST(stale->expires_s <= 5U);
    BOOST_TEST(stale->usable_until_s == 5U + 60 + 86'400 - 1030);
}

// Earlier versions kept chains as upstreams sent them.
BOOST_AUTO_TEST_CASE(a_restored_chain_is_in_order_or_left_out) {
    OneCache before;
    auto disordered = DnsMessage::response(1, "x.example", dns::kA);
    disordered.a("y.example", 300, {192, 0, 2, 7}).cname("x.example", 300, "y.example");
    before.insert(disordered, {wire_name("x.example"), dns::kA}, at(1000));
    auto endless = DnsMessage::response(1, "z.example", dns::kA);
    endless.record(DnsMessage::kAnswer, wire_name("example"), dns::kDname, 300,
                   wire_name("more.example"));
    before.insert(endless, {wire_name("z.example"), dns::kA}, at(1000));
    BOOST_TEST(before.dump(kMain, at(1000), file("d")) == "");
    OneCache after;
    const auto restored = after.restore(kMain, at(1001), kWall + 1000, file("d"));
    BOOST_REQUIRE(restored.has_value());
    BOOST_TEST(restored->answers == 1U);
    const cache::Entry* const e = after.find({wire_name("x.example"), dns::kA}, 1001);
    BOOST_REQUIRE(e != nullptr);
    BOOST_TEST((dns::walk_of(e->answer(), e->name(), dns::kA) == dns::Walk::whole));
    BOOST_TEST(e->answer().ancount == 2U);
    BOOST_TEST(after.find({wire_name("z.example"), dns::kA}, 1001) == nullptr);
}

// Earlier versions kept them under the subnet that had asked.
BOOST_AUTO_TEST_CASE(an_answer_for_all_subnets_is_restored_for_all) {
    const auto with = [](std::span<const std::uint8_t> subnet) {
        Question q{wire_name("x.example"), dns::kA, 0, cache::kKeyEcs};
        q.name.insert(q.name.end(), subnet.begin(), subnet.end());
        q.ecs_len = static_cast<std::uint8_t>(subnet.size());
        return q;
    };
    const Question one = with(std::array<std::uint8_t, 5>{1, 24, 198, 51, 100});
    OneCache before;
    auto response = DnsMessage::response(1, "x.example", dns::kA);
    response.a("x.example", 300, {192, 0, 2, 7});
    before.insert(response, one, at(1000), {.life_s = 300}, wire_name("x.example"));
    BOOST_TEST(before.dump(kMain, at(1000), file("d")) == "");
    OneCache after;
    BOOST_REQUIRE(after.restore(kMain, at(1001), kWall + 1000, file("d")).has_value());
    BOOST_TEST(after.find(one, 1001) == nullptr);
    BOOST_TEST(after.find(with(dns::kAllSubnets), 1001) != nullptr);
}

BOOST_AUTO_TEST_CASE(invalid_dumps_are_refused_with_a_reason) {
    OneCache before;
    for (unsigned i = 0; i < 200; ++i)
        before.insert(question(i), 1, 300, at(1000));
    BOOST_TEST(before.dump(kMain, at(1000), file("d")) == "");
    const auto whole = read("d");
    OneCache after;
    const auto sentence = [&](const DumpScope& scope = kMain, std::uint64_t wall = kWall) {
        const auto restored = after.restore(scope, at(1000), wall, file("d"));
        return restored ? std::string{} : restored.error().sentence();
    };
    const auto says = [&](const std::string& what, const std::string& words) {
        BOOST_TEST(what.find(words) != std::string::npos, what << " lacks " << words);
        BOOST_TEST(what.find(file("d")) != std::string::npos);
        BOOST_TEST(what.find("nothing is restored") != std::string::npos);
        BOOST_TEST(after.cache.entries() == 0U);
    };
    // Cut off anywhere.
    for (std::size_t n = 16; n < whole.size(); n += 1 + n / 7) {
        write("d", std::string_view(whole).substr(0, n));
        says(sentence(), "is not whole");
    }
    // Any byte changed behind the version.
    Random random{3};
    for (unsigned i = 0; i < 300; ++i) {
        auto changed = whole;
        const std::size_t where = 16 + random() % (changed.size() - 16);
        changed[where] = static_cast<char>(changed[where] ^ 1 << random() % 8);
        write("d", changed);
        says(sentence(), "is not whole");
    }
    auto longer = whole;
    longer.push_back('x');
    write("d", longer);
    says(sentence(), "is not whole");
    write("d", std::string(5000, 'x'));
    says(sentence(), "is not a dump of steerdnsd");
    write("d", {});
    says(sentence(), "is not a dump of steerdnsd");
    auto version = whole;
    version[8] = 9;
    write("d", version);
    says(sentence(), "has version 9, and this steerdnsd reads version 5");
    write("d", whole);
    says(sentence({0, "guests", {}}), "belongs to cache \"main\", not to \"guests\"");
    says(sentence(kMain, kWall - 3'600'000), "was written in the future");
    BOOST_TEST(sentence(kMain, kWall - 30'000) == "");  // clocks are set now and then
    BOOST_TEST(after.cache.entries() == 200U);
    fs::remove(file("d"));
    BOOST_TEST(DumpReader::missing(file("d")));
    BOOST_TEST(!DumpReader::missing(path.string()));
}

BOOST_AUTO_TEST_CASE(invalid_answers_in_a_dump_are_skipped) {
    OneCache one;
    one.insert(question(1), 1, 300, at(0));
    const auto& answer = one.find(question(1), 1)->answer();
    const auto* const from = reinterpret_cast<const std::uint8_t*>(&answer);
    const std::vector<std::uint8_t> good(from, from + answer.size());
    BOOST_TEST(is_sound_answer(good));
    BOOST_TEST(!is_sound_answer(std::span(good).first(good.size() - 1)));
    BOOST_TEST(!is_sound_answer(std::span(good).first(10)));
    // Nearly every byte is under the sum or an offset; what is left is only read.
    unsigned found = 0;
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bad = good;
        bad[i] ^= 0x80;
        found += is_sound_answer(bad) ? 0U : 1U;
    }
    BOOST_TEST(found > good.size() / 2);
}

// The sum covers only the body: tables and counts are checked against the body.
BOOST_AUTO_TEST_CASE(an_answer_with_wrong_tables_is_refused) {
    OneCache one;
    one.insert(question(1), 1, 300, at(0));
    const auto& answer = one.find(question(1), 1)->answer();
    const auto* const from = reinterpret_cast<const std::uint8_t*>(&answer);
    const auto is_sound_with = [&](auto&& change) {
        std::vector<std::uint64_t> aligned((answer.size() + 7) / 8);
        auto* const bytes = reinterpret_cast<std::uint8_t*>(aligned.data());
        std::copy_n(from, answer.size(), bytes);
        auto& other = *reinterpret_cast<dns::Answer*>(bytes);
        change(other, reinterpret_cast<std::uint16_t*>(bytes + sizeof other));
        return is_sound_answer({bytes, answer.size()});
    };
    BOOST_TEST(is_sound_with([](dns::Answer&, std::uint16_t*) {}));
    BOOST_TEST(!is_sound_with([](dns::Answer&, std::uint16_t* ttls) { ttls[0] = 3; }));
    BOOST_TEST(!is_sound_with([](dns::Answer& a, std::uint16_t* ttls) {
        ttls[0] = 4;  // no owner, and the rest is a record
        auto* const body = const_cast<std::uint8_t*>(a.body());
        body[8] = 0;
        body[9] = 1;
        a.body_sum = checksum_fold(checksum_add(0, body, a.body_len));
    }));
    BOOST_TEST(!is_sound_with([](dns::Answer& a, std::uint16_t* ttls) {
        ttls[0] = static_cast<std::uint16_t>(a.body_len - 4);  // no room for RDLENGTH
    }));
    BOOST_TEST(!is_sound_with([](dns::Answer& a, std::uint16_t* ttls) {
        ttls[0] = static_cast<std::uint16_t>(a.body_len - 6);  // nor for what that says
    }));
    BOOST_TEST(!is_sound_with([](dns::Answer& a, std::uint16_t*) { ++a.ancount; }));
    BOOST_TEST(!is_sound_with([](dns::Answer& a, std::uint16_t*) { ++a.arcount; }));
}

BOOST_AUTO_TEST_CASE(a_dump_that_cannot_be_written_leaves_the_old_one) {
    OneCache one;
    one.insert(question(1), 1, 300, at(1000));
    BOOST_TEST(one.dump(kMain, at(1000), file("d")) == "");
    const auto whole = read("d");
    const auto no_folder = one.dump(kMain, at(1000), file("nowhere/d"));
    BOOST_TEST(no_folder.find("cannot be dumped to " + file("nowhere/d")) != std::string::npos);
    const auto full = one.dump(kMain, at(1000), "/dev/full/d");
    BOOST_TEST(full.find("cannot be dumped") != std::string::npos);
    // A draft that a killed daemon left goes.
    write("new-d-XyZ123", std::string(100, 'x'));
    BOOST_TEST(one.dump(kMain, at(1000), file("d")) == "");
    BOOST_TEST((read("d") == whole));
    BOOST_TEST(std::distance(fs::directory_iterator(path), {}) == 1);
}

// Over the control socket a path can be any: what the daemon keeps elsewhere must survive it.
BOOST_AUTO_TEST_CASE(a_dump_does_not_replace_a_file_that_is_not_a_dump) {
    OneCache one;
    one.insert(question(1), 1, 300, at(1000));
    write("leases.json", "{}");
    write("link-target", "kept");
    fs::create_symlink(file("link-target"), file("link"));
    fs::create_directory(file("folder"));
    BOOST_REQUIRE_EQUAL(::mkfifo(file("fifo").c_str(), 0600), 0);
    for (const char* const name : {"leases.json", "link", "folder", "fifo"}) {
        const auto refused = one.dump(kMain, at(1000), file(name));
        BOOST_TEST(refused.find("cannot be dumped to " + file(name)) != std::string::npos, refused);
    }
    BOOST_TEST(read("leases.json") == "{}");
    BOOST_TEST(read("link-target") == "kept");
    BOOST_TEST(fs::is_symlink(file("link")));
    BOOST_TEST(fs::is_fifo(file("fifo")));
    // Nothing, an empty file, a dump, a dump that was cut off.
    write("empty", "");
    for (const char* const name : {"empty", "new", "new"})
        BOOST_TEST(one.dump(kMain, at(1000), file(name)) == "");
    write("new", read("new").substr(0, 20));
    BOOST_TEST(one.dump(kMain, at(1000), file("new")) == "");
}

// Opening a FIFO waits for its other end: the thread that flushes and dumps would wait with it, and so would the stop.
BOOST_AUTO_TEST_CASE(a_fifo_is_not_restored_from) {
    BOOST_REQUIRE_EQUAL(::mkfifo(file("fifo").c_str(), 0600), 0);
    OneCache one;
    ::alarm(20);  // ends a test that waits
    for (const std::string& name : {file("fifo"), std::string("/dev/zero"), path.string()}) {
        const auto restored = one.restore(kMain, at(1000), kWall, name);
        BOOST_REQUIRE(!restored);
        BOOST_TEST(
            restored.error().sentence().find("it is not a regular file") != std::string::npos,
            restored.error().sentence());
    }
    ::alarm(0);
}

// More answers than the cache may hold now.
BOOST_AUTO_TEST_CASE(a_smaller_cache_restores_what_fits) {
    OneCache before;
    for (unsigned i = 0; i < 500; ++i)
        before.insert(question(i), 1, 300, at(1000));
    BOOST_TEST(before.dump(kMain, at(1000), file("d")) == "");
    OneCache after{100};
    const auto restored = after.restore(kMain, at(1000), kWall, file("d"));
    BOOST_REQUIRE(restored.has_value());
    BOOST_TEST(restored->answers == 100U);
}

// The younger of two answers stays; a dump comes back into a cache that is in use.
BOOST_AUTO_TEST_CASE(a_younger_answer_in_the_cache_is_kept) {
    OneCache before;
    for (unsigned i = 0; i < 50; ++i)
        before.insert(question(i), 1, 300, at(1000));
    BOOST_TEST(before.dump(kMain, at(1010), file("d")) == "");
    OneCache after;
    after.insert(question(1), 9, 300, at(1005));  // younger
    after.insert(question(2), 9, 300, at(1000));  // the same age
    after.insert(question(3), 9, 300, at(998));   // older
    after.insert(question(4), 9, 10, at(1005));   // younger, but over
    const auto restored = after.restore(kMain, at(1020), kWall + 10'000, file("d"));
    BOOST_REQUIRE(restored.has_value());
    BOOST_TEST(restored->known == 2U);
    BOOST_TEST(restored->answers == 48U);
    BOOST_TEST(after.cache.entries() == 50U);
    const auto last_byte = [&](unsigned i) {
        const auto& answer = after.find(question(i), 1020)->answer();
        return answer.body()[answer.addresses()[0].rdata_offset + 3];
    };
    BOOST_TEST(last_byte(1) == 9);
    BOOST_TEST(last_byte(2) == 9);
    BOOST_TEST(last_byte(3) == 1);
    BOOST_TEST(last_byte(4) == 1);
    // The same once more: nothing is younger than what is there.
    const auto again = after.restore(kMain, at(1020), kWall + 10'000, file("d"));
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->known == 50U);
    BOOST_TEST(again->answers == 0U);
}

BOOST_AUTO_TEST_CASE(popularity_is_restored) {
    OneCache before, after;
    before.insert(question(1), 1, 300, at(1000));
    before.insert(question(2), 1, 300, at(1000));
    auto& popular = const_cast<cache::Entry&>(*before.find(question(1), 1000));
    popular.hits.store(7);
    BOOST_TEST(before.dump(kMain, at(1000), file("d")) == "");
    const auto restored = after.restore(kMain, at(1000), kWall, file("d"));
    BOOST_REQUIRE(restored.has_value());
    unsigned seen = 0;
    cache::Walk walk(after.cache, 7);
    for (auto page = walk.next(); !page.empty(); page = walk.next()) {
        for (const auto& [_, entry] : page) {
            const bool is_popular = std::ranges::equal(entry->name(), popular.name());
            BOOST_TEST(entry->visited.load() == (is_popular ? 1U : 0U));
            BOOST_TEST(entry->hits.load() == (is_popular ? 7 : 0));
            ++seen;
        }
    }
    BOOST_TEST(seen == 2U);
}

// Workers serve while a dump comes back: one turns as the cache writer, a few answers a turn.
BOOST_AUTO_TEST_CASE(a_cache_is_restored_while_readers_use_it) {
    constexpr unsigned kAnswers = 5000;
    OneCache before{kAnswers}, after{kAnswers};
    for (unsigned i = 0; i < kAnswers; ++i)
        before.insert(question(i), static_cast<std::uint8_t>(i), 300, at(1000));
    BOOST_TEST(before.dump(kMain, at(1000), file("d")) == "");
    std::atomic<bool> done{false};
    unsigned wrong = 0, most = 0;
    std::uint64_t hits = 0;
    std::thread cache_writer([&] {
        const Reader reader{after.readers, 0};
        Random random{1};
        while (!done.load()) {
            const auto entries = after.cache.entries();
            after.cache.turn(at(1000), after.counters);
            most = std::max(most, static_cast<unsigned>(after.cache.entries() - entries));
            const unsigned i = random() % kAnswers;
            if (const cache::Entry* const e = after.find(question(i), 1000)) {
                const auto& answer = e->answer();
                const auto last = answer.body()[answer.addresses()[0].rdata_offset + 3];
                wrong += last == static_cast<std::uint8_t>(i) ? 0U : 1U;
                ++hits;
            }
            reader.quiescent();
        }
    });
    const HandOver hand_over = [&](std::span<const cache::Cache::Offer> offers) {
        after.cache.offer(offers);
        while (after.cache.offers_pending())
            std::this_thread::yield();
        return true;
    };
    const auto restored = restore_instance(after.cache, cache::KeyHasher{after.secret}, kMain,
                                           at(1000), kWall, file("d"), hand_over);
    done = true;
    cache_writer.join();
    BOOST_REQUIRE(restored.has_value());
    BOOST_TEST(restored->answers == kAnswers);
    BOOST_TEST(wrong == 0U);
    BOOST_TEST(hits > 0U);
    BOOST_TEST(most > 0U);
    BOOST_TEST(most <= 16U);
}

// Seconds of this process's CPU: what a clock says depends on the machine's other work.
BOOST_AUTO_TEST_CASE(a_million_answers_are_dumped_and_restored) {
    constexpr unsigned kAnswers = 1'000'000;
    constexpr auto kMax = 2.0;
    const auto cpu_s = [] {
        timespec t{};
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
    };
    {
        OneCache before{kAnswers, std::size_t{224} << 20};
        for (unsigned i = 0; i < kAnswers; ++i)
            before.insert(question(i), 1, 86'400, at(1000));
        BOOST_TEST(before.cache.entries() == kAnswers);
        const double begun = cpu_s();
        BOOST_TEST(before.dump(kMain, at(1000), file("d")) == "");
        const double took = cpu_s() - begun;
        BOOST_TEST_MESSAGE("dump of " << kAnswers << " answers: " << took << " s of CPU, "
                                      << fs::file_size(file("d")) / 1'000'000 << " MB");
        BOOST_TEST(took < kMax);
    }
    OneCache after{kAnswers, std::size_t{224} << 20};
    const double begun = cpu_s();
    const auto restored = after.restore(kMain, at(1000), kWall + 5000, file("d"));
    const double took = cpu_s() - begun;
    BOOST_TEST_MESSAGE("restored: " << took << " s of CPU");
    BOOST_TEST(took < kMax);
    BOOST_REQUIRE(restored.has_value());
    BOOST_TEST(restored->answers == kAnswers);
}

// Whatever part of a second has gone by, and if the clocks differ by a little: what is from a dump is as young as the
// dump, and what was there before it as well.
BOOST_AUTO_TEST_CASE(restoring_a_dump_twice_adds_nothing) {
    constexpr std::uint64_t kInserted = 1'000'000, kDumped = 1'040'000;
    for (const std::uint64_t part : {0U, 1U, 350U, 500U, 700U, 998U, 999U}) {
        OneCache before;
        before.insert(question(1), 1, 300, {kInserted + part / 2});
        BOOST_TEST(before.dump(kMain, {kDumped + part}, file("d")) == "");
        OneCache after;
        bool is_first = true;
        for (const std::uint64_t later : {20'000U, 20'350U, 20'999U, 21'001U}) {
            for (const std::uint64_t slow : {1U, 0U, 2U}) {
                const auto same = before.restore(kMain, {kDumped + part + later},
                                                 kWall + later - slow, file("d"));
                BOOST_REQUIRE(same.has_value());
                BOOST_TEST(same->known == 1U, "before: part " << part << ", " << later << " later");
                const auto other =
                    after.restore(kMain, {kDumped + part + later}, kWall + later - slow, file("d"));
                BOOST_REQUIRE(other.has_value());
                BOOST_TEST(other->known == (is_first ? 0U : 1U),
                           "after: part " << part << ", " << later << " later");
                is_first = false;
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
