// Failure rates of domains, and of parts of them, that have many questions in flight. When the table fills up, one
// whose name servers do not answer gets a smaller share of it. The keys are of matchers::DomainKeys.
//
// A fixed number of domains, four per set; the least recently used one of a set is replaced. Counts are halved
// every ten seconds, so a domain that answers again has its full share within a minute. One thread.
#pragma once

#include <array>
#include <cstdint>

namespace steer::forward {

class FailingNames {
  public:
    void note(std::uint64_t domain, bool failed, std::uint32_t now_s) noexcept;
    // 0: unknown, or too few questions.
    [[nodiscard]] unsigned failed_percent(std::uint64_t domain, std::uint32_t now_s) const noexcept;

  private:
    static constexpr std::uint32_t kHalveEveryS = 10;
    static constexpr unsigned kEnough = 16;
    static constexpr std::size_t kSets = 256, kWays = 4;

    struct Known {
        std::uint64_t domain = 0;
        std::uint32_t since_s = 0;  // of the last halving
        std::uint32_t answered = 0, failed = 0;
    };
    static unsigned halvings(const Known& known, std::uint32_t now_s) noexcept;
    std::array<std::array<Known, kWays>, kSets> sets_{};
};

}  // namespace steer::forward
