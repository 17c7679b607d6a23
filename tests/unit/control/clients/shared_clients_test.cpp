#include "control/sources/clients/shared_clients.h"

#include <boost/test/unit_test.hpp>
#include <utility>

#include "support/random.h"

namespace steer::clients {
namespace {

struct GroupsOfBox {
    GroupBook book;
    std::string refusal;
    SharedGroups shared{book,
                        [this](const std::string& group, const std::string& member,
                               const std::optional<MemberOrigin>& origin) -> Result<void> {
                            if (!refusal.empty()) return Error{refusal};
                            if (origin) return book.put(group, member, *origin);
                            book.take_out(group, member);
                            return {};
                        }};
};

BOOST_AUTO_TEST_SUITE(shared_clients)

BOOST_AUTO_TEST_CASE(groups_are_the_same_on_another_box_in_any_order) {
    GroupsOfBox one;
    BOOST_REQUIRE(one.book.add("kids", {"192.0.2.7", "02:00:00:00:00:01"}, {7, "anna"}));
    BOOST_REQUIRE(one.book.add("guests", {"192.0.2.128/25"}, {8, "ben"}));
    BOOST_REQUIRE(one.book.add("empty", {}, {}));
    auto entries = one.shared.all();
    BOOST_TEST(entries.size() == 6U);
    test::Random random(1);
    for (int i = 0; i < 20; ++i) {
        for (std::size_t left = entries.size(); left > 1; --left)
            std::swap(entries[left - 1], entries[random.below(static_cast<std::uint32_t>(left))]);
        GroupsOfBox two;
        for (const shared::Entry& entry : entries) {
            const auto done = two.shared.take(entry, "one");
            BOOST_TEST_REQUIRE(done.has_value(), entry.key);
        }
        two.book.refresh();
        BOOST_TEST((two.book.groups() == one.book.groups()));
        BOOST_REQUIRE(two.book.devices("kids") != nullptr);
        BOOST_TEST(two.book.devices("kids")->macs.size() == 1U);
        for (const shared::Entry& entry : entries)
            BOOST_TEST(two.shared.value_of(entry.key) == entry.value);
        // A group goes after its last member.
        for (int again = 0; again < 2; ++again)
            for (const shared::Entry& entry : entries)
                BOOST_TEST(two.shared.take({entry.key, {}}, "one").has_value());
        two.book.refresh();
        BOOST_TEST(two.book.groups().empty());
        BOOST_TEST((two.book.devices("kids") == nullptr));
    }
}

BOOST_AUTO_TEST_CASE(other_forms_are_refused) {
    GroupsOfBox box;
    const std::string good = R"({"at":1,"who":"x"})";
    for (const char* const key :
         {"", "kids", "[]", R"(["kids"])", R"(["kids",7])", R"(["kids","192.0.2.7/32"])",
          R"(["kids", "192.0.2.7"])", R"(["","192.0.2.7"])", R"(["192.0.2.7","192.0.2.8"])",
          R"(["kids","02-00-00-00-00-01"])", R"(["a\nb","192.0.2.7"])"})
        BOOST_TEST(box.shared.take({key, good}, "one").has_error(), key);
    for (const char* const value : {"garbage", "[]", "7"})
        BOOST_TEST(box.shared.take({R"(["kids","192.0.2.7"])", value}, "one").has_error(), value);
    BOOST_TEST(box.book.groups().empty());
    box.refusal = "the group is used";
    BOOST_TEST(box.shared.take({R"(["kids",""])", {}}, "one").error().text == "the group is used");
}

BOOST_AUTO_TEST_CASE(the_limits_of_groups_hold) {
    GroupBook book;
    for (std::size_t i = 0; i < GroupBook::kMostMembers; ++i) {
        const std::string member =
            "10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256);
        BOOST_REQUIRE(book.put("kids", member, {}));
    }
    BOOST_TEST(book.put("kids", "192.0.2.1", {}).has_error());
    BOOST_TEST(book.put("kids", "10.0.0.0", {9, "anna"}).has_value());  // it is in it
    book.take_out("kids", "10.0.0.0");
    book.take_out("kids", "10.0.0.0");
    BOOST_TEST(book.put("kids", "192.0.2.1", {}).has_value());
    BOOST_TEST(book.put("kids", "192.0.2.2", {}).has_error());
    book.take_out("kids", {});  // it has members
    BOOST_TEST(book.groups().contains("kids"));
}

BOOST_AUTO_TEST_CASE(names_are_judged_and_have_their_text) {
    GivenNames given{{"192.0.2.7", {"kitchen tablet", 5, "anna"}}};
    std::string taken;
    SharedNames names(given,
                      [&](const std::string& key, std::optional<GivenName> name) -> Result<void> {
                          taken = key + "=" + (name ? name->name : "");
                          return {};
                      });
    const auto all = names.all();
    BOOST_TEST_REQUIRE(all.size() == 1U);
    BOOST_TEST(all[0].value == names.value_of("192.0.2.7"));
    BOOST_TEST(names.value_of("192.0.2.8") == "");
    BOOST_REQUIRE(names.take({"02:00:00:00:00:01", all[0].value}, "one"));
    BOOST_TEST(taken == "02:00:00:00:00:01=kitchen tablet");
    BOOST_REQUIRE(names.take({"192.0.2.7", {}}, "one"));
    BOOST_TEST(taken == "192.0.2.7=");
    taken.clear();
    for (const char* const key : {"", "nobody", "02-00-00-00-00-01", "192.0.2.0/24"})
        BOOST_TEST(names.take({key, all[0].value}, "one").has_error(), key);
    for (const char* const value : {"garbage", "{}", R"({"name":"a\nb"})", R"({"name":7})"})
        BOOST_TEST(names.take({"192.0.2.7", value}, "one").has_error(), value);
    BOOST_TEST(taken.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::clients
