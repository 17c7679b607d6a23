// Stores finished images, so that the same rules need not be compiled again. The key is a hash of
// their input. Builders ask it first, and store new images in it. Set-up only.
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
    // The bytes stored under this name; no value: none, or damaged.
    virtual std::optional<Arena> load(const std::string& name) = 0;
    virtual void keep(const std::string& name, std::span<const std::uint8_t> bytes) = 0;
};

}  // namespace steer::matchers
