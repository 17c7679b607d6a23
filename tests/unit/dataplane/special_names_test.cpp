// Names that the server answers itself: the longest one that a name is, or is below; and what each
// type gets.
#include <boost/test/unit_test.hpp>
#include <string>

#include "dataplane/answer/special_names.h"
#include "support/dns_message.h"

namespace steer::test {
namespace {

// Answers are numbers of their own: `apex` + 1 is below it.
SpecialNames names_of(std::initializer_list<std::pair<const char*, AnswerRef>> all) {
    SpecialNames names;
    for (const auto& [name, number] : all)
        names.add(wire_name(name), {.apex = number, .below = number + 1});
    return names;
}

AnswerRef found(const SpecialNames& names, const std::string& name) {
    const Bytes wire = wire_name(name);
    const auto [entry, is_apex] = names.find(wire);
    if (entry == nullptr) return kNoAnswer;
    BOOST_TEST(names.may_have(wire), name);
    return entry->find(dns::kTxt, is_apex);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(special_names)

BOOST_AUTO_TEST_CASE(the_longest_name_answers_for_all_names_below_it) {
    const SpecialNames names = names_of({{"test", 10},
                                         {"127.in-addr.arpa", 20},
                                         {"1.0.0.127.in-addr.arpa", 30},
                                         {"home.arpa", 40},
                                         {"d.f.ip6.arpa", 50}});
    BOOST_TEST(found(names, "test") == 10U);
    BOOST_TEST(found(names, "a.b.test") == 11U);
    BOOST_TEST(found(names, "127.in-addr.arpa") == 20U);
    BOOST_TEST(found(names, "0.127.in-addr.arpa") == 21U);
    BOOST_TEST(found(names, "1.0.0.127.in-addr.arpa") == 30U);
    BOOST_TEST(found(names, "2.1.0.0.127.in-addr.arpa") == 31U);
    BOOST_TEST(found(names, "x.home.arpa") == 41U);
    BOOST_TEST(found(names, "0.0.0.d.f.ip6.arpa") == 51U);
    for (const char* const other : {"", "arpa", "in-addr.arpa", "mytest", "test.example", "t",
                                    "c.f.ip6.arpa", "1127.in-addr.arpa", "xhome.arpa"})
        BOOST_TEST(found(names, other) == kNoAnswer, other);
    // Labels decide, not bytes: a label that holds the wire form of another name.
    Bytes odd = wire_name("test");
    odd.insert(odd.begin(), {1, 4});
    BOOST_TEST((names.find(odd).name != nullptr));  // "\004.test"
    const Bytes inner{6, 'x', 4, 't', 'e', 's', 't', 3, 'c', 'o', 'm', 0};
    BOOST_TEST((names.find(inner).name == nullptr));
}

BOOST_AUTO_TEST_CASE(names_of_the_longest_form_are_searched_to_their_end) {
    const SpecialNames names = names_of({{"test", 10}, {"onion", 20}});
    std::string deep;
    for (int i = 0; i < 120; ++i)
        deep += "a.";
    BOOST_TEST(found(names, deep + "test") == 11U);
    BOOST_TEST(found(names, deep + "tess") == kNoAnswer);
}

BOOST_AUTO_TEST_CASE(an_empty_zone_has_an_soa_and_its_parent_has_the_ds) {
    const SpecialNames::Name zone{.apex = 1, .below = 2, .soa = 3, .ns = 4, .has_parent = true};
    BOOST_TEST(zone.find(dns::kSoa, true) == 3U);
    BOOST_TEST(zone.find(dns::kNs, true) == 4U);
    BOOST_TEST(zone.find(dns::kA, true) == 1U);
    BOOST_TEST(zone.find(dns::kSoa, false) == 2U);
    BOOST_TEST(zone.find(dns::kDs, true) == kNoAnswer);
    BOOST_TEST(zone.find(dns::kDs, false) == 2U);
    const SpecialNames::Name loopback{.apex = 1, .below = 2, .pointer = 7, .a = 5, .aaaa = 6};
    for (const bool is_apex : {true, false}) {
        BOOST_TEST(loopback.find(dns::kA, is_apex) == 5U);
        BOOST_TEST(loopback.find(dns::kAaaa, is_apex) == 6U);
        BOOST_TEST(loopback.find(dns::kPtr, is_apex) == (is_apex ? 7U : 2U));
        BOOST_TEST(loopback.find(dns::kDs, is_apex) == (is_apex ? 1U : 2U));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
