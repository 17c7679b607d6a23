// Names the worst offender of each row of `limits:` in the log, once a minute.
//
// Divides the rates of offenders among threads, too (dataplane/limits/limit_shares.h). One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/limits/limit_policy.h"
#include "dataplane/limits/limit_shares.h"

namespace steer {

// An offender with its row.
struct LimitOffender {
    const LimitRow* row = nullptr;
    matchers::Prefix source;  // of no length: all clients together
    bool is_proven = false;   // the source has shown that its address is its own
    std::string prefix;       // "192.0.2.0/24"; empty: all clients together
    std::string name;         // of an answer, or a domain; empty: none
    double per_s = 0;
    std::uint64_t refused = 0;
    unsigned threads = 0;
};

class LimitWatch {
  public:
    static constexpr std::uint64_t kLogEveryMs = 60'000;

    // Call it every 100 ms, with the policy in force. Returns new sentences.
    std::vector<std::string> check(const LimitPolicy& policy, std::uint64_t now_ms);
    // The heaviest first. Those of rows that the policy does not have are left out.
    [[nodiscard]] std::vector<LimitOffender> offenders(const LimitPolicy& policy) const;

  private:
    struct Logged {
        std::uint64_t at_ms = 0;
        std::uint64_t refused = 0;  // by the row, then
    };

    LimitShares workers_, streams_;
    std::map<std::string, Logged, std::less<>> logged_;
};

// What a row has decided, over all threads.
std::uint64_t sum_of(const LimitPolicy& policy, const LimitRow& row, LimitDecision decision);
std::uint64_t sum_of(const LimitPolicy& policy, const LimitRow& row);  // all decisions

}  // namespace steer
