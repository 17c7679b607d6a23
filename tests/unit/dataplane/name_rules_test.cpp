// The rule that decides, against a search of all rules in the order of the sentence.
#include "dataplane/answer/name_rules.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace steer {
namespace {

// "a.b" as lower-cased wire form; "": the root.
std::string wire(const std::string& name) {
    std::string out;
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t dot = std::min(name.find('.', at), name.size());
        out += static_cast<char>(dot - at);
        out += name.substr(at, dot - at);
        at = dot + 1;
    }
    return out + '\0';
}

std::span<const std::uint8_t> bytes(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

IpAddress v4(std::uint8_t a, std::uint8_t b) {
    const std::uint8_t four[] = {10, 0, a, b};
    return IpAddress::from_v4(four);
}

// Whether `name` is `rule` or below it.
bool is_below(const std::string& name, const std::string& rule) {
    return name.size() >= rule.size() && name.ends_with(rule) &&
           // A suffix at the beginning of a label.
           [&] {
               for (std::size_t at = 0; at <= name.size() - rule.size();
                    at += 1U + static_cast<std::uint8_t>(name[at])) {
                   if (at == name.size() - rule.size()) return true;
                   if (name[at] == 0) break;
               }
               return false;
           }();
}

// The members of three groups; group_of() has the same ones.
bool is_in_group(unsigned group, const IpAddress& client, std::uint64_t mac) {
    return mac == 1 + group || client == v4(0, static_cast<std::uint8_t>(group)) ||
           (group == 2 && matchers::Prefix::masked(client, 120).address == v4(1, 0));
}

std::shared_ptr<const DeviceGroup> group_of(unsigned group) {
    DeviceGroup out;
    out.macs = {std::uint64_t{1} + group, std::uint64_t{70}};
    std::vector<matchers::Prefix> prefixes{
        matchers::Prefix::masked(v4(0, static_cast<std::uint8_t>(group)), 128)};
    if (group == 2) prefixes.push_back(matchers::Prefix::masked(v4(1, 0), 120));
    out.prefixes = matchers::PrefixSet(prefixes);
    return std::make_shared<const DeviceGroup>(std::move(out));
}

const NameRule* naive(const std::vector<NameRules::Named>& rules, const std::string& name,
                      const IpAddress& client, std::uint64_t mac, std::uint32_t now_s,
                      std::uint64_t plugin, std::uint64_t list) {
    const NameRules::Named* best = nullptr;
    const auto audience = [](const NameRule& r) {
        return r.audience == NameRule::Audience::everyone ? 0
               : r.audience == NameRule::Audience::prefix ? 1 + r.clients.length
               : r.audience == NameRule::Audience::group  ? 500
                                                          : 1000;
    };
    for (const NameRules::Named& one : rules) {
        const NameRule& r = one.rule;
        if (r.is_exact ? one.name != name : !is_below(name, one.name)) continue;
        if (now_s >= r.until_s) continue;
        if (r.list != 0 && r.list != plugin && r.list != list) continue;
        if (r.mac != 0 && r.mac != mac) continue;
        if (r.audience == NameRule::Audience::group) {
            if (!is_in_group(r.number % 3, client, mac)) continue;
        } else if (r.mac == 0 && r.audience != NameRule::Audience::everyone &&
                   matchers::Prefix::masked(client, r.clients.length).address != r.clients.address)
            continue;
        if (best == nullptr) {
            best = &one;
            continue;
        }
        const NameRule& b = best->rule;
        if (audience(r) != audience(b)) {
            if (audience(r) > audience(b)) best = &one;
        } else if (one.name.size() != best->name.size()) {
            if (one.name.size() > best->name.size()) best = &one;
        } else if (r.is_exact != b.is_exact) {
            if (r.is_exact) best = &one;
        } else if (r.allows && !b.allows) {
            best = &one;
        }
    }
    return best == nullptr ? nullptr : &best->rule;
}

BOOST_AUTO_TEST_SUITE(name_rules)

BOOST_AUTO_TEST_CASE(the_rule_that_decides_is_that_of_a_naive_search) {
    std::mt19937 source{11};
    const auto below = [&source](unsigned n) { return static_cast<unsigned>(source() % n); };
    const auto byte_below = [&below](unsigned n) { return static_cast<std::uint8_t>(below(n)); };
    const std::vector<std::string> names{"",           "example",   "a.example",     "b.a.example",
                                         "xa.example", "example.a", "c.b.a.example", "test"};
    unsigned found = 0, none = 0;
    for (unsigned round = 0; round < 400; ++round) {
        std::vector<NameRules::Named> rules;
        for (unsigned i = 0; i < round % 24; ++i) {
            NameRule r{.number = i + 1};
            r.until_s = below(4) == 0 ? static_cast<std::uint32_t>(below(200)) : UINT32_MAX;
            r.allows = below(2) == 0;
            r.is_exact = below(3) == 0;
            if (below(5) == 0) r.list = 1 + below(3);
            switch (below(5)) {
                case 0:
                    r.audience = NameRule::Audience::prefix;
                    r.clients = matchers::Prefix::masked(v4(byte_below(2), 1), 112 + below(9));
                    break;
                case 1:
                    r.audience = NameRule::Audience::device;
                    r.clients = matchers::Prefix::masked(v4(byte_below(2), byte_below(3)), 128);
                    break;
                case 2:
                    r.audience = NameRule::Audience::device;
                    r.mac = 1 + below(3);
                    break;
                case 3:
                    r.audience = NameRule::Audience::group;
                    r.group = group_of(r.number % 3);
                    break;
                default:
                    break;
            }
            rules.push_back({wire(names[below(static_cast<unsigned>(names.size()))]), r});
        }
        const NameRules table(rules, 1);
        for (const std::string& name : names) {
            const std::string asked = wire(name);
            bool may_block = false;
            for (unsigned i = 0; i < 12; ++i) {
                const IpAddress client = v4(byte_below(2), byte_below(3));
                const std::uint64_t mac = below(4), plugin = below(3), list = below(4);
                const NameRule* const expected =
                    naive(rules, asked, client, mac, 100, plugin, list);
                const NameRule* const got =
                    table.find({bytes(asked), client, nullptr, mac, 100, plugin, list});
                BOOST_REQUIRE((got == nullptr) == (expected == nullptr));
                (got == nullptr ? none : found) += 1;
                if (got == nullptr) continue;
                // Two rules may differ in their number only.
                BOOST_TEST(got->allows == expected->allows);
                BOOST_TEST(got->is_exact == expected->is_exact);
                BOOST_TEST((got->audience == expected->audience));
                if (!got->allows) may_block = true;
            }
            if (may_block) BOOST_TEST(table.may_block(bytes(asked)));
        }
    }
    BOOST_TEST(found > 1000U);
    BOOST_TEST(none > 1000U);
}

BOOST_AUTO_TEST_CASE(names_without_a_rule_that_blocks_are_not_covered) {
    NameRule allow{.number = 1, .allows = true}, exact{.number = 2, .is_exact = true},
        below{.number = 3};
    const NameRules table({{wire(""), allow}, {wire("a.example"), exact}, {wire("test"), below}},
                          7);
    BOOST_TEST(table.version() == 7U);
    BOOST_TEST(table.has_blocks());
    BOOST_TEST(table.may_block(bytes(wire("a.example"))));
    BOOST_TEST(!table.may_block(bytes(wire("b.a.example"))));
    BOOST_TEST(!table.may_block(bytes(wire("example"))));
    BOOST_TEST(table.may_block(bytes(wire("x.test"))));
    BOOST_TEST(table.may_block(bytes(wire("test"))));
    BOOST_TEST(!NameRules({{wire(""), allow}}, 1).has_blocks());
}

BOOST_AUTO_TEST_CASE(the_lease_knows_the_device_better_than_the_frame) {
    NameRule rule{.number = 1, .audience = NameRule::Audience::device, .mac = 5};
    LeaseDevice lease;
    lease.mac = 5;
    const IpAddress client = v4(0, 1);
    BOOST_TEST(rule.is_for(client, &lease, 9));
    BOOST_TEST(rule.is_for(client, nullptr, 5));
    lease.mac = 6;
    BOOST_TEST(!rule.is_for(client, &lease, 5));
    lease.mac = 0;  // not known
    BOOST_TEST(rule.is_for(client, &lease, 5));
}

BOOST_AUTO_TEST_CASE(a_group_has_its_addresses_prefixes_and_devices) {
    const auto group = group_of(2);
    LeaseDevice lease;
    lease.mac = 3;
    BOOST_TEST(group->has(v4(0, 2), nullptr, 0));
    BOOST_TEST(group->has(v4(1, 77), nullptr, 0));
    BOOST_TEST(group->has(v4(0, 9), &lease, 5));
    BOOST_TEST(group->has(v4(0, 9), nullptr, 70));
    BOOST_TEST(!group->has(v4(0, 9), nullptr, 0));
    lease.mac = 4;  // the frame's address is the router's
    BOOST_TEST(!group->has(v4(0, 9), &lease, 3));
    BOOST_TEST(!DeviceGroup{}.has(v4(0, 2), &lease, 4));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
