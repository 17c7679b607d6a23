// How many files a process may open, and the part of it that servers of our own may take.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace steer {

// Of `most` sessions of the page or of metrics, those that a process with `files` descriptors has.
[[nodiscard]] std::uint64_t sessions_within(std::uint64_t most, std::uint64_t files);
// The hard limit of descriptors of this process, or of another one by its id. No value: unknown.
[[nodiscard]] std::optional<std::uint64_t> descriptor_limit();
[[nodiscard]] std::optional<std::uint64_t> descriptor_limit_of(pid_t process);

}  // namespace steer
