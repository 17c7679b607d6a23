#include "control/streams/base/udp_options.h"

#include <netinet/in.h>
#include <sys/socket.h>

namespace steer::stream {
namespace {

// Each is an improvement only: without it the socket works, too.
void improve(int socket, int level, int option, int value) {
    (void)::setsockopt(socket, level, option, &value, sizeof value);
}

}  // namespace

void prepare_for_quic(int socket, bool is_v4) {
    // Packets have their size by QUIC's own probes. PROBE: what ICMP says about it is ignored,
    // because anyone could forge it.
    if (is_v4) {
        improve(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
        improve(socket, IPPROTO_IP, IP_RECVTOS, 1);
    } else {
        improve(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
        improve(socket, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    }
    improve(socket, IPPROTO_UDP, kUdpGro, 1);
}

}  // namespace steer::stream
