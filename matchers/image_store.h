// Where finished images are kept, so that the same rules need not be compiled again: by name, which is a hash of what
// they were made of. Who builds asks it first, and gives it what was made anew. Set-up only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "matchers/arena.h"

namespace steer::matchers {

class ImageStore {
  public:
    virtual ~ImageStore() = default;
    // The bytes that were kept under this name; nothing: there are none, or they are damaged.
    virtual std::optional<Arena> load(const std::string& name) = 0;
    virtual void keep(const std::string& name, std::span<const std::uint8_t> bytes) = 0;
};

}  // namespace steer::matchers
