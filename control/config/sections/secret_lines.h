// Secrets in a file of their own: lines of hexadecimal digits, as `openssl rand -hex` prints them.
// Empty lines and lines with # are ignored.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "control/config/reading.h"
#include "control/config/setting.h"

namespace steer::config {

// No value: another length, or other characters.
template <std::size_t Bytes>
std::optional<std::array<std::uint8_t, Bytes>> secret_of(std::string_view digits) {
    std::array<std::uint8_t, Bytes> secret{};
    if (digits.size() != 2 * Bytes) return std::nullopt;
    for (std::size_t i = 0; i < Bytes; ++i) {
        const char* const at = digits.data() + 2 * i;
        const auto [end, error] = std::from_chars(at, at + 2, secret[i], 16);
        if (error != std::errc{} || end != at + 2) return std::nullopt;
    }
    return secret;
}

// The lines of a file with secrets of `bytes` bytes each.
class SecretLines {
  public:
    // `what`: "the secret of cookies". `path` becomes the file's.
    SecretLines(Reading& in, const Node& node, const Place& place, std::string_view what,
                std::size_t bytes, std::string& path);
    // False: the file cannot be read, or is not there yet; that is reported.
    [[nodiscard]] bool is_read() const { return content_.has_value(); }
    // The next line with a secret, without 0x; empty: there is none.
    std::string_view next();
    // Reports the present line.
    void refuse(std::string_view expected);
    [[nodiscard]] std::string expected() const;

  private:
    Reading& in_;
    const Place& place_;
    const std::string& path_;
    const std::size_t bytes_;
    std::optional<std::string> content_;
    std::string_view rest_;
    int line_ = 0;
};

// At most `most` secrets, each once. Empty after an error, which is reported.
template <std::size_t Bytes>
std::vector<std::array<std::uint8_t, Bytes>> read_secrets(Reading& in, const Node& node,
                                                          const Place& place, std::string_view what,
                                                          std::size_t most,
                                                          std::string_view too_many,
                                                          std::string& path) {
    SecretLines lines(in, node, place, what, Bytes, path);
    std::vector<std::array<std::uint8_t, Bytes>> all;
    if (!lines.is_read()) return all;
    const auto refuse = [&](std::string_view expected) {
        lines.refuse(expected);
        return decltype(all){};
    };
    for (std::string_view text = lines.next(); !text.empty(); text = lines.next()) {
        const auto secret = secret_of<Bytes>(text);
        if (!secret) return refuse("expected a secret of " + lines.expected());
        if (all.size() == most) return refuse(too_many);
        for (const auto& known : all) {
            if (known == *secret) return refuse("the same secret again: remove it");
        }
        all.push_back(*secret);
    }
    if (all.empty()) return refuse("no secret: write one of " + lines.expected());
    return all;
}

}  // namespace steer::config
