// An adlist plugin: the names that it denies, the matches of each of its lists, and whether it is
// paused. With `cname` it also denies an answer that points to such a name (policy/ad_targets.h).
//
// The state survives reloads. Control pauses it. Each worker counts in its own slot; any thread may
// read the counts.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/base/counters.h"
#include "dataplane/dns/wire.h"
#include "matchers/list/list_version.h"

namespace steer {

// How often a worker denied a name because of one list.
class ListMatches {
  public:
    explicit ListMatches(unsigned workers)
        : workers_(workers), counts_(std::make_unique<OfWorker[]>(workers)) {}

    void count(unsigned worker) noexcept { counts_[worker].matches.add(); }
    [[nodiscard]] std::uint64_t total() const noexcept {
        std::uint64_t sum = 0;
        for (unsigned w = 0; w < workers_; ++w)
            sum += counts_[w].matches.get();
        return sum;
    }

  private:
    struct alignas(64) OfWorker {
        Count matches;
    };
    unsigned workers_;
    std::unique_ptr<OfWorker[]> counts_;
};

// The names in some sets: an index of Snapshot::tag_masks.
struct NamesMask {
    std::uint32_t mask = 0;
    std::vector<std::pair<std::uint16_t, std::uint32_t>>
        by_type{};  // masks that replace `mask` for questions of these types

    [[nodiscard]] std::uint32_t mask_for(std::uint16_t type) const noexcept {
        for (const auto& [of, typed] : by_type) {
            if (of == type) return typed;
        }
        return mask;
    }
};

// What clients get to know of a block by a list or zone (RFC 8914).
struct BlockNotice {
    dns::Ede code = dns::Ede::blocked;
    std::string text{};  // the list's public name; empty: none
};

struct AdList {
    struct Part {
        std::string name;   // a path or URL
        std::size_t names;  // number of rules
        NamesMask in;       // names that the list has
        std::shared_ptr<ListMatches> matches;
        std::uint64_t id = 0;   // list_id() (name_rules.h)
        bool is_legal = false;  // no rule and no pause ends it
        BlockNotice notice{};
        bool logs_hits = false;  // what it decides is in the hit log
        matchers::ListVersion version{};
    };
    std::string tag;
    std::vector<Part> lists;
    NamesMask all;                   // names that any of the lists has
    std::optional<NamesMask> allow;  // names that it never denies, except those of `legal`
    std::optional<NamesMask> legal;  // names of its legal lists
    // `cname`: this plugin's bit of ProgramState::marks, set for queries whose answers it checks.
    // 0: it checks no answers.
    std::uint64_t watch = 0;
    std::uint32_t black_hole = 0;  // index of Snapshot::black_holes
    std::uint64_t id = 0;          // list_id()
    std::uint16_t watch_pc = 0;    // of an Op::watch_targets
    // Blocking is paused until this second of CLOCK_BOOTTIME.
    std::shared_ptr<std::atomic<std::uint32_t>> paused_until_s;
};

}  // namespace steer
