// SHA-256 of what an image is made of, as the name that it is kept under. Two gigabytes a second where the CPU helps.
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
    // With its length: "ab", "c" is another content than "a", "bc".
    void add_text(std::string_view text);
    void add_number(std::uint64_t number);
    // 64 hexadecimal digits; once.
    [[nodiscard]] std::string hex();

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace steer::matchers
