#include "control/sources/transfer/notify.h"

#include "control/sources/transfer/tsig.h"
#include "zone_maker.h"

namespace steer::transfer::test {
namespace {

constexpr std::uint64_t kNowS = 1'700'000'000;
const IpAddress kPrimary = *IpAddress::parse("192.0.2.1");
const IpAddress kStranger = *IpAddress::parse("192.0.2.2");

config::TsigKey notify_key() {
    return {wire("key.example"), "hmac-sha256", std::string(32, 7)};
}

struct Book {
    explicit Book(std::optional<config::TsigKey> with = std::nullopt)
        : book([this](const std::string& tag, const IpAddress&) { tags.push_back(tag); },
               [] { return kNowS; }) {
        book.set(
            {{"feed", wire("rpz.example"),
              matchers::PrefixSet({matchers::Prefix::masked(kPrimary, 128)}), std::move(with)}});
    }
    Bytes answer(const IpAddress& from, const Bytes& message,
                 ClientTransport transport = ClientTransport::udp) {
        return book.answer(from, transport, message);
    }
    std::vector<std::string> tags;
    NotifyBook book;
};

Bytes notify_of(const std::string& zone) {
    return response(77, zone, dns::kSoa, "", dns::kOpcodeNotify | dns::kAa);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(notify)

BOOST_AUTO_TEST_CASE(a_primary_is_answered_and_its_zone_is_due) {
    Book book;
    const Bytes answer = book.answer(kPrimary, notify_of("rpz.example"));
    BOOST_REQUIRE_GE(answer.size(), dns::kHeaderSize);
    BOOST_TEST(dns::load_be16(answer.data()) == 77U);
    BOOST_TEST(dns::load_be16(&answer[2]) == (dns::kQr | dns::kAa | dns::kOpcodeNotify));
    BOOST_TEST(book.tags == std::vector<std::string>{"feed"});
    BOOST_TEST(book.book.count(NotifyResult::accepted) == 1U);
}

BOOST_AUTO_TEST_CASE(others_are_not_for_us) {
    Book book;
    BOOST_TEST(book.answer(kStranger, notify_of("rpz.example")).empty());
    BOOST_TEST(book.answer(kPrimary, notify_of("other.example")).empty());
    BOOST_TEST(book.answer(kPrimary, response(1, "rpz.example", dns::kSoa, "", 0)).empty());
    BOOST_TEST(book.answer(kPrimary, Bytes(5)).empty());
    BOOST_TEST(book.tags.empty());
}

BOOST_AUTO_TEST_CASE(with_a_key_only_signed_messages_count) {
    Book book(notify_key());
    const Bytes plain = book.answer(kPrimary, notify_of("rpz.example"));
    BOOST_REQUIRE(!plain.empty());
    BOOST_TEST((plain[3] & dns::kRcodeMask) == 9);
    BOOST_TEST(book.tags.empty());
    Bytes message = notify_of("rpz.example");
    const config::TsigKey with = notify_key();
    const Bytes mac = sign_query(message, with, kNowS);
    Bytes answer = book.answer(kPrimary, message);
    BOOST_TEST((answer[3] & dns::kRcodeMask) == 0);
    TsigStream stream(with, mac);
    BOOST_TEST(stream.take(answer, kNowS).has_value());
    BOOST_TEST(book.tags.size() == 1U);
    message[message.size() - 20] ^= 1;
    Bytes refused = book.answer(kPrimary, message);
    BOOST_TEST((refused[3] & dns::kRcodeMask) == 9);
    BOOST_TEST(book.book.count(NotifyResult::bad_signature) == 2U);
    BOOST_TEST(!book.book.take_refusal().empty());
    BOOST_TEST(book.book.take_refusal().empty());
}

BOOST_AUTO_TEST_CASE(a_flood_is_one_report_until_the_check_begins) {
    Book book;
    for (int i = 0; i < 1000; ++i)
        BOOST_TEST(!book.answer(kPrimary, notify_of("rpz.example")).empty());
    BOOST_TEST(book.tags.size() == 1U);
    BOOST_TEST(book.book.count(NotifyResult::accepted) == 1000U);
    book.book.begun("feed");
    (void)book.answer(kPrimary, notify_of("rpz.example"));
    BOOST_TEST(book.tags.size() == 2U);
}

BOOST_AUTO_TEST_CASE(each_secondary_of_a_zone_that_accepts_is_checked) {
    Book book;
    config::TsigKey other = notify_key();
    other.name = wire("other.example");
    const matchers::PrefixSet senders({matchers::Prefix::masked(kPrimary, 128)});
    book.book.set({{"first", wire("rpz.example"), senders, other},
                   {"second", wire("rpz.example"), senders, notify_key()},
                   {"third", wire("rpz.example"), senders, notify_key()}});
    Bytes message = notify_of("rpz.example");
    (void)sign_query(message, notify_key(), kNowS);
    const Bytes answer = book.answer(kPrimary, message);
    BOOST_TEST((answer[3] & dns::kRcodeMask) == 0);
    BOOST_TEST(book.tags == (std::vector<std::string>{"second", "third"}));
    BOOST_TEST(book.book.count(NotifyResult::accepted) == 1U);
    BOOST_TEST(book.book.take_refusal().empty());
}

BOOST_AUTO_TEST_CASE(another_key_uses_up_no_verification) {
    Book book(notify_key());
    config::TsigKey unknown = notify_key();
    unknown.name = wire("guessed.example");
    Bytes guessed = notify_of("rpz.example");
    (void)sign_query(guessed, unknown, kNowS);
    for (std::uint32_t i = 0; i <= NotifyBook::kMostSigned; ++i) {
        (void)book.answer(kPrimary, notify_of("rpz.example"));
        (void)book.answer(kPrimary, guessed);
    }
    Bytes message = notify_of("rpz.example");
    (void)sign_query(message, notify_key(), kNowS);
    BOOST_TEST((book.answer(kPrimary, message)[3] & dns::kRcodeMask) == 0);
    BOOST_TEST(book.book.count(NotifyResult::too_many) == 0U);
}

BOOST_AUTO_TEST_CASE(a_bounded_number_of_signatures_is_verified_in_a_second) {
    Book book(notify_key());
    Bytes message = notify_of("rpz.example");
    (void)sign_query(message, {wire("key.example"), "hmac-sha256", std::string(32, 8)}, kNowS);
    for (std::uint32_t i = 0; i < NotifyBook::kMostSigned; ++i)
        (void)book.answer(kPrimary, message);
    BOOST_TEST(book.book.count(NotifyResult::bad_signature) == NotifyBook::kMostSigned);
    const Bytes answer = book.answer(kPrimary, message);
    BOOST_TEST((answer[3] & dns::kRcodeMask) == 2);
    BOOST_TEST(book.book.count(NotifyResult::too_many) == 1U);
    // A flood with forged senders does not use up what a connection of the primary has.
    Bytes good = notify_of("rpz.example");
    (void)sign_query(good, notify_key(), kNowS);
    BOOST_TEST((book.answer(kPrimary, good)[3] & dns::kRcodeMask) == 2);
    BOOST_TEST((book.answer(kPrimary, good, ClientTransport::tcp)[3] & dns::kRcodeMask) == 0);
    BOOST_TEST(book.tags.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_old_signature_is_refused) {
    Book book(notify_key());
    Bytes message = notify_of("rpz.example");
    const std::uint64_t signed_s = kNowS - kTsigFudgeS - 1;
    (void)sign_query(message, notify_key(), signed_s);
    const Bytes answer = book.answer(kPrimary, message);
    BOOST_TEST((answer[3] & dns::kRcodeMask) == 9);
    BOOST_TEST(book.tags.empty());
    BOOST_TEST(book.book.take_refusal().find("clocks differ") != std::string::npos);
    // The sender learns our time by a signature that it accepts (RFC 8945 5.2.3).
    const auto tsig = find_tsig(answer);
    BOOST_REQUIRE((tsig && *tsig));
    BOOST_TEST((*tsig)->error == kBadTime);
    BOOST_TEST((*tsig)->time_s == signed_s);
    Bytes ours;
    put48(ours, kNowS);
    BOOST_TEST((*tsig)->other == ours);
    BOOST_TEST((*tsig)->mac.size() == 32U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::transfer::test
