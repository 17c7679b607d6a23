#include "control/streams/listen/quic_sockets.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "control/streams/base/udp_options.h"

namespace steer::stream {
namespace {

// Offsets in a QUIC packet (RFC 8999): of its first byte, and of the destination's id.
constexpr std::uint32_t kFlags = 0, kLongId = 6, kShortId = 1;
constexpr std::uint32_t kLongForm = 0x80;

// False: see errno. A packet that is too short goes to the first socket.
bool pick_by_id(int socket, unsigned count) {
    std::array<sock_filter, 7> program{{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlags),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kLongForm, 0, 2),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kLongId),
        BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kShortId),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count),
        BPF_STMT(BPF_RET | BPF_A, 0),
    }};
    const sock_fprog all{static_cast<unsigned short>(program.size()), program.data()};
    return ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &all, sizeof all) == 0;
}

}  // namespace

Result<std::vector<Descriptor>> open_quic_sockets(const ListenAddress& where, unsigned count) {
    std::vector<Descriptor> sockets;
    for (unsigned i = 0; i < count; ++i) {
        const auto opened = open_listen_socket(where);
        if (!opened) return opened.error();
        sockets.emplace_back(*opened);
        prepare_for_quic(sockets.back().get(), where.address.is_v4());
    }
    if (!pick_by_id(sockets.front().get(), count))
        return Error{"the sockets of DNS over QUIC on " + where.address.to_string() +
                     " cannot be grouped: " + std::strerror(errno)};
    return {boost::system::in_place_value, std::move(sockets)};
}

}  // namespace steer::stream
