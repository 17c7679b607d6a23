// What a Starter and its process say to each other. Both ends are of the same program.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "control/host/process/starter.h"

namespace steer {

inline constexpr std::size_t kMaxGiven = 4;
static_assert(kMaxGiven + 1 <= SequencedSocket::kMaxDescriptors);

struct Starter::Request {
    enum class Kind : std::uint32_t { start, become, signal, group } kind = Kind::start;
    std::uint32_t program = 0;
    std::uint32_t count = 0;      // of `targets`, and of the first descriptors beside the message
    std::uint32_t has_rules = 0;  // 1: one more descriptor, of rules for files
    std::array<int, kMaxGiven> targets{};
    cpu_set_t cpus{};
    uid_t uid = 0;
    gid_t gid = 0;
    std::uint64_t most_bytes = 0;
    pid_t pid = 0;  // of `signal`
    int number = 0;
};

struct Starter::Reply {
    pid_t pid = 0;
    int error = 0;
    int unguarded = 0;  // of a start: ProgramFilter::error
};

template <class Message>
std::string_view bytes_of(const Message& message) {
    return {reinterpret_cast<const char*>(&message), sizeof message};
}

// False: its size is wrong.
template <class Message>
bool read_bytes(std::string_view bytes, Message& out) {
    if (bytes.size() != sizeof out) return false;
    std::memcpy(&out, bytes.data(), sizeof out);
    return true;
}

}  // namespace steer
