// The suffix image when hashes collide: a false hit is no match, and names with one hash are parted.
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>

#include "matchers/domain/builder.h"
#include "matchers/domain/match.h"
#include "wire_names.h"

namespace m = steer::matchers;
using steer::test::wire;

BOOST_AUTO_TEST_SUITE(suffix)

BOOST_AUTO_TEST_CASE(a_hash_collision_never_matches) {
    constexpr unsigned kBits = 8;
    m::SuffixBuilder builder(kBits);
    for (const char* name : {"one.org", "two.org", "three.net", "a.b.net", "org"}) {
        BOOST_REQUIRE(builder.add(1, m::RuleKind::domain, name));
    }
    const auto image = builder.build();
    BOOST_REQUIRE(image);
    std::mt19937 random{7};
    unsigned false_hits = 0;
    for (int i = 0; i < 20000; ++i) {
        const std::string label = std::to_string(random());
        BOOST_CHECK(!m::find_tags(*image, wire(label)).test(1));
        BOOST_CHECK(!m::find_tags(*image, wire("x" + label + ".net")).test(1));
        BOOST_CHECK(m::find_tags(*image, wire(label + ".org")).test(1));
        const auto* const bytes = reinterpret_cast<const std::uint8_t*>(label.data());
        const std::uint64_t hash = image->hash.down(image->hash.seed, bytes, label.size());
        const m::SuffixBucket& bucket = image->buckets()[image->bucket_of(hash)];
        false_hits += bucket.node[0] != 0 && bucket.check[0] == m::SuffixImage::check_of(hash);
    }
    BOOST_CHECK_GT(false_hits, 0U);  // else this test has tested nothing
}

BOOST_AUTO_TEST_CASE(names_with_one_hash_and_full_buckets_are_all_found) {
    for (const unsigned bits : {0U, 1U, 4U, 64U}) {
        m::SuffixBuilder builder(bits == 0 ? 1 : bits);
        const auto name = [](int i) { return "n" + std::to_string(i) + ".example"; };
        for (int i = 0; i < 500; ++i)
            BOOST_REQUIRE(builder.add(static_cast<m::SetId>(i % 100), m::RuleKind::full, name(i)));
        const auto image = builder.build();
        BOOST_REQUIRE(image);
        for (int i = 0; i < 500; ++i) {
            m::TagBits expected;
            expected.set(static_cast<m::SetId>(i % 100));
            BOOST_CHECK(m::find_tags(*image, wire(name(i))) == expected);
            BOOST_CHECK(m::find_tags(*image, wire(name(i + 500))) == m::TagBits{});
        }
    }
}

BOOST_AUTO_TEST_CASE(redundant_rules_take_no_space) {
    m::SuffixBuilder builder;
    for (const char* name : {"example", "a.example", "b.a.example", "c.b.a.example"})
        BOOST_REQUIRE(builder.add(1, m::RuleKind::domain, name));
    BOOST_REQUIRE(builder.add(1, m::RuleKind::full, "x.example"));
    BOOST_REQUIRE(builder.add(2, m::RuleKind::full, "b.a.example"));
    const auto image = builder.build();
    BOOST_REQUIRE(image);
    BOOST_CHECK_EQUAL(image->node_count, 2U);
    BOOST_CHECK(m::find_tags(*image, wire("b.a.example")).test(2));
    BOOST_CHECK(m::find_tags(*image, wire("c.b.a.example")).test(1));
    BOOST_CHECK(!m::find_tags(*image, wire("c.b.a.example")).test(2));
}

BOOST_AUTO_TEST_CASE(lookups_stop_at_the_deepest_rule) {
    m::SuffixBuilder builder;
    BOOST_REQUIRE(builder.add(3, m::RuleKind::domain, "a.b.c"));
    const auto image = builder.build();
    BOOST_REQUIRE(image);
    BOOST_CHECK_EQUAL(image->deepest, 3U);
    BOOST_CHECK(image->has_level[3] && !image->has_level[2] && !image->has_level[1]);
}

BOOST_AUTO_TEST_CASE(labels_of_every_length_are_distinguished) {
    m::SuffixBuilder builder;
    for (std::size_t n = 1; n <= 63; ++n) {
        BOOST_REQUIRE(builder.add(2, m::RuleKind::full, std::string(n, 'x') + ".org"));
    }
    const auto image = builder.build();
    BOOST_REQUIRE(image);
    for (std::size_t n = 1; n <= 63; ++n) {
        for (std::size_t at = 0; at < n; ++at) {
            std::string label(n, 'x');
            BOOST_CHECK(m::find_tags(*image, wire(label + ".org")).test(2));
            label[at] = 'y';
            BOOST_CHECK(!m::find_tags(*image, wire(label + ".org")).test(2));
        }
    }
}

// Deep names need more space than a burst's walk has, so it ends and goes on between them.
BOOST_AUTO_TEST_CASE(a_burst_finds_what_each_name_alone_does) {
    std::mt19937 random{11};
    const auto below = [&](unsigned n) { return static_cast<std::size_t>(random() % n); };
    const auto name = [&](std::size_t labels) {
        std::string text;
        for (std::size_t i = 0; i < labels; ++i)
            text += std::string(1, static_cast<char>('a' + below(3))) + ".";
        return text + "org";
    };
    m::SuffixBuilder builder(20);  // with collisions
    for (std::size_t i = 0; i < 3'000; ++i) {
        const auto kind = i % 2 == 0 ? m::RuleKind::domain : m::RuleKind::full;
        const std::size_t labels = i % 100 == 0 ? below(127) : below(8);
        BOOST_REQUIRE(builder.add(static_cast<m::SetId>(i % 200), kind, name(labels)));
    }
    const auto image = builder.build();
    BOOST_REQUIRE(image);
    std::size_t found = 0;
    for (std::size_t round = 0; round < 200; ++round) {
        const std::size_t n = 1 + below(m::kMaxNames);
        std::vector<std::vector<std::uint8_t>> wires;
        std::vector<m::WireName> names;
        for (std::size_t i = 0; i < n; ++i)
            wires.push_back(wire(name(below(4) == 0 ? below(127) : below(9))));
        names.assign(wires.begin(), wires.end());
        if (round == 0) names[0] = names[0].last(1);  // the root
        std::vector<const m::TagBits*> verdicts(n);
        m::find_tags(*image, names, verdicts);
        for (std::size_t i = 0; i < n; ++i) {
            BOOST_CHECK(*verdicts[i] == m::find_tags(*image, names[i]));
            found += *verdicts[i] != m::TagBits{};
        }
    }
    BOOST_CHECK_GT(found, 500U);
}

BOOST_AUTO_TEST_SUITE_END()
