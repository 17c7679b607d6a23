// One library of claims: shares, what is given up, what leaves, what was there before. The model is a plain count.
#include "routeros/claim_book.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <string>

#include "routeros/refusal_log.h"

namespace steer::routeros {
namespace {

struct Booked : BookedClaim {
    unsigned key = 0;
    bool is_written = false;
};
using Book = ClaimBook<Booked, std::hash<unsigned>>;

AddressBytes client(unsigned n) {
    AddressBytes bytes = Address::parse("192.0.2.0")->bytes;
    bytes[15] = static_cast<std::uint8_t>(n);
    return bytes;
}
Holders of(std::string_view name, unsigned client_number = 1) {
    return Shares::holders_of(0, {name, client(client_number)});
}
Booked* give_up(Book& book, const Holders& holders, const ClaimBounds& bounds) {
    return book.candidate(
        0, holders, bounds, [](const Booked&) { return true; },
        [](const Booked& one) { return one.is_written; });
}
// Claims `count` keys from `first` on, each under a name of its own below the domain; how many were refused.
unsigned raise_many(Book& book, unsigned first, unsigned count, const std::string& domain,
                    const ClaimBounds& bounds, unsigned client_number = 1) {
    unsigned refused = 0;
    for (unsigned i = first; i < first + count; ++i) {
        const std::string name = "n" + std::to_string(i) + "." + domain;
        if (!book.raise(i, of(name, client_number), 10'000, bounds)) ++refused;
    }
    return refused;
}

const ClaimBounds kHundred{100, 10, 40, 60};

BOOST_AUTO_TEST_SUITE(claim_book)

BOOST_AUTO_TEST_CASE(a_name_a_domain_and_a_client_have_their_share) {
    Book book;
    for (unsigned i = 0; i < 10; ++i)
        BOOST_TEST(bool(book.raise(i, of("a.evil.example"), 10'000, kHundred)));
    BOOST_TEST(!book.raise(10, of("a.evil.example"), 10'000, kHundred));
    BOOST_TEST((book.refusal().why == ClaimRefusal::name));
    BOOST_TEST(!book.refusal().of_client);
    BOOST_TEST(raise_many(book, 10, 40, "evil.example", kHundred) == 10U);
    BOOST_TEST((book.refusal().why == ClaimRefusal::suffix));
    for (unsigned i = 100; i < 130; ++i)
        book.raise(i, of("n" + std::to_string(i) + ".example"), 10'000, kHundred);
    BOOST_TEST(book.size() == 60U);
    BOOST_TEST((book.refusal().why == ClaimRefusal::client));
    BOOST_TEST(book.refusal().of_client);
    BOOST_TEST(bool(book.raise(200, of("www.good.example", 2), 10'000, kHundred)));
}

BOOST_AUTO_TEST_CASE(a_refused_claim_leaves_nothing) {
    Book book;
    BOOST_TEST(raise_many(book, 0, 41, "evil.example", kHundred) == 1U);
    BOOST_TEST((book.find(40) == nullptr));
    BOOST_TEST(book.size() == 40U);
    BOOST_TEST(!book.raise(40, of("n40.evil.example"), 90'000, kHundred));
    book.drop(0);
    BOOST_TEST(bool(book.raise(40, of("n40.evil.example"), 90'000, kHundred)));
}

BOOST_AUTO_TEST_CASE(a_full_book_gives_up_a_claim_of_the_largest_share) {
    Book book;
    raise_many(book, 0, 40, "evil.example", kHundred, 1);
    raise_many(book, 100, 40, "bad.example", kHundred, 2);
    raise_many(book, 200, 20, "fine.example", kHundred, 3);
    const Holders honest = of("www.good.example", 4);
    BOOST_TEST(!book.raise(300, honest, 10'000, kHundred));
    BOOST_TEST((book.refusal().why == ClaimRefusal::list));
    const Booked* const chosen = give_up(book, honest, kHundred);
    BOOST_REQUIRE(chosen != nullptr);
    BOOST_TEST(chosen->key < 200U);
    book.drop(chosen->key);
    BOOST_TEST(bool(book.raise(300, honest, 10'000, kHundred)));
    // The largest share gets no more.
    BOOST_TEST((give_up(book, of("m.evil.example", 1), kHundred) == nullptr));
}

BOOST_AUTO_TEST_CASE(a_leaving_claim_counts_for_its_owner_until_it_is_dropped) {
    Book book;
    const ClaimBounds bounds{40, 40, 30, 30};
    raise_many(book, 0, 30, "evil.example", bounds, 1);
    raise_many(book, 100, 10, "fine.example", bounds, 2);
    const Holders honest = of("www.good.example", 3), evil = of("m.evil.example", 1);
    Booked* const chosen = give_up(book, honest, bounds);
    BOOST_REQUIRE(chosen != nullptr);
    book.leave(*chosen);
    BOOST_TEST(bool(book.raise(300, honest, 10'000, bounds)));  // its place is free
    BOOST_TEST(book.size() == 41U);
    BOOST_TEST(!book.raise(301, evil, 10'000, bounds));  // its share is not
    BOOST_TEST((book.refusal().why == ClaimRefusal::suffix));
    // Claimed again while it leaves: there is no place for it now.
    const unsigned key = chosen->key;
    BOOST_TEST(!book.raise(key, evil, 20'000, bounds));
    BOOST_TEST(book.find(key)->is_leaving);
    BOOST_TEST(book.find(key)->until_ms == 10'000U);
    book.drop(100);
    BOOST_TEST(bool(book.raise(key, evil, 20'000, bounds)));
    BOOST_TEST(!book.find(key)->is_leaving);
    BOOST_TEST(book.size() == 40U);
}

BOOST_AUTO_TEST_CASE(at_most_64_claims_leave_at_a_time) {
    Book book;
    const ClaimBounds bounds{1'000, 1'000, 900, 900};
    raise_many(book, 0, 900, "evil.example", bounds, 1);
    raise_many(book, 1'000, 100, "fine.example", bounds, 2);
    unsigned admitted = 0;
    for (unsigned i = 2'000; i < 2'200; ++i) {
        const Holders honest = of("www.good.example", 3);
        if (Booked* const chosen = give_up(book, honest, bounds)) book.leave(*chosen);
        if (book.raise(i, honest, 10'000, bounds)) ++admitted;
    }
    BOOST_TEST(admitted == Book::kMostLeaving);
    BOOST_TEST(book.size() == 1'000U + Book::kMostLeaving);
    BOOST_TEST(book.drop_if([](const Booked& one) { return one.is_leaving; }) ==
               Book::kMostLeaving);
    BOOST_TEST((give_up(book, of("www.good.example", 3), bounds) != nullptr));
}

BOOST_AUTO_TEST_CASE(a_claim_that_no_client_relies_on_is_given_up_first) {
    Book book;
    const ClaimBounds bounds{50, 50, 40, 50};
    raise_many(book, 0, 40, "evil.example", bounds);
    book.for_each([](Booked& one) { one.is_written = one.key != 7; });
    raise_many(book, 100, 10, "fine.example", bounds, 2);
    const Booked* const chosen = give_up(book, of("www.good.example", 3), bounds);
    BOOST_REQUIRE(chosen != nullptr);
    BOOST_TEST(chosen->key == 7U);
}

BOOST_AUTO_TEST_CASE(what_was_there_before_has_no_owner_until_it_is_claimed) {
    Book book;
    for (unsigned i = 0; i < 50; ++i)
        BOOST_TEST(book.put(i, 5'000).is_new);
    // A restart gives no second share: of the adopted ones, too, no more than the share.
    BOOST_TEST(raise_many(book, 0, 50, "evil.example", kHundred) == 10U);
    const Booked* const refused = book.find(45);
    BOOST_REQUIRE(refused != nullptr);
    BOOST_TEST(refused->until_ms == 5'000U);  // it is there, and not prolonged
    BOOST_TEST(raise_many(book, 50, 10, "evil.example", kHundred) == 10U);
    BOOST_TEST(raise_many(book, 45, 1, "good.example", kHundred, 2) == 0U);
    BOOST_TEST(book.find(45)->until_ms == 10'000U);
}

BOOST_AUTO_TEST_CASE(a_claim_of_put_is_counted_when_it_becomes_ours) {
    Book book;
    raise_many(book, 0, 39, "evil.example", kHundred);
    for (const unsigned key : {100U, 101U})
        book.put(key, 5'000, of("m.evil.example"));
    BOOST_TEST(bool(book.raise(39, of("n39.evil.example"), 10'000, kHundred)));  // not counted yet
    book.drop(39);
    BOOST_TEST(book.own(*book.find(100), kHundred));
    BOOST_TEST(!book.own(*book.find(101), kHundred));
    BOOST_TEST((book.refusal().why == ClaimRefusal::suffix));
    BOOST_TEST(!book.raise(39, of("n39.evil.example"), 10'000, kHundred));
}

BOOST_AUTO_TEST_CASE(a_share_of_everything_and_no_limit_refuse_nothing) {
    const ClaimBounds unlimited{100, ShareLimits{}};
    BOOST_TEST(!unlimited.has_shares());
    BOOST_TEST(!ShareLimits{}.any());
    BOOST_TEST(kHundred.has_shares());
    Book book;
    BOOST_TEST(raise_many(book, 0, 100, "evil.example", unlimited) == 0U);
    book.for_each([](const Booked& one) { BOOST_TEST(!one.is_counted); });
    BOOST_TEST(!book.raise(100, of("n.evil.example"), 10'000, unlimited));
    BOOST_TEST((book.refusal().why == ClaimRefusal::list));
    BOOST_TEST((give_up(book, of("www.good.example", 2), unlimited) == nullptr));
    // A limit that comes later holds for claims as they are made again.
    BOOST_TEST(raise_many(book, 0, 100, "evil.example", kHundred) == 60U);
}

BOOST_AUTO_TEST_CASE(a_book_that_ends_gives_its_shares_back) {
    const auto shares = std::make_shared<Shares>();
    const Holders evil = Shares::within(of("a.evil.example"), 7);
    for (int round = 0; round < 3; ++round) {
        Book book(shares);
        for (unsigned i = 0; i < 10; ++i)
            BOOST_TEST(bool(book.raise(i, evil, 10'000, kHundred)));
        BOOST_TEST(shares->count(ShareKind::name, evil[0]) == 10U);
    }
    BOOST_TEST(shares->count(ShareKind::name, evil[0]) == 0U);
}

BOOST_AUTO_TEST_CASE(books_with_the_same_counts_divide_nothing) {
    const auto shares = std::make_shared<Shares>();
    Book one(shares), other(shares);
    const Holders evil = of("a.evil.example");
    for (unsigned i = 0; i < 10; ++i)
        BOOST_TEST(bool(one.raise(i, Shares::within(evil, 1), 10'000, kHundred)));
    BOOST_TEST(!one.raise(10, Shares::within(evil, 1), 10'000, kHundred));
    BOOST_TEST(bool(other.raise(10, Shares::within(evil, 2), 10'000, kHundred)));
    BOOST_TEST((Shares::within({}, 3) == Holders{}));
}

BOOST_AUTO_TEST_CASE(a_due_claim_stays_until_it_is_dropped_and_can_be_queued_again) {
    Book book;
    book.raise(1, {}, 20, 9);
    book.raise(2, {}, 10, 9);
    BOOST_TEST(book.next_expiry_ms() == 10U);
    BOOST_TEST((book.due(9) == nullptr));
    const Booked* const first = book.due(30);
    BOOST_REQUIRE(first != nullptr);
    BOOST_TEST(first->key == 2U);
    BOOST_TEST(book.due(30)->key == 1U);
    BOOST_TEST((book.due(30) == nullptr));
    BOOST_TEST(book.next_expiry_ms() == UINT64_MAX);
    BOOST_TEST(book.size() == 2U);
    book.requeue(*first, 40);
    book.requeue(*first, 35);  // it is queued
    BOOST_TEST(book.next_expiry_ms() == 40U);
    book.raise(2, {}, 50, 9);
    BOOST_TEST((book.due(45) == nullptr));  // it was prolonged
    BOOST_TEST(book.expire(50)->key == 2U);
    book.drop(1);
    BOOST_TEST(book.size() == 0U);
    const std::size_t slots = book.slots();
    book.raise(3, {}, 60, 9);
    book.raise(4, {}, 60, 9);
    BOOST_TEST(book.slots() == slots);
}

// Under random operations, the counts are those of the claims that are there: no share grows or is lost.
BOOST_AUTO_TEST_CASE(shares_agree_with_the_claims_that_are_there) {
    const auto shares = std::make_shared<Shares>();
    Book book(shares);
    std::mt19937 random{46};
    const auto number = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    for (std::uint64_t now = 1; now < 4'000; ++now) {
        for (int i = 0; i < 4; ++i) {
            const unsigned key = number(400);
            const Holders holders =
                of("n" + std::to_string(number(30)) + ".d" + std::to_string(number(5)) + ".example",
                   number(6));
            switch (number(6)) {
                case 0:
                    book.put(key, now + number(200), holders);
                    break;
                case 1:
                    book.drop(key);
                    break;
                case 2:
                    if (Booked* const chosen = give_up(book, holders, kHundred))
                        book.leave(*chosen);
                    break;
                default:
                    book.raise(key, holders, now + number(200), kHundred);
            }
        }
        if (Booked* const ended = book.due(now)) {
            if (number(2) == 0)
                book.drop(ended->key);
            else
                book.requeue(*ended, now + 5);
        }
        while (book.expire(now - std::min<std::uint64_t>(now, 50))) {
        }
        if (now % 100 != 0) continue;
        std::map<std::pair<std::size_t, std::uint32_t>, std::size_t> model;
        std::size_t leaving = 0, held = 0;
        book.for_each([&](const Booked& one) {
            ++held;
            leaving += one.is_leaving ? 1 : 0;
            for (std::size_t kind = 0; one.is_counted && kind < kShareKinds; ++kind)
                if (one.holders[kind] != 0) ++model[{kind, one.holders[kind]}];
        });
        BOOST_TEST(held == book.size());
        BOOST_TEST(leaving <= Book::kMostLeaving);
        // More only if both rows of the sketch collide; the end shows that nothing is left over.
        for (const auto& [holder, count] : model)
            BOOST_TEST(shares->count(static_cast<ShareKind>(holder.first), holder.second) >= count);
    }
    book.drop_if([](const Booked&) { return true; });
    for (unsigned i = 0; i < 6; ++i)
        BOOST_TEST(shares->count(ShareKind::client, of("", i)[2]) == 0U);
}

BOOST_AUTO_TEST_CASE(who_is_refused_is_named_once_a_minute) {
    RefusalLog log;
    const ListText text{"alias 'stream'", "elements", "max_elements"};
    const Origin evil{"a.evil.example", client(1)};
    BOOST_TEST(log.refused(ClaimRefusal::client, evil, kHundred, text, 1'000) ==
               "client 192.0.2.1 has its share of the 100 elements of alias 'stream' (60): more "
               "are refused; raise max_per_client, or write it as one of trusted_forwarders (1 "
               "refused, the last for a.evil.example asked by 192.0.2.1)");
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(log.refused(ClaimRefusal::name, evil, kHundred, text, 60'999).empty());
    BOOST_TEST(log.refused(ClaimRefusal::list, "x.example", kHundred, text, 61'000) ==
               "alias 'stream' has its 100 elements: more are refused; raise max_elements (6 "
               "refused, the last for x.example asked by a forwarder)");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros
