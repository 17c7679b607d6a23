// What the sinks of a list say, as workers hear it: sinks of the test's own, as another vendor's would be.
#define BOOST_TEST_MODULE lists
#include "control/sinks/routers/list_service.h"

#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/event/row_board.h"
#include "support/eal_fixture.h"

using steer::test::EalFixture;
BOOST_TEST_GLOBAL_FIXTURE(EalFixture);

namespace steer {
namespace {

constexpr ListId kList = 5;
const IpAddress kA = *IpAddress::parse("203.0.113.1");
const IpAddress kB = *IpAddress::parse("2001:db8::1");

// A sink of the test's own: all that a new one has to provide. What it is asked for is kept.
class FakeSink final : public ClaimSink {
  public:
    FakeSink(std::string called, SinkObserver& observer)
        : name_(std::move(called)), observer_(observer) {}
    void keep(config::Quorum quorum) { lists_ = {{kList, "policy", quorum}}; }

    void be_of(ListId list) { lists_.front().id = list; }
    void allow(const IpAddress& address) { lists_.front().terms.allowed = {address}; }

    [[nodiscard]] std::vector<KeptList> lists() const override { return lists_; }
    void claim(const Claim& claim, std::uint64_t /*now_ms*/) override {
        for (const IpAddress& address : claim.addresses)
            claimed.push_back(address);
        name = claim.name;
        row_life_s = claim.row_life_s;
        if (is_full) {
            for (const IpAddress& address : claim.addresses)
                observer_.refused(*this, claim.list, address, whom);
        }
        if (claim.hold_token == 0) return;
        if (settles) {
            observer_.settled(claim.hold_token, *settles);
        } else {
            tokens.push_back(claim.hold_token);
        }
    }
    [[nodiscard]] SinkHealth health() const override {
        return {.name = name_, .rows = claimed.size()};
    }

    void here() { observer_.away(*this, kList, false); }
    void away() { observer_.away(*this, kList, true); }
    void epoch() { observer_.epoch(*this, kList); }
    void installed(const IpAddress& address, std::uint32_t until_s) {
        observer_.installed(*this, kList, address, until_s);
    }
    void ended(const IpAddress& address) { observer_.ended(*this, kList, address); }
    void lost(const IpAddress& address) { observer_.lost(*this, kList, address); }
    void settle(Outcome outcome) {
        for (const std::uint64_t token : std::exchange(tokens, {}))
            observer_.settled(token, outcome);
    }

    void refused(const IpAddress& address) { observer_.refused(*this, kList, address, whom); }

    std::optional<Outcome> settles;  // within claim()
    bool is_full = false;
    RefusedFor whom = RefusedFor::all;
    std::vector<IpAddress> claimed;
    std::vector<std::uint64_t> tokens;
    std::string name;
    std::uint32_t row_life_s = 0;

  private:
    std::string name_;
    SinkObserver& observer_;
    std::vector<KeptList> lists_{{kList, "policy", config::Quorum::healthy}};
};

// Two sinks that have reported nothing, and the list that both keep.
struct Place {
    explicit Place(unsigned board_rows = 64)
        : options{.board_rows = board_rows, .small_buffers = 64, .large_buffers = 1} {}
    void configure(config::Quorum quorum = config::Quorum::healthy) {
        first.keep(quorum);
        second.keep(quorum);
        service.configure({&first, &second});
    }
    std::uint32_t known(const IpAddress& address) {
        return runtime.shared().board->installed_until(kList, address, epoch());
    }
    std::uint32_t epoch() { return (*runtime.shared().lists)[kList].epoch(); }
    bool away() { return (*runtime.shared().lists)[kList].away; }
    static Event event() {
        Event event{};
        event.list = kList;
        event.count = 1;
        event.addresses[0] = kA;
        event.row_life_s = 60;
        event.name_len = 1;  // the root
        return event;
    }
    Refusal refusal(const IpAddress& address, std::uint32_t now_s) {
        return runtime.shared().board->refusal(kList, address, kRoot, client, now_s);
    }
    const ListState& state() { return (*runtime.shared().lists)[kList]; }
    std::uint64_t count(Outcome outcome) {
        return acknowledger.outcomes[static_cast<std::size_t>(outcome)];
    }
    // Whether the answer has its row depends on how many have to have it.
    void one_of_two_is_full(config::Quorum quorum) {
        configure(quorum);
        first.here();
        second.here();
        first.is_full = true;
        first.settles = Outcome::refused;
        second.settles = Outcome::installed;
        Event waiting = event();
        waiting.hold_token = kToken;
        BOOST_TEST(service.take(waiting, 1000));
        const bool is_enough = quorum == config::Quorum::any;
        BOOST_TEST((take_outcome() == (is_enough ? Outcome::installed : Outcome::refused)));
        BOOST_TEST((refusal(kA, 1) == (is_enough ? Refusal::none : Refusal::stands)));
        first.away();
        BOOST_TEST(service.take(event(), 2000));
        const bool is_needed = quorum == config::Quorum::all;
        BOOST_TEST((refusal(kA, 2) == (is_needed ? Refusal::stands : Refusal::none)));
        second.is_full = true;
        BOOST_TEST(service.take(event(), 3000));
        BOOST_TEST((refusal(kA, 3) == Refusal::stands));
    }
    // Of who waits; nothing: not reported yet.
    std::optional<Outcome> take_outcome() {
        Message message;
        if (runtime.acknowledgements(0).pop(&message, 1) == 0) return {};
        BOOST_TEST(message.token == kToken);
        return static_cast<Outcome>(message.b);
    }

    static constexpr std::array<std::uint8_t, 1> kRoot{};  // the name of event()
    IpAddress client{};
    const std::uint64_t kToken = make_hold_token(0, 1, 1);
    RuntimeOptions options;
    DataplaneRuntime runtime{options};
    Acknowledger acknowledger{runtime};
    std::vector<std::string> warnings;
    ListService service{runtime, acknowledger,
                        [this](const std::string& sentence) { warnings.push_back(sentence); }};
    FakeSink first{"first", service}, second{"second", service};
};

BOOST_FIXTURE_TEST_SUITE(list_service, Place)

BOOST_AUTO_TEST_CASE(one_sink_decides_what_is_installed) {
    service.configure({&first});
    BOOST_TEST(away());
    first.here();
    BOOST_TEST(!away());
    first.installed(kA, 100);
    second.installed(kB, 100);  // it does not keep the list
    BOOST_TEST(known(kA) == 100U);
    BOOST_TEST(known(kB) == 0U);
    const auto before = epoch();
    first.epoch();
    BOOST_TEST(epoch() == before + 1);
    BOOST_TEST(known(kA) == 0U);
}

// A sink that never says that a row ended, as the kernel's sets, whose elements end by themselves.
BOOST_AUTO_TEST_CASE(rows_that_ended_make_room_on_the_row_board) {
    service.configure({&first});
    first.here();
    const auto address = [](unsigned n) {
        const std::uint8_t four[] = {203, 0, 113, static_cast<std::uint8_t>(n)};
        return IpAddress::from_v4(four);
    };
    for (unsigned n = 0; n < 200; ++n)
        first.installed(address(n), 10);
    const RowBoard& board = *runtime.shared().board;
    BOOST_TEST(board.size() == options.board_rows);
    BOOST_TEST(service.board_full() == 200U - options.board_rows);
    service.forget_ended(9'000);
    BOOST_TEST(board.size() == options.board_rows);
    service.forget_ended(11'000);
    BOOST_TEST(board.size() == 0U);
    first.installed(address(199), 100);
    BOOST_TEST(known(address(199)) == 100U);
    BOOST_TEST(service.board_full() == 200U - options.board_rows);
}

// What several sinks reported is kept beside the row board: it goes once all their rows ended.
BOOST_AUTO_TEST_CASE(rows_of_two_sinks_are_forgotten_after_both_ended) {
    configure();
    first.here();
    second.here();
    first.installed(kA, 100);
    second.installed(kA, 200);
    service.forget_ended(150'000);
    BOOST_TEST(known(kA) == 0U);
    first.installed(kA, 300);
    BOOST_TEST(known(kA) == 200U);
    service.forget_ended(310'000);
    second.installed(kA, 400);
    BOOST_TEST(known(kA) == 0U);  // the first has reported nothing since
}

BOOST_AUTO_TEST_CASE(the_earlier_end_of_two_rows_counts) {
    configure();
    first.here();
    second.here();
    first.installed(kA, 100);
    BOOST_TEST(known(kA) == 0U);
    second.installed(kA, 90);
    BOOST_TEST(known(kA) == 90U);
    second.installed(kA, 120);
    BOOST_TEST(known(kA) == 100U);
    const std::uint32_t losses = state().losses();
    first.lost(kA);
    BOOST_TEST(state().losses() == losses + 1);
    BOOST_TEST(known(kA) == 0U);
    second.lost(kA);
    BOOST_TEST(runtime.shared().board->size() == 0U);
}

BOOST_AUTO_TEST_CASE(an_unreachable_sink_does_not_count_until_it_is_back) {
    configure();
    first.here();
    first.installed(kA, 100);
    BOOST_TEST(known(kA) == 100U);  // the second has not been here yet
    BOOST_TEST(!away());
    second.installed(kB, 100);  // and has more than one row before it is
    const auto before = epoch();
    second.here();
    BOOST_TEST(epoch() == before + 1);
    BOOST_TEST(known(kA) == 0U);
    second.installed(kA, 80);
    BOOST_TEST(known(kA) == 80U);
    // Its connection ends: what it had is void, the first's is not.
    second.away();
    second.epoch();
    BOOST_TEST(known(kA) == 100U);
    BOOST_TEST(!away());
    first.away();
    BOOST_TEST(away());
    first.epoch();
    BOOST_TEST(known(kA) == 0U);
}

BOOST_AUTO_TEST_CASE(with_quorum_all_every_sink_counts) {
    configure(config::Quorum::all);
    first.here();
    first.installed(kA, 100);
    BOOST_TEST(known(kA) == 0U);
    BOOST_TEST(away());
    second.here();
    BOOST_TEST(!away());
    second.installed(kA, 100);
    BOOST_TEST(known(kA) == 100U);
    second.away();  // it hangs: what it has is there
    BOOST_TEST(away());
    BOOST_TEST(known(kA) == 100U);
    // A reload asks for less.
    second.epoch();
    BOOST_TEST(known(kA) == 0U);
    configure();
    BOOST_TEST(known(kA) == 100U);
    BOOST_TEST(!away());
}

BOOST_AUTO_TEST_CASE(a_removed_list_starts_empty_when_it_is_configured_again) {
    configure();
    first.here();
    first.installed(kA, 100);
    service.configure({});
    BOOST_TEST(away());
    BOOST_TEST(known(kA) == 0U);
    BOOST_TEST(!service.take(event(), 1000));
    configure();
    BOOST_TEST(service.take(event(), 1000));
    BOOST_TEST(known(kA) == 0U);
}

BOOST_AUTO_TEST_CASE(a_claim_reaches_every_sink_of_its_list_unchanged) {
    configure();
    BOOST_TEST(service.take(event(), 1000));
    for (const FakeSink* const sink : {&first, &second}) {
        BOOST_TEST_REQUIRE(sink->claimed.size() == 1U);
        BOOST_TEST((sink->claimed.front() == kA));
        BOOST_TEST(sink->row_life_s == 60U);
        BOOST_TEST(sink->name == ".");
        BOOST_TEST(sink->tokens.empty());
    }
}

BOOST_AUTO_TEST_CASE(an_answer_that_waits_for_several_routers_is_released_once) {
    configure();
    first.settles = second.settles = Outcome::router_away;
    Event waiting = event();
    waiting.hold_token = kToken;
    BOOST_TEST(service.take(waiting, 1000));
    BOOST_TEST((take_outcome() == Outcome::router_away));
    BOOST_TEST(!take_outcome());
}

BOOST_AUTO_TEST_CASE(an_answer_that_waits_for_one_sink_gets_its_outcome) {
    service.configure({&first});
    Event waiting = event();
    waiting.hold_token = kToken;
    BOOST_TEST(service.take(waiting, 1000));
    BOOST_TEST(!take_outcome());
    first.settle(Outcome::installed);
    BOOST_TEST((take_outcome() == Outcome::installed));
}

BOOST_AUTO_TEST_CASE(with_quorum_any_the_first_success_ends_the_wait) {
    configure(config::Quorum::any);
    Event waiting = event();
    waiting.hold_token = kToken;
    BOOST_TEST(service.take(waiting, 1000));
    first.settle(Outcome::failed);
    BOOST_TEST(!take_outcome());
    second.settle(Outcome::installed);
    BOOST_TEST((take_outcome() == Outcome::installed));
    BOOST_TEST(!take_outcome());
}

// A slow router is reachable: the answer has no row there, whatever the other one wrote.
BOOST_AUTO_TEST_CASE(a_router_that_cannot_write_in_time_decides_unless_any_is_enough) {
    for (const auto quorum : {config::Quorum::healthy, config::Quorum::all, config::Quorum::any}) {
        for (const bool is_first : {false, true}) {
            configure(quorum);
            first.settles = is_first ? Outcome::late : Outcome::installed;
            second.settles = is_first ? Outcome::installed : Outcome::late;
            Event waiting = event();
            waiting.hold_token = kToken;
            BOOST_TEST(service.take(waiting, 1000));
            BOOST_TEST((take_outcome() ==
                        (quorum == config::Quorum::any ? Outcome::installed : Outcome::late)));
            BOOST_TEST(!take_outcome());
        }
    }
    configure();
    first.settles = Outcome::late;
    second.settles = Outcome::router_away;
    Event waiting = event();
    waiting.hold_token = kToken;
    BOOST_TEST(service.take(waiting, 1000));
    BOOST_TEST((take_outcome() == Outcome::late));
    BOOST_TEST(count(Outcome::late) == 0U);  // workers count it
}

BOOST_AUTO_TEST_CASE(an_end_at_its_time_makes_no_answer_ask_again) {
    service.configure({&first});
    first.here();
    service.forget_ended(99'600);
    first.installed(kA, 100);
    const std::uint64_t changes = runtime.shared().lists->changes();
    first.ended(kA);  // reported at 100'000
    BOOST_TEST(runtime.shared().lists->changes() == changes);
}

BOOST_AUTO_TEST_CASE(a_row_that_is_shortened_or_lost_makes_answers_ask_again) {
    service.configure({&first});
    first.here();
    const std::uint32_t losses = state().losses(), failures = state().failures();
    first.installed(kA, 180);
    first.installed(kA, 160);
    BOOST_TEST(state().losses() == losses + 1);
    BOOST_TEST(state().failures() == failures + 1);
    first.lost(kA);
    BOOST_TEST(state().losses() == losses + 2);
}

BOOST_AUTO_TEST_CASE(a_claim_that_is_given_up_before_its_row_makes_requested_rows_ask_again) {
    service.configure({&first});
    first.here();
    const std::uint32_t losses = state().losses(), failures = state().failures();
    first.lost(kA);
    BOOST_TEST(state().losses() == losses);
    BOOST_TEST(state().failures() == failures + 1);
}

// Else one client could make all other answers claim again and again.
BOOST_AUTO_TEST_CASE(a_flood_of_refused_claims_is_counted_twice_a_second) {
    service.configure({&first});
    first.here();
    const std::uint32_t failures = state().failures();
    for (unsigned i = 0; i < 1000; ++i) {
        first.refused(kA);
        first.lost(kB);
    }
    BOOST_TEST(state().failures() == failures + 1);
    service.forget_ended(1'000);
    BOOST_TEST(state().failures() == failures + 2);  // of the others
    first.refused(kA);
    BOOST_TEST(state().failures() == failures + 2);
    service.forget_ended(1'500);
    BOOST_TEST(state().failures() == failures + 3);
    service.forget_ended(2'000);
    BOOST_TEST(state().failures() == failures + 3);
    service.forget_ended(2'500);
    first.refused(kA);
    BOOST_TEST(state().failures() == failures + 4);
}

// Workers see the mark before they see that there is one (ListState::failures).
BOOST_AUTO_TEST_CASE(an_address_without_room_is_marked_until_its_claim_is_taken) {
    service.configure({&first});
    first.here();
    first.is_full = true;
    BOOST_TEST(service.take(event(), 1000));
    BOOST_TEST((refusal(kA, 1) == Refusal::stands));
    BOOST_TEST((refusal(kB, 1) == Refusal::none));
    BOOST_TEST(state().failures() == 1U);
    BOOST_TEST(count(Outcome::refused) == 1U);  // its answer left
    BOOST_TEST(service.refusals() == 1U);
    BOOST_TEST((refusal(kA, 6) == Refusal::old));
    BOOST_TEST((*runtime.shared().lists)[kList].marked_until_s == 61U);
    BOOST_TEST(service.take(event(), 7000));
    BOOST_TEST((refusal(kA, 11) == Refusal::stands));
    first.is_full = false;
    BOOST_TEST(service.take(event(), 13'000));
    BOOST_TEST((refusal(kA, 13) == Refusal::none));
    // No client asks again: it is forgotten.
    first.is_full = true;
    BOOST_TEST(service.take(event(), 14'000));
    BOOST_TEST((refusal(kA, 73) == Refusal::old));
    BOOST_TEST((refusal(kA, 74) == Refusal::none));
    service.forget_ended(74'000);
    BOOST_TEST(runtime.shared().board->size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_refusal_after_the_claim_is_marked_too) {
    service.configure({&first});
    first.here();
    BOOST_TEST(service.take(event(), 1000));
    BOOST_TEST((refusal(kA, 1) == Refusal::none));
    first.refused(kA);
    BOOST_TEST((refusal(kA, 1) == Refusal::stands));
    second.refused(kB);  // it does not keep the list
    BOOST_TEST((refusal(kB, 1) == Refusal::none));
}

BOOST_AUTO_TEST_CASE(a_refusal_holds_the_name_or_client_of_its_claim) {
    service.configure({&first});
    first.here();
    first.is_full = true;
    first.whom = RefusedFor::client;
    BOOST_TEST(service.take(event(), 1000));
    BOOST_TEST((refusal(kA, 1) == Refusal::stands));
    client = *IpAddress::parse("192.0.2.1");
    BOOST_TEST((refusal(kA, 1) == Refusal::old));
    first.whom = RefusedFor::name;
    BOOST_TEST(service.take(event(), 1000));
    BOOST_TEST((refusal(kA, 1) == Refusal::stands));
    first.refused(kA);  // a claim of another box
    BOOST_TEST((refusal(kA, 1) == Refusal::old));
}

BOOST_AUTO_TEST_CASE(a_later_refusal_holds_the_name_or_client_of_its_claim) {
    service.configure({&first});
    first.here();
    BOOST_TEST(service.take(event(), 1000));
    service.refused_later(first, kList, kA, RefusedFor::client, ".", client);
    BOOST_TEST((refusal(kA, 1) == Refusal::stands));
    client = *IpAddress::parse("192.0.2.1");
    BOOST_TEST((refusal(kA, 1) == Refusal::old));
    service.refused_later(first, kList, kA, RefusedFor::name, ".", IpAddress{});
    BOOST_TEST((refusal(kA, 1) == Refusal::stands));
    service.refused_later(first, kList, kA, RefusedFor::name, "www.example", IpAddress{});
    BOOST_TEST((refusal(kA, 1) == Refusal::old));
    service.refused_later(second, kList, kB, RefusedFor::name, ".", IpAddress{});
    BOOST_TEST((refusal(kB, 1) == Refusal::none));  // it does not keep the list
}

BOOST_AUTO_TEST_CASE(a_held_answer_without_room_is_counted_once) {
    service.configure({&first});
    first.here();
    first.is_full = true;
    first.settles = Outcome::refused;
    Event waiting = event();
    waiting.hold_token = kToken;
    BOOST_TEST(service.take(waiting, 1000));
    BOOST_TEST((take_outcome() == Outcome::refused));
    BOOST_TEST((refusal(kA, 1) == Refusal::stands));
    BOOST_TEST(count(Outcome::refused) == 1U);
}

BOOST_AUTO_TEST_CASE(one_full_router_of_two_is_enough_to_lack_a_row) {
    one_of_two_is_full(config::Quorum::healthy);
}

BOOST_AUTO_TEST_CASE(with_quorum_any_one_router_with_room_is_enough) {
    one_of_two_is_full(config::Quorum::any);
}

BOOST_AUTO_TEST_CASE(with_quorum_all_a_full_router_that_is_away_counts) {
    one_of_two_is_full(config::Quorum::all);
}

// A flood of refusals of one list removes neither rows nor the marks of another list.
BOOST_AUTO_TEST_CASE(marks_take_a_bounded_part_of_the_row_board) {
    constexpr ListId kOther = kList + 1;
    service.configure({&first});
    first.here();
    first.installed(kA, 1000);
    first.is_full = true;
    BOOST_TEST(service.take(event(), 1000));
    const RowBoard& board = *runtime.shared().board;
    const unsigned most = options.board_rows / 8;
    FakeSink other("other", service);
    other.keep(config::Quorum::healthy);
    other.be_of(kOther);
    service.configure({&first, &other});
    other.is_full = true;
    for (unsigned n = 0; n < 200; ++n) {
        const std::uint8_t four[] = {198, 51, 100, static_cast<std::uint8_t>(n)};
        Event flood = event();
        flood.list = kOther;
        flood.addresses[0] = IpAddress::from_v4(four);
        BOOST_TEST(service.take(flood, 1000));
        BOOST_REQUIRE(
            (board.refusal(kOther, flood.addresses[0], kRoot, client, 1) == Refusal::stands));
    }
    BOOST_TEST(board.size() == most + 1);
    BOOST_TEST((refusal(kA, 1) == Refusal::stands));
    BOOST_TEST(known(kA) == 1000U);
    BOOST_TEST(service.board_full() == 0U);
    service.forget_ended(62'000);
    BOOST_TEST(board.size() == 1U);
}

// Of an upstream that is given by name, or of another box. `allow_claim` may name it.
BOOST_AUTO_TEST_CASE(an_address_that_this_machine_turned_out_to_need_is_not_claimed) {
    service.configure({&first});
    first.here();
    runtime.needed_hosts().set(this, {&kA, 1});
    Event both = event();
    both.count = 2;
    both.addresses[1] = kB;
    BOOST_TEST(service.take(both, 1000));
    BOOST_TEST((first.claimed == std::vector<IpAddress>{kB}));
    Event waiting = event();
    waiting.hold_token = kToken;
    BOOST_TEST(service.take(waiting, 1000));
    BOOST_TEST((take_outcome() == Outcome::already_there));  // nothing to wait for
    BOOST_TEST((first.claimed == std::vector<IpAddress>{kB}));
    first.allow(kA);
    service.configure({&first});
    BOOST_TEST(service.take(event(), 1000));
    BOOST_TEST((first.claimed == std::vector<IpAddress>{kB, kA}));
    first.allow(kB);
    service.configure({&first});
    runtime.needed_hosts().set(this, {});
    BOOST_TEST(service.take(event(), 1000));
    BOOST_TEST(first.claimed.size() == 3U);
}

// A row board on which two lists may have 8,192 marks.
struct LargePlace : Place {
    LargePlace() : Place(65'536) {
        other.keep(config::Quorum::healthy);
        other.be_of(kOther);
        service.configure({&first, &other});
        first.here();
        first.is_full = other.is_full = true;
    }
    static IpAddress numbered(unsigned n) {
        const std::uint8_t four[] = {198, 51, static_cast<std::uint8_t>(n >> 8),
                                     static_cast<std::uint8_t>(n)};
        return IpAddress::from_v4(four);
    }
    // The list refuses the addresses with the numbers from `begin` on.
    void refuse(ListId list, unsigned begin, unsigned count, std::uint64_t now_ms) {
        Event flood = event();
        flood.list = list;
        for (unsigned n = begin; n < begin + count; ++n) {
            flood.addresses[0] = numbered(n);
            BOOST_REQUIRE(service.take(flood, now_ms));
        }
    }

    static constexpr ListId kOther = kList + 1;
    FakeSink other{"other", service};
};

// However many marks the list before it has. Else ended marks displace marks that stand.
BOOST_FIXTURE_TEST_CASE(ended_marks_of_every_list_are_forgotten, LargePlace) {
    refuse(kOther, 0, 4'000, 1'000);
    refuse(kList, 0, 4'100, 30'000);
    for (std::uint64_t now_ms = 62'000; now_ms < 64'000; now_ms += 500)
        service.forget_ended(now_ms);
    refuse(kList, 4'100, 4'000, 64'000);
    BOOST_TEST((refusal(numbered(0), 65) == Refusal::old));
    BOOST_TEST((*runtime.shared().lists)[kList].evicted_until_s == 0U);
}

// Without a mark an address appears as if it was never refused; workers learn until when that may be wrong.
BOOST_FIXTURE_TEST_CASE(a_list_that_loses_a_mark_says_until_when, LargePlace) {
    refuse(kList, 0, 8'192, 1'000);
    const ListState& state = (*runtime.shared().lists)[kList];
    BOOST_TEST(state.evicted_until_s == 0U);
    refuse(kList, 8'192, 1, 20'000);
    BOOST_TEST((refusal(numbered(0), 20) == Refusal::none));
    BOOST_TEST(state.evicted_until_s == 61U);
    BOOST_TEST(service.marks_lost() == 1U);
    refuse(kList, 8'193, 1, 62'000);  // the mark that goes has ended
    BOOST_TEST(state.evicted_until_s == 61U);
    BOOST_TEST((*runtime.shared().lists)[kOther].evicted_until_s == 0U);
}

// A mark that was set again ends later than those behind it.
BOOST_FIXTURE_TEST_CASE(a_lost_mark_that_ends_sooner_does_not_hide_one_that_ends_later,
                        LargePlace) {
    refuse(kList, 0, 8'192, 1'000);
    refuse(kList, 0, 1, 20'000);
    const ListState& state = (*runtime.shared().lists)[kList];
    refuse(kList, 8'192, 1, 20'000);
    BOOST_TEST(state.evicted_until_s == 80U);
    refuse(kList, 8'193, 1, 20'000);  // the mark of the second address, until 61 s
    BOOST_TEST(service.marks_lost() == 2U);
    BOOST_TEST(state.evicted_until_s == 80U);
}

BOOST_AUTO_TEST_CASE(a_shortened_answer_is_reported_with_the_tag_of_its_list) {
    configure();
    Event shortened = event();
    shortened.kind = EventKind::shortened;
    BOOST_TEST(service.take(shortened, 1000));
    BOOST_TEST(service.take(shortened, 1001));  // at most once a minute
    BOOST_TEST_REQUIRE(warnings.size() == 1U);
    BOOST_TEST(warnings.front().find("'policy' takes") != std::string::npos);
    BOOST_TEST(first.claimed.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
