// Log lines about the refused claims of one list: who has used its share, at most one line a minute.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "routeros/claim_book.h"

namespace steer::routeros {

// How messages name a list of claims.
struct ListText {
    std::string list;          // "list tunnel"
    std::string_view things;   // "claims"
    std::string_view maximum;  // the setting: "max_rows"
};

class RefusalLog {
  public:
    // Counts a refused claim. A sentence if one is due; empty: none.
    [[nodiscard]] std::string refused(ClaimRefusal why, const Origin& origin,
                                      const ClaimBounds& bounds, const ListText& text,
                                      std::uint64_t now_ms);

  private:
    std::uint64_t next_ms_ = 0;
    std::uint64_t count_ = 0;  // since the last sentence
};

}  // namespace steer::routeros
