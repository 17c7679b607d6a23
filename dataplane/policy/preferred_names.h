// One worker's memory of names with addresses of the preferred family (`prefer_ipv4`,
// `prefer_ipv6`).
//
// Direct mapped by a keyed 64-bit hash of name, plugin and generation; a newer name replaces an
// older one. 64 KiB.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/cache/cache.h"

namespace steer {

class PreferredNames {
  public:
    PreferredNames() : lines_(kLines) {}

    struct Known {
        bool has = false;
        bool stopped = false;  // its program ended by accept or reject ...
        std::uint16_t pc = 0;  // ... or continued here
    };
    [[nodiscard]] Known find(std::uint64_t key, std::uint32_t now_s) const noexcept {
        const Line& line = lines_[key % kLines];
        if (line.key != key || now_s >= line.until_s) return {};
        return {true, line.stopped, line.pc};
    }
    void put(std::uint64_t key, bool stopped, std::uint16_t pc, std::uint32_t until_s) noexcept {
        lines_[key % kLines] = {key, until_s, pc, stopped};
    }
    [[nodiscard]] static std::uint64_t key_of(const cache::Key& name, std::uint32_t plugin,
                                              std::uint32_t generation) noexcept {
        constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
        return name.low ^ ((std::uint64_t{generation} << 32 | (plugin + 1)) * kOdd);
    }

  private:
    static constexpr std::size_t kLines = 4096;
    struct Line {
        std::uint64_t key = 0;
        std::uint32_t until_s = 0;
        std::uint16_t pc = 0;
        bool stopped = false;
    };
    std::vector<Line> lines_;
};

}  // namespace steer
