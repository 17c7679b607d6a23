// What steerdnsd and steerdns-sets say to each other comes out as it went in, and nothing else comes out of other bytes.
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "control/sinks/set_process/plan_reader.h"
#include "control/sinks/set_process/set_messages.h"
#include "support/mutator.h"
#include "support/random.h"

using namespace steer;
using namespace steer::sets;

namespace {

const IpAddress kFour = *IpAddress::parse("203.0.113.7");
const IpAddress kSix = *IpAddress::parse("2001:db8::7");

std::vector<SetPlan> some_plans() {
    SetPlan both{
        .list = 3,
        .tag = "policy",
        .families = {{{"inet", "fw", "four", false}, 24}, {{"inet", "fw", "six", true}, 64}},
        .max_elements = 1000,
        .ends = {.linger_s = 300, .apart_s = 1800, .adopt_s = 3600},
        .shares = {.per_name = 50, .per_domain = 250, .per_client = SIZE_MAX}};
    for (unsigned i = 0; i < kMaxRows + 5; ++i) {
        const std::uint8_t four[4]{10, static_cast<std::uint8_t>(i >> 8),
                                   static_cast<std::uint8_t>(i), 0};
        both.never_claim.push_back(matchers::Prefix::masked(IpAddress::from_v4(four), 120));
    }
    return {both, {.list = kMaxLists - 1, .tag = "", .families = {{{"", "", "old", true}, 128}}}};
}

std::vector<Installed> some_rows(std::size_t count) {
    std::vector<Installed> rows;
    for (std::size_t i = 0; i < count; ++i)
        rows.push_back({static_cast<ListId>(i % kMaxLists), i % 2 == 0 ? kFour : kSix,
                        static_cast<std::uint32_t>(UINT32_MAX - i)});
    return rows;
}

// Every other one with an owner.
std::vector<ClaimRow> some_claims(std::size_t count, std::size_t name_bytes = 17) {
    std::vector<ClaimRow> claims;
    for (const Installed& row : some_rows(count)) {
        ClaimRow& claim = claims.emplace_back(ClaimRow{row});
        if (claims.size() % 2 == 0) continue;
        claim.holders = {1, 2, 3, 0, 5, UINT32_MAX};
        claim.origin = {std::string(name_bytes, 'n'), kSix};
    }
    return claims;
}

std::vector<RefusedRow> some_refused(std::size_t count) {
    std::vector<RefusedRow> rows;
    for (ClaimRow& claim : some_claims(count)) {
        RefusedRow& row = rows.emplace_back(RefusedRow{std::move(claim)});
        if (rows.size() % 2 == 1) row.why = {routeros::ClaimRefusal::client, true};
    }
    return rows;
}

void check_claims(const std::vector<ClaimRow>& got, const std::vector<ClaimRow>& wanted) {
    BOOST_TEST_REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        BOOST_TEST((got[i].what.list == wanted[i].what.list &&
                    got[i].what.address == wanted[i].what.address &&
                    got[i].what.until_s == wanted[i].what.until_s));
        BOOST_TEST((got[i].holders == wanted[i].holders));
        BOOST_TEST(got[i].origin.name == wanted[i].origin.name);
        BOOST_TEST((got[i].origin.client == wanted[i].origin.client));
    }
}

void check_rows(const std::vector<Installed>& got, const std::vector<Installed>& wanted) {
    BOOST_TEST_REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        BOOST_TEST((got[i].list == wanted[i].list && got[i].address == wanted[i].address &&
                    got[i].until_s == wanted[i].until_s));
    }
}

SetState a_state() {
    return {.index = 1,
            .total = 2,
            .write_us = 36'000,
            .status = {.set = {"ip", "fw", "nets", false},
                       .ready = true,
                       .ability = {.timeouts = false, .prefixes = true, .removal = true},
                       .error = "interval overlaps",
                       .claims = 7,
                       .pending = 2,
                       .counters = {.added = std::numeric_limits<std::uint64_t>::max(),
                                    .failed = 1,
                                    .restored = 2,
                                    .full = 3,
                                    .removed = 4,
                                    .adopted = 5,
                                    .damped = 6}}};
}

// One of each kind.
std::vector<std::string> all_kinds() {
    auto all = encode_plans(9, some_plans());
    const ListId lists[]{0, 5, kMaxLists - 1};
    for (std::string& one :
         std::vector{encode_claims(9, some_claims(3)), encode_written(9, some_rows(2)),
                     encode_refused(9, some_refused(2)), encode_lost(9, lists),
                     encode_log(Level::warning, "a sentence"), encode_state(9, a_state()),
                     encode_state(9, SetState{})})
        all.push_back(std::move(one));
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(messages)

BOOST_AUTO_TEST_CASE(plans_in_several_messages_are_reassembled) {
    PlanReader reader;
    const auto encoded = encode_plans(9, some_plans());
    BOOST_TEST(encoded.size() == 6U);  // begin, plan, two parts of its prefixes, plan, end
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        BOOST_TEST(encoded[i].size() <= kMaxMessage);
        auto message = decode(encoded[i]);
        BOOST_TEST_REQUIRE(message.has_value());
        const auto progress = reader.take(std::move(*message));
        BOOST_TEST((progress == (i + 1 == encoded.size() ? PlanReader::Progress::whole
                                                         : PlanReader::Progress::more)));
    }
    BOOST_TEST(reader.number() == 9U);
    BOOST_TEST((reader.plans() == some_plans()));
}

BOOST_AUTO_TEST_CASE(incomplete_plans_are_forgotten_when_new_ones_begin) {
    PlanReader reader;
    const auto first = encode_plans(1, some_plans());
    for (std::size_t i = 0; i < 3; ++i)
        BOOST_TEST((reader.take(*decode(first[i])) == PlanReader::Progress::more));
    for (const auto& one : encode_plans(2, {some_plans()[1]}))
        BOOST_TEST((reader.take(*decode(one)) != PlanReader::Progress::wrong));
    BOOST_TEST(reader.number() == 2U);
    BOOST_TEST(reader.plans().size() == 1U);
}

BOOST_AUTO_TEST_CASE(parts_of_plans_out_of_order_are_refused) {
    const auto plans = encode_plans(1, some_plans());
    for (const std::size_t first : {std::size_t{1}, std::size_t{2}, plans.size() - 1}) {
        PlanReader reader;
        BOOST_TEST((reader.take(*decode(plans[first])) == PlanReader::Progress::wrong));
    }
    PlanReader reader;
    (void)reader.take(*decode(plans[0]));
    BOOST_TEST(
        (reader.take(*decode(plans[2])) == PlanReader::Progress::wrong));  // prefixes of none
    (void)reader.take(*decode(plans[0]));
    BOOST_TEST((reader.take(*decode(encode_plans(2, some_plans())[1])) ==
                PlanReader::Progress::wrong));  // of other plans
    BOOST_TEST(
        (reader.take(*decode(encode_claims(1, some_claims(1)))) == PlanReader::Progress::wrong));
}

BOOST_AUTO_TEST_CASE(rows_lists_lines_and_states_are_read_as_written) {
    const std::size_t many = 700;
    const auto claims = decode(encode_claims(4, some_claims(many)));
    BOOST_TEST_REQUIRE(claims.has_value());
    BOOST_TEST(claims->plans == 4U);
    check_claims(std::get<ClaimRows>(claims->what).rows, some_claims(many));
    const auto written = decode(encode_written(5, some_rows(1)));
    check_rows(std::get<WrittenRows>(written->what).rows, some_rows(1));
    const auto refused = decode(encode_refused(5, some_refused(2)));
    const auto& rows = std::get<RefusedRows>(refused->what).rows;
    BOOST_TEST_REQUIRE(rows.size() == 2U);
    check_claims({rows[0].claim, rows[1].claim}, some_claims(2));
    BOOST_TEST((rows[0].why->why == routeros::ClaimRefusal::client && rows[0].why->of_client));
    BOOST_TEST(!rows[1].why);
    const ListId lists[]{0, kMaxLists - 1};
    const auto lost = decode(encode_lost(5, lists));
    BOOST_TEST((std::get<LostLists>(lost->what).lists == std::vector<ListId>{0, kMaxLists - 1}));
    const auto line = decode(encode_log(Level::warning, "a sentence"));
    BOOST_TEST((std::get<LogLine>(line->what).level == Level::warning));
    BOOST_TEST(std::get<LogLine>(line->what).text == "a sentence");
    const auto decoded = decode(encode_state(6, a_state()));
    const auto& state = std::get<SetState>(decoded->what);
    BOOST_TEST(state.index == 1U);
    BOOST_TEST(state.total == 2U);
    BOOST_TEST(state.write_us == 36'000U);
    BOOST_TEST((state.status.set == a_state().status.set));
    BOOST_TEST(
        (state.status.ready && !state.status.ability.timeouts && state.status.ability.prefixes));
    BOOST_TEST(state.status.ability.removal);
    BOOST_TEST(state.status.counters.damped == 6U);
    BOOST_TEST(state.status.error == "interval overlaps");
    BOOST_TEST((state.status.claims == 7 && state.status.pending == 2));
    BOOST_TEST(state.status.counters.added == std::numeric_limits<std::uint64_t>::max());
    BOOST_TEST(state.status.counters.full == 3U);
    BOOST_TEST(std::get<SetState>(decode(encode_state(6, SetState{}))->what).total == 0U);
}

BOOST_AUTO_TEST_CASE(a_message_has_as_many_claims_as_fit) {
    for (const std::size_t name_bytes : {0U, 17U, 255U, 300U}) {
        const auto claims = some_claims(5'000, name_bytes);
        std::span<const ClaimRow> left = claims;
        while (!left.empty()) {
            const auto part = fitting(left);
            BOOST_TEST_REQUIRE(!part.empty());
            const std::string message = encode_claims(1, part);
            BOOST_TEST(message.size() <= kMaxMessage);
            const auto decoded = decode(message);
            BOOST_TEST_REQUIRE(decoded.has_value());
            BOOST_TEST(std::get<ClaimRows>(decoded->what).rows.size() == part.size());
            left = left.subspan(part.size());
        }
    }
    const auto rows = some_rows(kMaxRows + 1);
    BOOST_TEST(fitting(std::span<const Installed>(rows)).size() == kMaxRows);
}

BOOST_AUTO_TEST_CASE(long_text_is_cut) {
    const auto line = decode(encode_log(Level::info, std::string(5000, 'x')));
    BOOST_TEST(std::get<LogLine>(line->what).text.size() == kMaxText);
}

BOOST_AUTO_TEST_CASE(a_wrong_version_kind_or_length_is_refused) {
    for (const std::string& good : all_kinds()) {
        BOOST_TEST(decode(good).has_value());
        std::string bad = good;
        bad[0] = static_cast<char>(kMessageVersion + 1);
        BOOST_TEST(!decode(bad).has_value());
        bad = good;
        bad[offsetof(MessageHead, kind)] = static_cast<char>(MessageKind::count_);
        BOOST_TEST(!decode(bad).has_value());
        BOOST_TEST(!decode(good + '\0').has_value());
        for (std::size_t size = 0; size < std::min<std::size_t>(good.size(), 200); ++size)
            BOOST_TEST(!decode(std::string_view(good).substr(0, size)).has_value());
    }
}

BOOST_AUTO_TEST_CASE(impossible_values_are_refused) {
    const auto broken = [](std::string message, std::size_t at, std::uint8_t value) {
        message[at] = static_cast<char>(value);
        return message;
    };
    constexpr std::size_t kHead = sizeof(MessageHead);
    constexpr std::size_t kCount = offsetof(MessageHead, count);
    const std::string row = encode_claims(1, some_claims(1));
    BOOST_TEST(!decode(broken(row, kHead + offsetof(RowRecord, list) + 1, 0xff)));
    for (const std::size_t at : {offsetof(ClaimRecord, has_client), offsetof(ClaimRecord, refusal),
                                 offsetof(ClaimRecord, of_client)})
        BOOST_TEST(!decode(broken(row, kHead + at, 7)));
    BOOST_TEST(!decode(broken(row, kHead + offsetof(ClaimRecord, name_bytes), 18)));
    BOOST_TEST(!decode(broken(row, kHead + offsetof(ClaimRecord, refusal), 1)));  // not of claims
    BOOST_TEST(!decode(broken(row, kCount, 2)));
    BOOST_TEST(!decode(broken(row, kCount + 3, 0xff)));
    const auto plans = encode_plans(1, some_plans());
    BOOST_TEST(!decode(broken(plans[2], kHead + offsetof(PrefixRecord, length), 129)));
    BOOST_TEST(!decode(broken(plans[1], kCount, 3)));  // families
    BOOST_TEST(!decode(broken(plans[1], kCount, 0)));
    BOOST_TEST(!decode(broken(encode_log(Level::info, "x"), kCount, 7)));
    BOOST_TEST(!decode(broken(encode_state(1, a_state()), kHead, 2)));  // index of two
}

// Whatever a message is turned into, it is refused or is one that can be reported again.
BOOST_AUTO_TEST_CASE(damaged_messages_are_refused_or_still_valid) {
    test::Random random{20261123};
    const auto good = all_kinds();
    unsigned refused = 0, taken = 0;
    for (unsigned i = 0; i < 50'000; ++i) {
        const std::string& one = good[random.below(static_cast<std::uint32_t>(good.size()))];
        std::vector<std::uint8_t> bytes(
            one.begin(),
            one.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(one.size(), 512)));
        test::mutate(bytes, random);
        if (bytes.size() >= sizeof(MessageHead) && random.below(2) == 0) {
            const auto size = static_cast<std::uint32_t>(bytes.size());
            std::memcpy(bytes.data() + offsetof(MessageHead, bytes), &size, sizeof size);
        }
        const auto message = decode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        if (!message) {
            ++refused;
            continue;
        }
        ++taken;
        if (const auto* const claims = std::get_if<ClaimRows>(&message->what)) {
            BOOST_TEST(encode_claims(message->plans, claims->rows).size() == bytes.size());
            for (const ClaimRow& row : claims->rows)
                BOOST_TEST(row.what.list < kMaxLists);
        }
    }
    BOOST_TEST(refused > 1'000U);
    BOOST_TEST(taken > 1'000U);
}

BOOST_AUTO_TEST_SUITE_END()
