// An adlist plugin: the names it denies, how often each of its lists did so, and whether it is paused. With `cname` it also
// denies an answer that points to such a name (policy/ad_targets.h).
//
// The state survives reloads. Control pauses it; workers count, each in its own slot; any thread may read.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/base/counters.h"

namespace steer {

// How often names of one list were denied.
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

// The names of some sets: an index of Snapshot::tag_masks.
struct NamesMask {
    std::uint32_t mask = 0;
    std::vector<std::pair<std::uint16_t, std::uint32_t>>
        by_type{};  // for questions of these types, masks in place of `mask`

    [[nodiscard]] std::uint32_t mask_for(std::uint16_t type) const noexcept {
        for (const auto& [of, typed] : by_type) {
            if (of == type) return typed;
        }
        return mask;
    }
};

struct AdList {
    struct Part {
        std::string name;   // a path or URL
        std::size_t names;  // rules that it has
        NamesMask in;       // names that are in the list
        std::shared_ptr<ListMatches> matches;
    };
    std::string tag;
    std::vector<Part> lists;
    NamesMask all;                   // names that are in any of the lists
    std::optional<NamesMask> allow;  // names that it does not deny
    // `cname`: the bit of ProgramState::marks of queries whose answers it checks; 0: it checks none.
    std::uint64_t watch = 0;
    std::uint32_t black_hole = 0;  // index of Snapshot::black_holes
    // CLOCK_BOOTTIME: blocking is stopped until then.
    std::shared_ptr<std::atomic<std::uint32_t>> paused_until_s;
};

}  // namespace steer
