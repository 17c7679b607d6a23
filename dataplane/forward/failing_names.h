// Failure rates of domains, and of parts of domains, that have many outstanding queries. When the
// table of outstanding queries fills up, a domain with failing name servers gets a smaller share of
// it. Keys are those of matchers::DomainKeys.
//
// Holds a fixed number of domains, four per set; the least recently used one of a set is replaced.
// Counts are halved every ten seconds. So a domain that answers again has its full share within a
// minute. For one thread.
#pragma once

#include <array>
#include <cstdint>

namespace steer::forward {

class FailingNames {
  public:
    void note(std::uint64_t domain, bool failed, std::uint32_t now_s) noexcept;
    // Returns 0 if the domain is unknown, or had too few queries.
    [[nodiscard]] unsigned failed_percent(std::uint64_t domain, std::uint32_t now_s) const noexcept;

  private:
    static constexpr std::uint32_t kHalveEveryS = 10;
    static constexpr unsigned kEnough = 16;
    static constexpr std::size_t kSets = 256, kWays = 4;

    struct Known {
        std::uint64_t domain = 0;
        std::uint32_t since_s = 0;  // time of the last halving
        std::uint32_t answered = 0, failed = 0;
    };
    static unsigned halvings(const Known& known, std::uint32_t now_s) noexcept;
    std::array<std::array<Known, kWays>, kSets> sets_{};
};

}  // namespace steer::forward
