#include "control/observe/capture/pcapng.h"

#include <array>
#include <concepts>
#include <cstddef>

namespace steer::pcapng {
namespace {

constexpr std::uint32_t kSection = 0x0a0d0d0a, kInterface = 1, kStatistics = 5, kPacket = 6;
constexpr std::uint16_t kEnd = 0;

template <std::unsigned_integral Number>
void put(std::string& out, Number number) {
    for (std::size_t i = 0; i < sizeof number; ++i)
        out += static_cast<char>(number >> (8 * i) & 0xffU);
}

void pad(std::string& out, std::size_t begun) {
    while ((out.size() - begun) % 4 != 0)
        out += '\0';
}

void put_option(std::string& out, std::uint16_t code, std::string_view value) {
    put(out, code);
    put(out, static_cast<std::uint16_t>(value.size()));
    const std::size_t begun = out.size();
    out += value;
    pad(out, begun);
}

// Type, then a length that is written when the block ends, and again behind it.
class Block {
  public:
    Block(std::string& out, std::uint32_t type) : out_(out), begun_(out.size()) {
        put(out, type);
        put(out, std::uint32_t{0});
    }
    ~Block() {
        const auto length = static_cast<std::uint32_t>(out_.size() - begun_ + 4);
        for (std::size_t i = 0; i < 4; ++i)
            out_[begun_ + 4 + i] = static_cast<char>(length >> (8 * i) & 0xffU);
        put(out_, length);
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

  private:
    std::string& out_;
    const std::size_t begun_;
};

void put_time(std::string& out, std::uint64_t at_ns) {
    put(out, static_cast<std::uint32_t>(at_ns >> 32U));
    put(out, static_cast<std::uint32_t>(at_ns));
}

}  // namespace

void add_section(std::string& out, std::string_view program) {
    constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;
    constexpr std::uint16_t kProgram = 4;
    const Block block(out, kSection);
    put(out, kByteOrder);
    put(out, std::uint16_t{1});  // version 1.0
    put(out, std::uint16_t{0});
    put(out, UINT64_MAX);  // its length is not known
    put_option(out, kProgram, program);
    put_option(out, kEnd, {});
}

void add_interface(std::string& out, std::string_view name, std::uint32_t most_bytes) {
    constexpr std::uint16_t kEthernet = 1;
    constexpr std::uint16_t kName = 2, kResolution = 9;
    const Block block(out, kInterface);
    put(out, kEthernet);
    put(out, std::uint16_t{0});
    put(out, most_bytes);
    put_option(out, kName, name);
    put_option(out, kResolution, "\x09");  // nanoseconds
    put_option(out, kEnd, {});
}

void add_packet(std::string& out, const Packet& packet, std::span<const std::uint8_t> bytes) {
    constexpr std::uint16_t kFlags = 2;
    constexpr char kReceived = 1, kSent = 2;
    const Block block(out, kPacket);
    put(out, packet.interface);
    put_time(out, packet.at_ns);
    put(out, static_cast<std::uint32_t>(bytes.size()));
    put(out, packet.length);
    const std::size_t begun = out.size();
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    pad(out, begun);
    const std::array<char, 4> flags{packet.is_sent ? kSent : kReceived, 0, 0, 0};
    put_option(out, kFlags, {flags.data(), flags.size()});
    put_option(out, kEnd, {});
}

void add_statistics(std::string& out, std::uint32_t interface, std::uint64_t at_ns,
                    std::uint64_t lost) {
    constexpr std::uint16_t kDropped = 5;
    const Block block(out, kStatistics);
    put(out, interface);
    put_time(out, at_ns);
    std::string number;
    put(number, lost);
    put_option(out, kDropped, number);
    put_option(out, kEnd, {});
}

}  // namespace steer::pcapng
