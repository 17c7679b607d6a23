// Logs what workers refuse, with an example: a client, a domain. One line for each kind of refusal,
// at most once a minute. The line has the number of refusals and the client or domain seen most
// often.
//
// Reads the workers' counters and samples (dataplane/base/sighting.h): each check takes one sample
// per worker and kind.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "dataplane/base/counters.h"

namespace steer {

class OverloadWatch {
  public:
    // The sentences about new refusals. `workers`: all workers, always in the same order.
    std::vector<std::string> check(std::span<const Counters* const> workers, std::uint64_t now_ms);
    // The last sentence of each kind of refusal, if it is younger than kRecentMs.
    static constexpr std::uint64_t kRecentMs = 300'000;
    [[nodiscard]] std::vector<std::string> recent(std::uint64_t now_ms) const;
    // The domain with most of the recent upstream timeouts; empty: no domain stands out.
    [[nodiscard]] std::string failing_domain() const;

  private:
    struct Kind {
        std::vector<std::uint32_t> counted;  // by worker
        std::uint64_t refused = 0, samples = 0;
        std::uint64_t since_ms = 0;  // of the first of these
        std::uint64_t quiet_until_ms = 0;
        std::uint64_t logged_ms = 0;  // time of `logged`
        std::string logged;
        std::map<std::string, unsigned> clients, domains;
    };
    static void forget(Kind& kind);
    static std::string sentence(Overload overload, const Kind& kind, std::uint64_t now_ms);
    void take(Kind& kind, const Sighting& sighting, std::size_t worker, std::uint64_t now_ms);
    [[nodiscard]] bool is_worth_saying(Overload overload, const Kind& kind) const;

    std::array<Kind, static_cast<std::size_t>(Overload::count_)> kinds_;
    std::uint64_t timeouts_ = 0,
                  timeouts_before_ = 0;  // of upstream queries, when `timeout` was new
};

}  // namespace steer
