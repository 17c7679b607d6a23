// A DNS response as text lines in dig's format: flags and counts, then each record.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace steer::ops {

// `message` may be truncated or malformed: readable parts are printed, and a last line says where
// it ended.
std::vector<std::string> response_lines(std::span<const std::uint8_t> message);

// Two lower-case digits per byte.
std::string hex(std::span<const std::uint8_t> bytes);

}  // namespace steer::ops
