// All keyword and regexp rules as one Hyperscan database, immutable: PatternBuilder builds it,
// scan() reads it.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "matchers/name_matcher.h"
#include "matchers/pattern/gram_filter.h"

struct hs_database;
struct hs_scratch;

namespace steer::matchers {

struct FreeDatabase {
    void operator()(hs_database* database) const noexcept;
};

struct PatternImage {
    std::unique_ptr<hs_database, FreeDatabase> database;  // nullptr: there are no patterns
    // A name without a needed piece is scanned only for patterns that need none.
    bool has_filter = false;  // some patterns need a piece
    GramFilter filter;
    std::unique_ptr<hs_database, FreeDatabase> unfiltered;  // nullptr: no such patterns
    std::vector<TagBits> tags_of;                           // by expression id
    TagBits all;                                            // the sets that have patterns
};

}  // namespace steer::matchers
