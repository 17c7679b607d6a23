// Stores finished images, so that the same rules need not be compiled again. The key is a hash of
// their input. Builders ask it first, and store new images in it. Set-up only.
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

// An older image of the keyword and regexp rules that was taken instead of the right one.
struct OlderPatterns {
    std::size_t patterns = 0;  // of the rules as they are
    std::size_t missing = 0;   // of these, the ones that the image does not have
};

class ImageStore {
  public:
    virtual ~ImageStore() = default;
    // The bytes stored under this name; no value: none, or damaged.
    virtual std::optional<Arena> load(const std::string& name) = 0;
    virtual void keep(const std::string& name, std::span<const std::uint8_t> bytes) = 0;
    // The names that begin so, the image that was used last first.
    virtual std::vector<std::string> names(std::string_view /*start*/) { return {}; }
    // Whether so many patterns may be served by an older image, because compiling them takes long.
    [[nodiscard]] virtual bool may_be_older(std::size_t /*patterns*/) const { return false; }
    // That image was taken.
    virtual void note_older(const OlderPatterns& /*older*/) {}
};

}  // namespace steer::matchers
