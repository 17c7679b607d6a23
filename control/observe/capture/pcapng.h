// Blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian, appended to a string. Times
// are nanoseconds since 1970.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace steer::pcapng {

void add_section(std::string& out, std::string_view program);
// Adds an interface for Ethernet frames (libpcap reads no file with different kinds). Interfaces
// are numbered from 0, in the order of calls.
void add_interface(std::string& out, std::string_view name, std::uint32_t most_bytes);

struct Packet {
    std::uint32_t interface = 0;
    std::uint64_t at_ns = 0;
    std::uint32_t length = 0;  // of the whole frame
    bool is_sent = false;
};
void add_packet(std::string& out, const Packet& packet, std::span<const std::uint8_t> bytes);
// `lost`: number of selected frames that did not fit.
void add_statistics(std::string& out, std::uint32_t interface, std::uint64_t at_ns,
                    std::uint64_t lost);

}  // namespace steer::pcapng
