// Numbers the distinct tag sets while an image is built, so that a node needs four bytes instead of
// thirty-two. The image keeps the finished vector.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <utility>
#include <vector>

#include "matchers/name_matcher.h"

namespace steer::matchers {

using TagIndex = std::uint32_t;  // index in the finished vector; 0 is the empty set

class TagTable {
  public:
    TagTable() { intern(TagBits{}); }

    TagIndex intern(const TagBits& bits) {
        const auto [found, added] =
            index_of_.try_emplace(bits, static_cast<TagIndex>(sets_.size()));
        if (added) sets_.push_back(bits);
        return found->second;
    }
    TagIndex with(TagIndex base, SetId set) {
        if (sets_[base].test(set)) return base;
        TagBits bits = sets_[base];
        bits.set(set);
        return intern(bits);
    }
    TagIndex united(TagIndex a, TagIndex b) {
        if (a == b || b == 0) return a;
        if (a == 0) return b;
        TagBits bits = sets_[a];
        bits |= sets_[b];
        return intern(bits);
    }
    std::vector<TagBits> take() && { return std::move(sets_); }

  private:
    struct HashWords {
        std::size_t operator()(const TagBits& bits) const {
            std::uint64_t h = 0;
            for (const std::uint64_t word : bits.words) {
                h = (h ^ word) * 0x9e3779b97f4a7c15U;
                h ^= h >> 29;
            }
            return h;
        }
    };
    std::vector<TagBits> sets_;
    boost::unordered_flat_map<TagBits, TagIndex, HashWords> index_of_;
};

}  // namespace steer::matchers
