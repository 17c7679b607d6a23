// The public suffix table beside the list's algorithm, taken word by word over the rules.
#include <boost/test/unit_test.hpp>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "matchers/suffix/suffix_list.h"
#include "wire_names.h"

namespace m = steer::matchers;
using steer::test::labels_of;
using steer::test::wire;
using steer::test::WireName;

namespace {

using Labels = std::vector<std::string>;

constexpr std::string_view kList =
    "// ===BEGIN ICANN DOMAINS===\n"
    "com\n"
    "biz\n"
    "jp\nac.jp\nkyoto.jp\nide.kyoto.jp\n*.kobe.jp\n!city.kobe.jp\n"
    "*.ck\n!www.ck\n"
    "uk  the rest of a line is no rule\n\tno rule either\nco.uk\r\n"
    "us\nak.us\nk12.ak.us\n"
    "// xn--55qx5d.cn\n公司.cn\ncn\n"
    "// ===END ICANN DOMAINS===\n"
    "// ===BEGIN PRIVATE DOMAINS===\n"
    "github.io\nuk.com\nblogspot.co.uk\n*.compute.example.com.cn\ncloudfront.net\n"
    "// ===END PRIVATE DOMAINS===";

m::PublicSuffixes table_of(std::string_view text) {
    auto table = m::read_suffix_list(text);
    BOOST_REQUIRE_MESSAGE(table.has_value(), (table ? std::string{} : table.error().sentence()));
    return std::move(*table);
}

std::string text_of(const Labels& labels, std::size_t first) {
    std::string text;
    for (std::size_t i = first; i < labels.size(); ++i)
        text += (i > first ? "." : "") + labels[i];
    return text;
}

// https://github.com/publicsuffix/list/wiki/Format#algorithm
struct Naive {
    struct Rule {
        Labels labels;
        bool is_exception, is_private;
    };
    std::vector<Rule> rules;

    [[nodiscard]] std::pair<std::size_t, bool> suffix_of(const Labels& name) const {
        const Rule* best = nullptr;
        for (const Rule& rule : rules) {
            if (rule.labels.size() > name.size()) continue;
            bool matches = true;
            for (std::size_t i = 1; i <= rule.labels.size(); ++i) {
                const std::string& label = rule.labels[rule.labels.size() - i];
                matches &= label == "*" || label == name[name.size() - i];
            }
            if (!matches) continue;
            // An exception prevails, else the rule with the most labels; of equals, the one without "*".
            const auto rank = [](const Rule& r) {
                return std::tuple(r.is_exception, r.labels.size(), r.labels.front() != "*");
            };
            if (best == nullptr || rank(rule) > rank(*best)) best = &rule;
        }
        if (best == nullptr) return {std::min<std::size_t>(name.size(), 1), false};
        return {best->labels.size() - (best->is_exception ? 1 : 0), best->is_private};
    }
};

void check_domain(const m::PublicSuffixes& table, std::string_view name,
                  std::string_view expected) {
    const WireName bytes = wire(name);
    BOOST_TEST_INFO(name);
    if (expected.empty()) {
        BOOST_TEST(table.is_suffix(bytes));
        BOOST_TEST(table.is_suffix(name));
        BOOST_TEST(table.domain_of(name) == name);
        return;
    }
    BOOST_TEST(!table.is_suffix(bytes));
    BOOST_TEST(!table.is_suffix(name));
    BOOST_TEST(table.domain_of(name) == expected);
    const auto part = table.domain_of(std::span<const std::uint8_t>(bytes));
    BOOST_TEST((WireName(part.begin(), part.end()) == wire(expected)));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(public_suffixes)

BOOST_AUTO_TEST_CASE(registrable_domains_are_those_of_the_lists_own_test) {
    const auto table = table_of(kList);
    check_domain(table, "", "");
    check_domain(table, "com", "");
    check_domain(table, "example.com", "example.com");
    check_domain(table, "b.example.com", "example.com");
    check_domain(table, "a.b.example.com", "example.com");
    check_domain(table, "uk.com", "");
    check_domain(table, "a.b.example.uk.com", "example.uk.com");
    check_domain(table, "example", "");  // no rule: "*"
    check_domain(table, "b.example.example", "example.example");
    check_domain(table, "co.uk", "");
    check_domain(table, "bbc.co.uk", "bbc.co.uk");
    check_domain(table, "www.bbc.co.uk", "bbc.co.uk");
    check_domain(table, "ck", "");
    check_domain(table, "test.ck", "");
    check_domain(table, "a.b.test.ck", "b.test.ck");
    check_domain(table, "www.ck", "www.ck");
    check_domain(table, "www.www.ck", "www.ck");
    check_domain(table, "kobe.jp", "kobe.jp");
    check_domain(table, "c.kobe.jp", "");
    check_domain(table, "a.b.c.kobe.jp", "b.c.kobe.jp");
    check_domain(table, "city.kobe.jp", "city.kobe.jp");
    check_domain(table, "www.city.kobe.jp", "city.kobe.jp");
    check_domain(table, "b.ide.kyoto.jp", "b.ide.kyoto.jp");
    check_domain(table, "www.test.k12.ak.us", "test.k12.ak.us");
    check_domain(table, "xn--55qx5d.cn", "");
    check_domain(table, "www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn");
    check_domain(table, "pages.github.io", "pages.github.io");
    check_domain(table, "a.eu-1.compute.example.com.cn", "a.eu-1.compute.example.com.cn");
}

BOOST_AUTO_TEST_CASE(without_a_list_the_domain_is_the_last_two_labels) {
    const m::PublicSuffixes table;
    check_domain(table, "a.b.co.uk", "co.uk");
    check_domain(table, "co.uk", "co.uk");
    check_domain(table, "uk", "");
}

BOOST_AUTO_TEST_CASE(names_share_a_key_exactly_where_they_share_a_level) {
    using enum m::DomainLevel;
    const auto table = table_of(kList);
    const auto keys = [&](std::string_view name) { return table.keys(name); };
    BOOST_TEST((keys("a.evil.co.uk")[domain] == keys("b.evil.co.uk")[domain]));
    BOOST_TEST((keys("a.evil.co.uk")[domain] != keys("bbc.co.uk")[domain]));
    BOOST_TEST((keys("a.evil.co.uk")[platform] == 0U));
    BOOST_TEST((keys("evil.co.uk")[below] == 0U));
    BOOST_TEST((keys("a.evil.co.uk")[below] != 0U));
    BOOST_TEST((keys("a.evil.co.uk")[below2] == 0U));
    BOOST_TEST((keys("x.a.evil.co.uk")[below] == keys("y.a.evil.co.uk")[below]));
    BOOST_TEST((keys("z.x.a.evil.co.uk")[below2] == keys("x.a.evil.co.uk")[below2]));
    BOOST_TEST((keys("x.a.evil.co.uk")[below2] != keys("y.a.evil.co.uk")[below2]));
    BOOST_TEST((keys("evil.github.io")[platform] == keys("honest.github.io")[platform]));
    BOOST_TEST((keys("evil.github.io")[platform] != 0U));
    BOOST_TEST((keys("evil.github.io")[domain] != keys("honest.github.io")[domain]));
    BOOST_TEST((keys("github.io")[platform] != keys("github.io")[domain]));
    BOOST_TEST((keys("")[domain] != 0U));
    // The same name in any form.
    BOOST_TEST((keys("X.Evil.CO.uk.") == keys("x.evil.co.uk")));
    BOOST_TEST((keys("\\120.evil.co.uk") == keys("x.evil.co.uk")));
    BOOST_TEST((keys("a\\.b.co.uk")[domain] != keys("b.co.uk")[domain]));
    BOOST_TEST(
        (table.keys(std::span<const std::uint8_t>(wire("x.evil.co.uk"))) == keys("x.evil.co.uk")));
}

BOOST_AUTO_TEST_CASE(escaped_dots_part_no_labels) {
    const auto table = table_of(kList);
    BOOST_TEST(table.domain_of("www.a\\.b.co.uk.") == "a\\.b.co.uk");
    BOOST_TEST(table.domain_of("a\\.co.uk") == "a\\.co.uk");
    BOOST_TEST(table.domain_of("www.a\\046co.uk") == "a\\046co.uk");
}

BOOST_AUTO_TEST_CASE(random_rules_give_the_suffixes_of_the_naive_algorithm) {
    std::mt19937 random{11};
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    unsigned exceptions = 0, wildcards = 0, privates = 0;
    for (int round = 0; round < 60; ++round) {
        const auto labels = [&](unsigned most) {
            Labels out(1 + below(most));
            for (auto& label : out)
                label = std::string(1 + below(2) * 8, static_cast<char>('a' + below(3)));
            return out;
        };
        Naive naive;
        std::string text = "// ===BEGIN PRIVATE DOMAINS===\n";
        std::set<std::string> written;
        bool is_private = true;
        for (unsigned i = 0; i < 25; ++i) {
            if (i == 12) {
                text += "// ===END PRIVATE DOMAINS===\n";
                is_private = false;
            }
            Labels rule = labels(4);
            const unsigned kind = below(6);
            if (kind == 0) {  // an exception belongs to a "*" beside it
                Labels star = rule;
                rule.insert(rule.begin(), "c");
                star.insert(star.begin(), "*");
                if (!written.insert("*" + text_of(star, 1)).second) continue;
                if (!written.insert(text_of(rule, 0)).second) continue;
                naive.rules.push_back({star, false, is_private});
                naive.rules.push_back({rule, true, is_private});
                text += text_of(star, 0) + "\n!" + text_of(rule, 0) + "\n";
                continue;
            }
            if (kind == 1) {
                if (!written.insert("*" + text_of(rule, 0)).second) continue;
                rule.insert(rule.begin(), "*");
            } else if (!written.insert(text_of(rule, 0)).second) {
                continue;
            }
            naive.rules.push_back({rule, false, is_private});
            text += text_of(rule, 0) + "\n";
        }
        const auto table = table_of(text);
        BOOST_TEST(table.size() == naive.rules.size());
        for (int i = 0; i < 1'500; ++i) {
            const Labels name = labels(8);
            const auto [suffix, of_private] = naive.suffix_of(name);
            const std::string whole = text_of(name, 0);
            const std::string domain =
                text_of(name, name.size() - std::min(name.size(), suffix + 1));
            BOOST_TEST_INFO(whole << " in\n" << text);
            BOOST_REQUIRE(table.domain_of(whole) == domain);
            BOOST_REQUIRE_EQUAL(table.is_suffix(whole), suffix == name.size());
            const auto keys = table.keys(whole);
            BOOST_REQUIRE_EQUAL(keys[m::DomainLevel::platform] != 0, of_private);
            BOOST_REQUIRE_EQUAL(keys[m::DomainLevel::below] != 0, name.size() >= suffix + 2);
            BOOST_REQUIRE_EQUAL(keys[m::DomainLevel::below2] != 0, name.size() >= suffix + 3);
            privates += of_private;
        }
        for (const auto& rule : naive.rules) {
            exceptions += rule.is_exception;
            wildcards += rule.labels.front() == "*";
        }
    }
    BOOST_TEST(exceptions > 50U);
    BOOST_TEST(wildcards > 100U);
    BOOST_TEST(privates > 1'000U);
}

BOOST_AUTO_TEST_CASE(a_bad_rule_is_an_error_with_its_line) {
    for (const std::string_view bad : {"a..b", "a.*.b", ".com", "1.2.3.4.5.6.7.8"}) {
        const auto table = m::read_suffix_list("com\n\n" + std::string(bad) + "\nnet\n");
        BOOST_REQUIRE(table.has_error());
        BOOST_TEST(table.error().line == 3);
        BOOST_TEST(table.error().text.find(bad) != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(names_of_126_labels_and_of_255_bytes_have_keys) {
    const auto table = table_of(kList);
    std::string many = "com";
    for (int i = 0; i < 125; ++i)
        many = "a." + many;
    BOOST_TEST(
        (table.keys(many)[m::DomainLevel::domain] == table.keys("a.com")[m::DomainLevel::domain]));
    BOOST_TEST(table.domain_of(many) == "a.com");
    const std::string label(63, 'x');
    const std::string longest =
        label + "." + label + "." + label + "." + std::string(57, 'y') + ".com";
    BOOST_TEST(table.domain_of(longest) == std::string(57, 'y') + ".com");
}

BOOST_AUTO_TEST_CASE(a_published_table_is_the_current_one) {
    BOOST_TEST(m::PublicSuffixes::current().size() == 0U);
    const auto before = m::PublicSuffixes::current().keys("www.example.com");
    m::PublicSuffixes::publish(table_of(kList));
    BOOST_TEST(m::PublicSuffixes::current().is_suffix("co.uk"));
    // A reload changes no key of a name whose domain stays.
    BOOST_TEST((m::PublicSuffixes::current().keys("www.example.com") == before));
    m::PublicSuffixes::publish({});
}

BOOST_AUTO_TEST_SUITE_END()
