// Which entrances of caches are guarded (dataplane/policy/guard.h).
#include "dataplane/policy/guard.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <utility>

#include "dataplane/policy/live_run.h"
#include "packet/programs.h"

namespace steer {
namespace {

// A test reads the client, chance or the time if its row says so, else it does not compile: then the guard knows of it.
template <Op op>
concept ReadsClient = requires(const Reads<op, LiveRun>& q) {
    q.client();
};
template <Op op>
concept ReadsChance = requires(const Reads<op, LiveRun>& q) {
    q.random();
};
template <Op op>
concept ReadsTime = requires(const Reads<op, LiveRun>& q) {
    q.is_now_within(0);
};
static_assert(ReadsTime<Op::if_time> && !ReadsTime<Op::if_random> && !ReadsTime<Op::if_client>);
static_assert(ReadsClient<Op::if_client> && ReadsClient<Op::if_rate> && !ReadsClient<Op::if_type>);
static_assert(ReadsChance<Op::if_random> && !ReadsChance<Op::if_client> &&
              !ReadsChance<Op::if_tags>);

using test::SnapshotMaker;

bool is_guarded(const Snapshot& snapshot, std::uint16_t pc) {
    return snapshot.program[pc].guarded;
}

// cache; what `rest` adds; forward; end
template <class Rest>
bool guards(Rest&& rest, std::uint64_t marked_before = 0) {
    SnapshotMaker maker;
    maker.snapshot().prefix_sets.emplace_back();
    maker.snapshot().number_sets.push_back({1});
    for (const auto of : {TextMatch::Of::client, TextMatch::Of::response, TextMatch::Of::marks,
                          TextMatch::Of::server_name, TextMatch::Of::url_path}) {
        maker.snapshot().text_matches.push_back(
            {of, std::move(*matchers::TextTest::build(matchers::TextOperation::eq, {"1"}))});
    }
    maker.list(test::policy_list(0));
    maker.cache();
    if (marked_before != 0) {
        const auto client = maker.test(Op::if_client);
        maker.add(Op::mark, maker.mark_mask(marked_before));
        maker.land(client);
    }
    const std::uint16_t cache = maker.add(Op::enter_cache);
    rest(maker);
    maker.add(Op::forward);
    maker.add(Op::sequence_end);
    maker.add(Op::end);
    return is_guarded(*maker.finish(), cache);
}

// The test, and behind it a list.
void list_if(SnapshotMaker& maker, Op op) {
    const auto test = maker.test(op);
    maker.add(Op::enter_list);
    maker.land(test);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(guard)

// A cache that wraps a policy lets no hit go around it; one behind a policy is as it was.
BOOST_AUTO_TEST_CASE(a_cache_in_front_of_a_list_is_guarded) {
    const auto is_policed = [](bool policy_first) {
        SnapshotMaker maker;
        maker.snapshot().rpzs.resize(1);
        maker.cache();
        if (policy_first) maker.add(Op::enter_rpz);
        const std::uint16_t cache = maker.add(Op::enter_cache);
        if (!policy_first) maker.add(Op::enter_rpz);
        maker.add(Op::forward);
        maker.add(Op::sequence_end);
        maker.add(Op::end);
        return static_cast<bool>(maker.finish()->program[cache].policed);
    };
    BOOST_TEST(is_policed(false));
    BOOST_TEST(!is_policed(true));
}

BOOST_AUTO_TEST_CASE(a_list_inside_a_fallback_guards_the_cache) {
    SnapshotMaker maker;
    maker.snapshot().rpzs.resize(1);
    maker.snapshot().fallbacks.resize(1);
    maker.cache();
    const std::uint16_t cache = maker.add(Op::enter_cache);
    maker.add(Op::fallback);
    maker.add(Op::sequence_end);
    maker.add(Op::end);
    Fallback& fallback = maker.snapshot().fallbacks[0];
    fallback.primary = fallback.secondary = maker.add(Op::enter_rpz);
    maker.add(Op::forward);
    maker.add(Op::sequence_end);
    maker.add(Op::end);
    BOOST_TEST(static_cast<bool>(maker.finish()->program[cache].policed));
}

BOOST_AUTO_TEST_CASE(lists_by_client_chance_rate_or_time_guard_the_cache) {
    for (const Op op : {Op::if_client, Op::if_device, Op::if_random, Op::if_rate, Op::if_time})
        BOOST_TEST(guards([&](SnapshotMaker& m) { list_if(m, op); }));
    BOOST_TEST(!guards([](SnapshotMaker& m) { list_if(m, Op::if_type); }));
}

BOOST_AUTO_TEST_CASE(lists_by_a_text_of_the_client_guard_the_cache) {
    const auto by_text = [](TextMatch::Of of) {
        return [of](SnapshotMaker& m) {
            const auto test = m.test(Op::if_text, static_cast<std::uint32_t>(of));
            m.add(Op::enter_list);
            m.land(test);
        };
    };
    for (const auto of :
         {TextMatch::Of::client, TextMatch::Of::server_name, TextMatch::Of::url_path})
        BOOST_TEST(guards(by_text(of)));
    BOOST_TEST(!guards(by_text(TextMatch::Of::response)));
    BOOST_TEST(!guards(by_text(TextMatch::Of::marks)));
    // Any mark changes the text of all of them.
    BOOST_TEST(guards(by_text(TextMatch::Of::marks), 2));
    // The client decides whether there is a response.
    BOOST_TEST(guards([&](SnapshotMaker& m) {
        const auto client = m.test(Op::if_client);
        m.add(Op::drop_response);
        m.land(client);
        by_text(TextMatch::Of::response)(m);
    }));
}

BOOST_AUTO_TEST_CASE(a_list_after_both_branches_of_a_test_does_not_depend_on_it) {
    BOOST_TEST(!guards([](SnapshotMaker& m) {
        const auto client = m.test(Op::if_client);
        m.add(Op::debug_print, m.text("seen"));
        m.land(client);
        m.add(Op::enter_list);
    }));
    // One way ends: then it does.
    BOOST_TEST(guards([](SnapshotMaker& m) {
        const auto client = m.test(Op::if_client);
        m.add(Op::stop);
        m.land(client);
        m.add(Op::enter_list);
    }));
}

BOOST_AUTO_TEST_CASE(a_client_test_guards_through_a_mark) {
    const auto by_mark = [](std::uint64_t bits) {
        return [bits](SnapshotMaker& m) {
            const auto test = m.test(Op::if_marks, m.mark_mask(bits));
            m.add(Op::enter_list);
            m.land(test);
        };
    };
    BOOST_TEST(guards(by_mark(2), 2));
    BOOST_TEST(guards(by_mark(6), 2));
    BOOST_TEST(!guards(by_mark(4), 2));
    BOOST_TEST(!guards(by_mark(2)));
}

BOOST_AUTO_TEST_CASE(a_client_test_guards_through_a_response) {
    BOOST_TEST(guards([](SnapshotMaker& m) {
        const auto client = m.test(Op::if_client);
        m.add(Op::black_hole, m.black_hole("192.0.2.1"));
        m.land(client);
        list_if(m, Op::if_has_resp);
    }));
    BOOST_TEST(!guards([](SnapshotMaker& m) { list_if(m, Op::if_has_resp); }));
}

// Who may not ask comes to no cache: that decides nothing about what is claimed there.
BOOST_AUTO_TEST_CASE(an_access_list_in_front_does_not_guard) {
    SnapshotMaker maker;
    maker.snapshot().prefix_sets.emplace_back();
    maker.list(test::policy_list(0));
    maker.cache();
    const auto allowed = maker.test(Op::if_client);
    maker.add(Op::reject, 5);
    maker.land(allowed);
    maker.add(Op::mark, maker.mark_mask(1));
    const std::uint16_t cache = maker.add(Op::enter_cache);
    const auto marked = maker.test(Op::if_marks, 0);
    maker.add(Op::enter_list);
    maker.land(marked);
    maker.add(Op::forward);
    maker.add(Op::sequence_end);
    maker.add(Op::end);
    BOOST_TEST(!is_guarded(*maker.finish(), cache));
}

// if_client { cache; list; forward; stop } cache; forward: the same cache, with and without.
BOOST_AUTO_TEST_CASE(both_uses_of_one_cache_are_guarded) {
    SnapshotMaker maker;
    maker.snapshot().prefix_sets.emplace_back();
    maker.list(test::policy_list(0));
    maker.cache();
    const auto client = maker.test(Op::if_client);
    const std::uint16_t with = maker.add(Op::enter_cache);
    maker.add(Op::enter_list);
    maker.add(Op::forward);
    maker.add(Op::stop);
    maker.land(client);
    const std::uint16_t without = maker.add(Op::enter_cache);
    maker.add(Op::forward);
    maker.add(Op::sequence_end);
    maker.add(Op::end);
    const auto snapshot = maker.finish();
    BOOST_TEST(is_guarded(*snapshot, with));
    BOOST_TEST(is_guarded(*snapshot, without));
}

// Two entries, each with a cache of its own; with one shared cache for which both claim; and with one in a fallback's unit,
// behind a mark that one of them sets.
BOOST_AUTO_TEST_CASE(guards_follow_each_entry_that_reaches_a_cache) {
    const auto guards_of = [](bool one_cache, bool claims) {
        SnapshotMaker maker;
        maker.list(test::policy_list(0));
        std::vector<std::uint16_t> caches;
        for (const bool second : {false, true}) {
            if (second)
                maker.snapshot().entries.push_back(static_cast<std::uint16_t>(caches[0] + 5));
            caches.push_back(maker.add(Op::enter_cache, second && !one_cache ? 1 : 0));
            maker.add(second && claims ? Op::enter_list : Op::drop_response);
            maker.add(Op::forward);
            maker.add(Op::sequence_end);
            maker.add(Op::end);
        }
        const auto snapshot = maker.finish();
        return std::pair(is_guarded(*snapshot, caches[0]), is_guarded(*snapshot, caches[1]));
    };
    BOOST_TEST((guards_of(true, true) == std::pair(true, true)));
    BOOST_TEST((guards_of(false, true) == std::pair(false, false)));
    BOOST_TEST((guards_of(true, false) == std::pair(false, false)));

    const auto unit_is_guarded = [](bool marks) {
        SnapshotMaker maker;
        maker.list(test::policy_list(0));
        maker.snapshot().fallbacks.resize(1);
        const auto mark = maker.mark_mask(1);
        for (const bool second : {false, true}) {
            const auto begin = maker.add(second && marks ? Op::mark : Op::drop_response, mark);
            if (second) maker.snapshot().entries.push_back(begin);
            maker.add(Op::fallback);
            maker.add(Op::sequence_end);
            maker.add(Op::end);
        }
        const std::uint16_t cache = maker.add(Op::enter_cache);
        Fallback& fallback = maker.snapshot().fallbacks[0];
        fallback.primary = fallback.secondary = cache;
        const auto marked = maker.test(Op::if_marks, mark);
        maker.add(Op::enter_list);
        maker.land(marked);
        maker.add(Op::forward);
        maker.add(Op::sequence_end);
        maker.add(Op::end);
        return is_guarded(*maker.finish(), cache);
    };
    BOOST_TEST(unit_is_guarded(true));
    BOOST_TEST(!unit_is_guarded(false));
}

// prefer (probe: cache; list; forward); cache; list; forward
BOOST_AUTO_TEST_CASE(a_cache_that_a_probe_fills_as_well_is_guarded) {
    const auto guards_of = [](bool same_cache) {
        SnapshotMaker maker;
        maker.list(test::policy_list(0));
        maker.cache(0);
        maker.cache(1);
        maker.snapshot().prefers.resize(1);
        maker.add(Op::enter_prefer);
        std::array<std::uint16_t, 2> caches{};
        for (const bool in_unit : {false, true}) {
            const auto cache = maker.add(Op::enter_cache, in_unit && !same_cache ? 1 : 0);
            caches[in_unit ? 1 : 0] = cache;
            if (in_unit) maker.snapshot().prefers[0].probe = cache;
            maker.add(Op::enter_list);
            maker.add(Op::forward);
            maker.add(Op::sequence_end);
            maker.add(Op::end);
        }
        const auto snapshot = maker.finish();
        return std::pair(is_guarded(*snapshot, caches[0]), is_guarded(*snapshot, caches[1]));
    };
    BOOST_TEST((guards_of(true) == std::pair(true, true)));
    BOOST_TEST((guards_of(false) == std::pair(false, false)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
