// A table of names with changes over it, against a plain map.
#include "matchers/owner_table.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "wire_names.h"

namespace steer::matchers {
using test::wire;

namespace {

using Model = std::map<std::string, std::pair<std::uint32_t, std::uint32_t>>;

std::uint32_t value_of(const Model& model, std::string name) {
    if (const auto at = model.find(name);
        at != model.end() && at->second.first != OwnerTable::kNone)
        return at->second.first;
    for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.')) {
        name.erase(0, dot + 1);
        if (const auto at = model.find(name);
            at != model.end() && at->second.second != OwnerTable::kNone)
            return at->second.second;
    }
    return OwnerTable::kNone;
}

unsigned below(std::mt19937& random, unsigned most) {
    return static_cast<unsigned>(random() % most);
}

std::string random_name(std::mt19937& random) {
    std::string name = below(random, 4) == 0 ? "net" : "example";
    for (unsigned depth = below(random, 4); depth > 0; --depth)
        name.insert(
            0, std::string(1 + below(random, 20), static_cast<char>('a' + below(random, 4))) + ".");
    return name;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(owner_table)

BOOST_AUTO_TEST_CASE(the_name_itself_then_the_longest_name_above_decides) {
    OwnerTable table;
    table.set_exact(wire("bad.example"), 1);
    table.set_below(wire("bad.example"), 2);
    table.set_below(wire("example"), 3);
    const auto value = [&](const char* name) { return table.find(wire(name), nullptr).value(); };
    BOOST_TEST(value("bad.example") == 1U);
    BOOST_TEST(value("a.b.bad.example") == 2U);
    BOOST_TEST(value("good.example") == 3U);
    BOOST_TEST(value("example") == OwnerTable::kNone);
    BOOST_TEST(value("xbad.example") == 3U);
    BOOST_TEST(value("net") == OwnerTable::kNone);
    BOOST_TEST(table.find(wire("x.bad.example"), nullptr).below_length ==
               wire("bad.example").size());
}

BOOST_AUTO_TEST_CASE(changes_lie_over_a_table) {
    std::mt19937 random(4711);
    Model model;
    OwnerTable table;
    const auto set = [&](OwnerTable& in, const std::string& name) {
        const std::uint32_t value = below(random, 5) == 0 ? OwnerTable::kNone : below(random, 1000);
        auto& known = model.try_emplace(name, OwnerTable::kNone, OwnerTable::kNone).first->second;
        if (below(random, 2) == 0) {
            in.set_exact(wire(name), value);
            known.first = value;
        } else {
            in.set_below(wire(name), value);
            known.second = value;
        }
    };
    for (unsigned i = 0; i < 3000; ++i)
        set(table, random_name(random));
    const auto check = [&](const OwnerTable* changes) {
        for (unsigned i = 0; i < 3000; ++i) {
            const std::string name = random_name(random);
            const auto found = table.find(wire(name), changes);
            BOOST_REQUIRE_MESSAGE(found.value() == value_of(model, name), name);
        }
    };
    check(nullptr);
    OwnerTable changes = OwnerTable::changes_of(table);
    for (unsigned i = 0; i < 500; ++i)
        set(changes, random_name(random));
    check(&changes);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::matchers
