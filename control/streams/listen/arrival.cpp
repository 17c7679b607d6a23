#include "control/streams/listen/arrival.h"

#include <netinet/in.h>

#include <cstring>
#include <initializer_list>

namespace steer::stream {
namespace {

// linux/in.h and linux/in6.h have them, beside what netinet/in.h defines again.
constexpr int kIpRecvFragSize = 25;
constexpr int kIpv6RecvFragSize = 77;

void turn_on(int socket, int level, int option) {
    const int on = 1;
    (void)::setsockopt(socket, level, option, &on, sizeof on);
}

template <class Info>
Info payload(const cmsghdr& part) {
    Info info;
    std::memcpy(&info, CMSG_DATA(&part), sizeof info);
    return info;
}

}  // namespace

void ask_for_arrival(int socket, int family) {
    if (family == AF_INET) {
        for (const int option : {IP_PKTINFO, IP_RECVOPTS, kIpRecvFragSize})
            turn_on(socket, IPPROTO_IP, option);
    } else {
        for (const int option : {IPV6_RECVPKTINFO, IPV6_RECVHOPOPTS, IPV6_RECVDSTOPTS,
                                 IPV6_RECVRTHDR, kIpv6RecvFragSize})
            turn_on(socket, IPPROTO_IPV6, option);
    }
}

Arrival read_arrival(msghdr& message) {
    Arrival arrival;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
            arrival.if_index = payload<in_pktinfo>(*part).ipi_ifindex;
        } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
            arrival.if_index = static_cast<int>(payload<in6_pktinfo>(*part).ipi6_ifindex);
        } else if (part->cmsg_level == IPPROTO_IP || part->cmsg_level == IPPROTO_IPV6) {
            arrival.plain = false;  // it had other requested control data
        }
    }
    if ((message.msg_flags & MSG_CTRUNC) != 0) arrival.plain = false;  // only options add this much
    return arrival;
}

}  // namespace steer::stream
