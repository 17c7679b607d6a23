// Stores finished images, so that the same rules are not compiled again. The key is a hash of the
// rules. Builders search it before they build, and store new images in it. Set-up only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/arena.h"

namespace steer::matchers {

// An older image of the keyword and regexp rules that was used instead of the right one.
struct OlderPatterns {
    std::size_t patterns = 0;  // in the present rules
    std::size_t missing = 0;   // of these, missing in the image
};

class ImageStore {
  public:
    virtual ~ImageStore() = default;
    // The bytes stored under this name. No value: there are none, or they are damaged.
    virtual std::optional<Arena> load(const std::string& name) = 0;
    virtual void keep(const std::string& name, std::span<const std::uint8_t> bytes) = 0;
    // The names with this beginning, last used image first.
    virtual std::vector<std::string> names(std::string_view /*start*/) { return {}; }
    // Whether an older image may serve this number of patterns, because compiling them takes long.
    [[nodiscard]] virtual bool may_be_older(std::size_t /*patterns*/) const { return false; }
    // Notes that an older image was used.
    virtual void note_older(const OlderPatterns& /*older*/) {}
};

}  // namespace steer::matchers
