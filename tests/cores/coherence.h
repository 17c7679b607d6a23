// A private cache for each core, as large as memory, in lines of 64 bytes: which accesses need another core.
//
// A line is at most in one cache in a written state (MESI's M), or in any number of them unwritten (S, E). A cache never
// evicts, so each fill is either the first one of all (cold) or comes from a core that has the line: what is counted is
// sharing alone, not the size of a cache. Any thread may call; an access costs a hash and a lock of one shard.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace steer::cores {

inline constexpr unsigned kMaxCores = 64;
inline constexpr unsigned kLineBits = 6;

// What accesses of one place needed. One access can be both a shared write and a moved line.
struct Needs {
    std::uint64_t shared_writes = 0;  // writes to a line that another core had, which loses it
    std::uint64_t moved = 0;          // fills with a line that another core wrote last
    std::uint64_t fetched = 0;        // fills with a line that others have, unwritten
    std::uint64_t cold = 0;           // fills with a line that no core has

    Needs& operator+=(const Needs& other) {
        shared_writes += other.shared_writes;
        moved += other.moved;
        fetched += other.fetched;
        cold += other.cold;
        return *this;
    }
    [[nodiscard]] bool any() const { return shared_writes + moved + fetched + cold > 0; }
};

class Coherence {
  public:
    // One access within a line.
    Needs access(unsigned core, std::uint64_t address, bool is_write) {
        const std::uint64_t line = address >> kLineBits;
        Shard& shard = shards_[line * 0x9e3779b97f4a7c15U >> 56];
        const std::lock_guard guard(shard.lock);
        return step(shard.lines[line], std::uint64_t{1} << core, is_write);
    }

    void clear() {
        for (Shard& shard : shards_) {
            const std::lock_guard guard(shard.lock);
            shard.lines.clear();
        }
    }

  private:
    struct Line {
        std::uint64_t holders = 0;  // a bit a core
        bool written = false;       // then there is one holder
    };
    struct Shard {
        std::mutex lock;
        std::unordered_map<std::uint64_t, Line> lines;
    };

    static Needs step(Line& line, std::uint64_t self, bool is_write) {
        Needs needs;
        const std::uint64_t others = line.holders & ~self;
        if ((line.holders & self) == 0) {
            needs.moved = others != 0 && line.written ? 1 : 0;
            needs.fetched = others != 0 && !line.written ? 1 : 0;
            needs.cold = others == 0 ? 1 : 0;
        }
        if (is_write) {
            needs.shared_writes = others != 0 ? 1 : 0;
            line = {.holders = self, .written = true};
        } else {
            line.written = line.written && others == 0;
            line.holders |= self;
        }
        return needs;
    }

    std::array<Shard, 256> shards_;
};

}  // namespace steer::cores
