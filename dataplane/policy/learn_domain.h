// The settings of a learn_domain, and the names that workers sent to control in the last minute.
//
// A worker sends a name to control as a Note. Control adds it to the dynamic_domain_set
// (control/sources/rules/learner.h). A worker does not send a name that the current set has. It
// sends any other name at most once a minute.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/dns/answer.h"

namespace steer {

// The names that one worker has sent. Two names in one slot cost one more note each time they
// alternate.
class RecentNames {
  public:
    // `name`: a hash of 64 bits.
    [[nodiscard]] bool has(std::uint64_t name, std::uint32_t now_s) const noexcept {
        return words_[name % kPlaces] == word(name, now_s);
    }
    void put(std::uint64_t name, std::uint32_t now_s) noexcept {
        words_[name % kPlaces] = word(name, now_s);
    }

  private:
    static constexpr std::size_t kPlaces = 512;
    static constexpr std::uint32_t kMinuteS = 60;
    // The minute (never 0), and half of the hash.
    static std::uint64_t word(std::uint64_t name, std::uint32_t now_s) noexcept {
        return (std::uint64_t{now_s / kMinuteS + 1} << 32) | (name >> 32);
    }
    std::array<std::uint64_t, kPlaces> words_{};
};

struct LearnDomain {
    std::string tag;
    std::uint32_t known = 0;            // of Snapshot::tag_masks: names that the set has
    bool before = false;                // send when a query arrives; else when its answer is sent
    bool success_only = true;           // only if the rcode is NOERROR
    bool answer_required = true;        // only if the answer has records
    std::vector<std::uint16_t> qtypes;  // sorted
    std::unique_ptr<RecentNames[]> recent;  // element i belongs to worker i

    [[nodiscard]] bool learns_type(std::uint16_t qtype) const noexcept {
        return std::binary_search(qtypes.begin(), qtypes.end(), qtype);
    }
    [[nodiscard]] bool learns_answer(const dns::Answer& answer) const noexcept {
        return (!success_only || answer.rcode == dns::kNoError) &&
               (!answer_required || answer.ancount != 0);
    }
};

}  // namespace steer
