#include "dataplane/policy/snapshot.h"

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "dataplane/policy/guard.h"

namespace steer {
namespace {

// What an element of a table needs before workers read it. A type without an overload does not compile here: either its
// names are prepared, or it says that it has none.
struct Prepare {
    using Scratch = matchers::NameMatcher::Scratch;

    std::vector<Scratch>& scratches;
    unsigned workers;

    // NameMatcher and NameValues.
    template <class Names>
    Result<void> names(const Names& names) const {
        for (Scratch& scratch : scratches) {
            if (auto ready = names.prepare(scratch); !ready) return ready.error();
        }
        return {};
    }

    Result<void> operator()(const AnswerTable& table) const { return names(table.names); }
    Result<void> operator()(const Redirect& redirect) const { return names(redirect.names); }
    Result<void> operator()(const StaticRecords& records) const {
        if (auto ready = names(records.by_name); !ready) return ready;
        for (const StaticRecords::ByType& of : records.by_type) {
            if (auto ready = names(of.names); !ready) return ready;
        }
        return {};
    }
    Result<void> operator()(const Rpz& rpz) const {
        for (const Rpz::Zone& zone : rpz.zones) {
            if (auto ready = names(zone.names); !ready) return ready;
            if (auto ready = names(zone.below); !ready) return ready;
        }
        return {};
    }
    Result<void> operator()(TextMatch& match) const { return match.test.prepare(workers); }

    template <class T>
    static constexpr bool kHasNone =
        std::is_arithmetic_v<T> || std::is_same_v<T, matchers::TagBits> ||
        std::is_same_v<T, std::string> || std::is_same_v<T, std::vector<std::uint16_t>> ||
        std::is_same_v<T, AddressSet> || std::is_same_v<T, DeviceSet> ||
        std::is_same_v<T, RateLimiter> || std::is_same_v<T, CacheInstance> ||
        std::is_same_v<T, Prefer> || std::is_same_v<T, Dns64> || std::is_same_v<T, PolicyList> ||
        std::is_same_v<T, ReverseLookup> || std::is_same_v<T, std::shared_ptr<Collector>> ||
        std::is_same_v<T, LearnDomain> || std::is_same_v<T, EcsHandler> ||
        std::is_same_v<T, UpstreamGroup> || std::is_same_v<T, Fallback> ||
        std::is_same_v<T, std::shared_ptr<TaskFlag>> || std::is_same_v<T, TimeTest> ||
        std::is_same_v<T, dns::TtlLimits> || std::is_same_v<T, BlackHole> ||
        std::is_same_v<T, AdList> || std::is_same_v<T, std::shared_ptr<LiveAnswers>>;
    template <class T>
    requires kHasNone<T> Result<void>
    operator()(const T&) const { return {}; }
};

// The table that operands of this kind are indices of. Without a default: a new kind is missing here, says the compiler.
Result<void> prepare_table(Snapshot& s, OperandKind kind, const Prepare& prepare) {
    const auto all = [&](auto& table) -> Result<void> {
        for (auto& element : table) {
            if (auto ready = prepare(element); !ready) return ready;
        }
        return {};
    };
    switch (kind) {
        case OperandKind::tag_mask:
            return all(s.tag_masks);
        case OperandKind::marks:
            return all(s.mark_masks);
        case OperandKind::numbers:
            return all(s.number_sets);
        case OperandKind::prefixes:
            return all(s.prefix_sets);
        case OperandKind::devices:
            return all(s.device_sets);
        case OperandKind::text_match:
            return all(s.text_matches);
        case OperandKind::time_test:
            return all(s.time_tests);
        case OperandKind::rate_limiter:
            return all(s.rate_limiters);
        case OperandKind::cache:
            return all(s.caches);
        case OperandKind::prefer:
            return all(s.prefers);
        case OperandKind::dns64:
            return all(s.dns64s);
        case OperandKind::list:
            return all(s.lists);
        case OperandKind::text:
            return all(s.texts);
        case OperandKind::reverse:
            return all(s.reverse);
        case OperandKind::collector:
            return all(s.collectors);
        case OperandKind::learner:
            return all(s.learners);
        case OperandKind::ecs:
            return all(s.ecs_handlers);
        case OperandKind::options:
            return all(s.option_codes);
        case OperandKind::redirect:
            return all(s.redirects);
        case OperandKind::rpz:
            return all(s.rpzs);
        case OperandKind::statics:
            return all(s.statics);
        case OperandKind::group:
            return all(s.groups);
        case OperandKind::fallback:
            return all(s.fallbacks);
        case OperandKind::task:
            return all(s.tasks);
        case OperandKind::ttl_limits:
            return all(s.ttl_limits);
        case OperandKind::black_hole:
            return all(s.black_holes);
        case OperandKind::ad_list:
            return all(s.ad_lists);
        case OperandKind::answer_table:
            return all(s.answer_tables);
        case OperandKind::live_answers:
            return all(s.live_answers);
        case OperandKind::none:
        case OperandKind::chance:
        case OperandKind::target:
        case OperandKind::milliseconds:
        case OperandKind::rcode:
        case OperandKind::instance:
            break;
    }
    return {};
}

}  // namespace

Result<void> equip(Snapshot& snapshot, unsigned workers) {
    snapshot.tag_sets = std::make_unique<TagSets>();
    snapshot.scratches.resize(workers);
    const Prepare prepare{snapshot.scratches, workers};
    if (snapshot.names != nullptr) {
        if (auto ready = prepare.names(*snapshot.names); !ready) return ready;
    }
    for (std::size_t kind = 0; kind <= static_cast<std::size_t>(OperandKind::instance); ++kind) {
        if (auto ready = prepare_table(snapshot, static_cast<OperandKind>(kind), prepare); !ready)
            return ready;
    }
    snapshot.list_by_id.fill(kNoList);
    for (std::size_t i = 0; i < snapshot.lists.size() && i < kNoList; ++i) {
        if (snapshot.lists[i].shared != Sharing::keep)
            snapshot.watched_lists.push_back(static_cast<std::uint8_t>(i));
        if (snapshot.lists[i].id < kMaxLists) {
            snapshot.list_by_id[snapshot.lists[i].id] = static_cast<std::uint8_t>(i);
        }
    }
    for (const Inheriting& set : snapshot.inheriting)
        snapshot.all_inheriting |= set.sets;
    snapshot.reads_link = std::ranges::any_of(snapshot.program, [](const Instruction& i) {
        return has_trait(i.op, op_traits::kReadsLink);
    });
    snapshot.reads_link = snapshot.reads_link || snapshot.rules != nullptr;  // rules for devices
    mark_guards(snapshot);
    mark_prefix(snapshot);
    return {};
}

}  // namespace steer
