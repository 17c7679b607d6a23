// Messages recorded from dnspython 2.3.0, with the second of three left unsigned.
#include "control/sources/transfer/tsig.h"

#include "zone_maker.h"

namespace steer::transfer::test {
namespace {

constexpr std::uint64_t kSignedS = 1'700'000'000;
constexpr const char* kQuery =
    "1234000000010000000000010372707a076578616d706c650000fc00010478666572c01000fa00ff00000000003d0b"
    "686d61632d7368613235360000006553f100012c0020a3e4f1f8eb1fdc6efa3744a04b13d0ec92297a5a6c0b4d24b6"
    "6bf70d87e38fff123400000000";
constexpr const char* kFirst =
    "1234840000010002000000010372707a076578616d706c650000fc0001c00c000600010000012c0026096c6f63616c"
    "686f73740004726f6f74c0290000000700000e100000038400278d000000012cc00c000200010000012c0002c02904"
    "78666572c01000fa00ff00000000003d0b686d61632d7368613235360000006553f100012c00203551219434264199"
    "09258391d8bb276527a588bddf5e761df5d1b97e4b7591a7123400000000";
constexpr const char* kSecond =
    "12348400000000010000000003626164076578616d706c650372707a076578616d706c6500000500010000012c0001"
    "00";
constexpr const char* kThird =
    "123484000000000200000001012a03626164076578616d706c650372707a076578616d706c6500000500010000012c"
    "000100c01a000600010000012c0026096c6f63616c686f73740004726f6f74c03e0000000700000e10000003840027"
    "8d000000012c0478666572c01e00fa00ff00000000003d0b686d61632d7368613235360000006553f100012c00200d"
    "c63486841430c772595405e297bc25434acf344fcd6b98abcafdf47c1fb6ba123400000000";

// Of a response with BADTIME to kQuery at kSignedS + 301, made by dnspython.
constexpr const char* kBadTimeResponse =
    "1234800900010000000000000372707a076578616d706c650000fc0001";
constexpr const char* kBadTimeMac =
    "07435ea3ad232f719028648f2de021c73d3d22a6fd6576962e41d9b64f1fa074";

config::TsigKey signing_key() {
    constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
    return {wire("xfer.example"), "hmac-sha256", kSecret};
}

Bytes mac_of(ByteSpan message) {
    const auto found = find_tsig(message);
    BOOST_REQUIRE(found && *found);
    return (*found)->mac;
}

// Of a good query with this MAC.
QueryCheck check_with(Bytes mac) {
    TsigRecord tsig;
    tsig.key = signing_key().name;
    tsig.algorithm = wire(signing_key().algorithm);
    tsig.mac = std::move(mac);
    return {.is_good = true, .tsig = std::move(tsig)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tsig)

BOOST_AUTO_TEST_CASE(a_compressed_key_name_is_found) {
    const auto found = find_tsig(from_hex(kQuery));
    BOOST_REQUIRE_MESSAGE(found, (found ? "" : found.error().text));
    BOOST_REQUIRE(*found);
    BOOST_TEST((*found)->key == wire("xfer.example"));
    BOOST_TEST((*found)->time_s == kSignedS);
    BOOST_TEST((*found)->mac.size() == 32U);
}

BOOST_AUTO_TEST_CASE(a_query_of_dnspython_is_verified) {
    const QueryCheck right = verify_query(from_hex(kQuery), signing_key(), kSignedS + 10);
    BOOST_TEST(right.is_good, right.why);
    BOOST_TEST(right.tsig->mac == mac_of(from_hex(kQuery)));
    auto other = signing_key();
    other.secret = "another secret";
    BOOST_TEST(verify_query(from_hex(kQuery), other, kSignedS).error == kBadSig);
    other = signing_key();
    other.algorithm = "hmac-sha512";
    BOOST_TEST(verify_query(from_hex(kQuery), other, kSignedS).error == kBadKey);
    const QueryCheck late = verify_query(from_hex(kQuery), signing_key(), kSignedS + 301);
    BOOST_TEST(late.error == kBadTime);
    BOOST_TEST(!late.is_good);
}

BOOST_AUTO_TEST_CASE(a_refused_query_gets_the_error_of_the_rfc) {
    const config::TsigKey with = signing_key();
    Bytes query = response(7, "rpz.example", dns::kSoa, "", 0);
    sign_query(query, with, kSignedS);
    const auto found = find_tsig(query);
    const std::size_t start = (*found)->at, rdata = start + with.name.size() + dns::kRecordFixed;
    // A truncated MAC that is right (5.2.2.1).
    Bytes cut = query;
    const std::size_t mac_length = rdata + wire(with.algorithm).size() + 8;
    dns::store_be16(&cut[mac_length], 16);
    cut.erase(cut.begin() + static_cast<std::ptrdiff_t>(mac_length) + 18,
              cut.begin() + static_cast<std::ptrdiff_t>(mac_length) + 34);
    dns::store_be16(&cut[rdata - 2], static_cast<std::uint16_t>(cut.size() - rdata));
    BOOST_TEST(verify_query(cut, with, kSignedS).error == kBadTrunc);
    cut[mac_length + 2] ^= 1;
    BOOST_TEST(verify_query(cut, with, kSignedS).error == kBadSig);
    // A class that is not ANY, and a TTL (4.2).
    for (const std::size_t at : {rdata - 7, rdata - 3}) {
        Bytes odd = query;
        odd[at] ^= 1;
        BOOST_TEST(verify_query(odd, with, kSignedS).is_malformed);
    }
    // Another key: the response names the query's key, not ours.
    config::TsigKey other = with;
    other.name = wire("other.example");
    const QueryCheck unknown = verify_query(query, other, kSignedS);
    BOOST_TEST(unknown.error == kBadKey);
    Bytes answer = response(7, "rpz.example", dns::kSoa, "", dns::kQr | 9);
    sign_response(answer, other, unknown, kSignedS);
    BOOST_TEST((*find_tsig(answer))->key == with.name);
    BOOST_TEST((*find_tsig(answer))->mac.empty());
}

BOOST_AUTO_TEST_CASE(a_response_with_badtime_is_signed_as_by_dnspython) {
    const QueryCheck late = verify_query(from_hex(kQuery), signing_key(), kSignedS + 301);
    Bytes response = from_hex(kBadTimeResponse);
    sign_response(response, signing_key(), late, kSignedS + 301);
    BOOST_TEST(mac_of(response) == from_hex(kBadTimeMac));
}

BOOST_AUTO_TEST_CASE(a_response_with_an_unsigned_message_in_between_is_verified) {
    const config::TsigKey with = signing_key();
    TsigStream stream(with, mac_of(from_hex(kQuery)));
    for (const auto& [hex, is_signed] :
         {std::pair{kFirst, true}, std::pair{kSecond, false}, std::pair{kThird, true}}) {
        Bytes message = from_hex(hex);
        const auto taken = stream.take(message, kSignedS + 1);
        BOOST_REQUIRE_MESSAGE(taken, (taken ? "" : taken.error().text));
        BOOST_TEST(stream.is_signed() == is_signed);
        const auto left = find_tsig(message);
        BOOST_TEST((left && !*left));
    }
}

BOOST_AUTO_TEST_CASE(a_changed_or_missing_message_in_between_is_found) {
    const config::TsigKey with = signing_key();
    for (const bool is_missing : {true, false}) {
        TsigStream stream(with, mac_of(from_hex(kQuery)));
        Bytes first = from_hex(kFirst), second = from_hex(kSecond), third = from_hex(kThird);
        BOOST_REQUIRE(stream.take(first, kSignedS));
        second[20] ^= 1;
        if (!is_missing) BOOST_REQUIRE(stream.take(second, kSignedS));
        BOOST_TEST(!stream.take(third, kSignedS));
    }
}

BOOST_AUTO_TEST_CASE(an_unsigned_response_is_refused) {
    const config::TsigKey with = signing_key();
    TsigStream stream(with, {});
    Bytes message = from_hex(kSecond);
    BOOST_TEST(!stream.take(message, kSignedS));
}

BOOST_AUTO_TEST_CASE(what_we_sign_we_verify_with_each_algorithm) {
    for (const char* const algorithm :
         {"hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"}) {
        config::TsigKey with = signing_key();
        with.algorithm = algorithm;
        Bytes query = response(7, "rpz.example", dns::kSoa, "", 0);
        const Bytes mac = sign_query(query, with, kSignedS);
        const QueryCheck verified = verify_query(query, with, kSignedS);
        BOOST_TEST(verified.is_good, verified.why);
        BOOST_TEST(verified.tsig->mac == mac);
        Bytes answer = response(7, "rpz.example", dns::kSoa, soa(1));
        sign_response(answer, with, verified, kSignedS);
        TsigStream stream(with, mac);
        BOOST_TEST(stream.take(answer, kSignedS).has_value());
    }
}

BOOST_AUTO_TEST_CASE(wrong_macs_and_times_are_refused) {
    const config::TsigKey with = signing_key();
    config::TsigKey other = with;
    other.secret = "another secret";
    Bytes query = response(7, "rpz.example", dns::kSoa, "", 0);
    const Bytes mac = sign_query(query, with, kSignedS);
    const auto refusal = [&](const config::TsigKey& by, const Bytes& query_mac, std::uint64_t at_s,
                             std::size_t cut = 0) {
        Bytes answer = response(7, "rpz.example", dns::kSoa, soa(1));
        sign_response(answer, by, check_with(query_mac), at_s);
        answer.resize(answer.size() - cut);
        TsigStream stream(with, mac);
        const auto taken = stream.take(answer, kSignedS);
        return taken ? std::string() : taken.error().text;
    };
    BOOST_TEST(refusal(with, mac, kSignedS).empty());
    BOOST_TEST(refusal(with, mac, kSignedS - kTsigFudgeS).empty());
    BOOST_TEST(refusal(other, mac, kSignedS).find("wrong") != std::string::npos);
    BOOST_TEST(refusal(with, Bytes(32, 1), kSignedS).find("wrong") != std::string::npos);
    const std::string early = refusal(with, mac, kSignedS + kTsigFudgeS + 1);
    BOOST_TEST(early.find("clocks differ by -301 s") != std::string::npos, early);
    const std::string late = refusal(with, mac, kSignedS - kTsigFudgeS - 1);
    BOOST_TEST(late.find("clocks differ by 301 s") != std::string::npos, late);
    BOOST_TEST(!refusal(with, mac, kSignedS, 1).empty());
}

BOOST_AUTO_TEST_CASE(more_than_99_unsigned_messages_are_refused) {
    const config::TsigKey with = signing_key();
    Bytes query = response(7, "rpz.example", dns::kSoa, "", 0);
    const Bytes mac = sign_query(query, with, kSignedS);
    Bytes first = response(7, "rpz.example", dns::kSoa, soa(1));
    sign_response(first, with, check_with(mac), kSignedS);
    TsigStream stream(with, mac);
    BOOST_REQUIRE(stream.take(first, kSignedS));
    Bytes plain = from_hex(kSecond);
    for (int i = 0; i < 99; ++i)
        BOOST_REQUIRE(stream.take(plain, kSignedS));
    BOOST_TEST(!stream.is_signed());
    BOOST_TEST(!stream.take(plain, kSignedS));
}

BOOST_AUTO_TEST_CASE(an_error_of_the_primary_is_named) {
    const config::TsigKey with = signing_key();
    Bytes answer = response(7, "rpz.example", dns::kSoa, "", dns::kQr | 9);
    QueryCheck refused = check_with({});
    refused.error = kBadKey;
    sign_response(answer, with, refused, kSignedS);
    TsigStream stream(with, {});
    const auto taken = stream.take(answer, kSignedS);
    BOOST_REQUIRE(!taken);
    BOOST_TEST(taken.error().text.find("BADKEY") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::transfer::test
