// SHA-256 over the input of an image. The image is stored under this hash. Two gigabytes per second
// with CPU support.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace steer::matchers {

class ContentHash {
  public:
    ContentHash();
    void add(std::span<const std::uint8_t> bytes);
    // Adds the text and its length: "ab", "c" differs from "a", "bc".
    void add_text(std::string_view text);
    void add_number(std::uint64_t number);
    // 64 hexadecimal digits. Call it once.
    [[nodiscard]] std::string hex();

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace steer::matchers
