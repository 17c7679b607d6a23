#include "control/sinks/set_process/route_writer.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "control/sinks/set_process/route_marks.h"

namespace steer::sets {
namespace {

// For the refusals of a whole batch: a message per route.
constexpr int kReceiveBytes = 4 << 20;
constexpr std::size_t kMostPerCall = 512;
constexpr std::size_t kMessageBytes = 128;  // one route, with room
constexpr int kMostDumps = 5;               // while others change the table

std::string error_text(const char* what) {
    return std::string(what) + ": " + std::strerror(errno);
}

std::uint32_t number_of(const SetName& set) {
    std::uint32_t number = 0;
    std::from_chars(set.table.data(), set.table.data() + set.table.size(), number);
    return number;
}

rtmsg* put_head(char* at, std::uint16_t type, std::uint16_t flags, const SetName& set) {
    nlmsghdr* const head = mnl_nlmsg_put_header(at);
    head->nlmsg_type = type;
    head->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    auto* const route = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(head, sizeof(rtmsg)));
    const std::uint32_t table = number_of(set);
    route->rtm_family = set.v6 ? AF_INET6 : AF_INET;
    route->rtm_protocol = kRouteProtocol;
    route->rtm_table = static_cast<unsigned char>(table < 256 ? table : 0);
    mnl_attr_put_u32(head, RTA_TABLE, table);
    return route;
}

void put_route(char* at, std::uint16_t type, std::uint16_t flags, const SetName& set,
               const matchers::Prefix& prefix) {
    rtmsg* const route = put_head(at, type, flags, set);
    auto* const head = reinterpret_cast<nlmsghdr*>(at);
    route->rtm_type = RTN_BLACKHOLE;
    route->rtm_scope = type == RTM_DELROUTE ? RT_SCOPE_NOWHERE : RT_SCOPE_UNIVERSE;
    route->rtm_dst_len = static_cast<unsigned char>(set.v6 ? prefix.length : prefix.length - 96);
    const auto& bytes = prefix.address.bytes;
    if (set.v6) {
        mnl_attr_put(head, RTA_DST, bytes.size(), bytes.data());
    } else {
        mnl_attr_put(head, RTA_DST, 4, bytes.data() + 12);
    }
    mnl_attr_put_u32(head, RTA_PRIORITY, kRouteMetric);
}

// A route of a dump; the kernel filtered by table and protocol, older ones did not.
void take_route(const nlmsghdr& message, std::uint32_t table, bool v6,
                std::vector<matchers::Prefix>& into) {
    const auto* const route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
    if (message.nlmsg_type != RTM_NEWROUTE || route->rtm_protocol != kRouteProtocol ||
        route->rtm_type != RTN_BLACKHOLE || route->rtm_family != (v6 ? AF_INET6 : AF_INET))
        return;
    struct Attributes {
        std::uint32_t table = 0, metric = 0;
        const std::uint8_t* dst = nullptr;
        std::size_t dst_bytes = 0;
    } found;
    found.table = route->rtm_table;
    mnl_attr_parse(
        &message, sizeof(rtmsg),
        [](const nlattr* attribute, void* to) {
            auto& out = *static_cast<Attributes*>(to);
            const auto type = mnl_attr_get_type(attribute);
            const bool is_u32 = mnl_attr_validate(attribute, MNL_TYPE_U32) == 0;
            if (type == RTA_TABLE && is_u32) out.table = mnl_attr_get_u32(attribute);
            if (type == RTA_PRIORITY && is_u32) out.metric = mnl_attr_get_u32(attribute);
            if (type == RTA_DST) {
                out.dst = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
                out.dst_bytes = mnl_attr_get_payload_len(attribute);
            }
            return MNL_CB_OK;
        },
        &found);
    const bool is_whole = found.dst_bytes == (v6 ? 16U : 4U);
    if (!is_whole || found.table != table || found.metric != kRouteMetric) return;
    const auto address = v6 ? IpAddress::from_v6(found.dst) : IpAddress::from_v4(found.dst);
    into.push_back({address, static_cast<std::uint8_t>(route->rtm_dst_len + (v6 ? 0 : 96))});
}

}  // namespace

Result<void> RouteWriter::open() {
    if (socket_.is_open()) return {};
    auto opened = NetlinkSocket::open(NETLINK_ROUTE, 0);
    if (!opened) return Error{"netlink of routes cannot be opened: " + opened.error().text};
    if (const auto bound = opened->bind(0); !bound)
        return Error{"netlink of routes cannot be bound: " + bound.error().text};
    // A kernel without these options answers with longer messages, and dumps all tables.
    int on = 1;
    (void)mnl_socket_setsockopt(opened->get(), NETLINK_CAP_ACK, &on, sizeof on);
    (void)mnl_socket_setsockopt(opened->get(), NETLINK_GET_STRICT_CHK, &on, sizeof on);
    opened->enlarge_receive_buffer(kReceiveBytes);
    (void)::setsockopt(opened->fd(), SOL_SOCKET, SO_SNDBUFFORCE, &kReceiveBytes,
                       sizeof kReceiveBytes);
    socket_ = std::move(*opened);
    return {};
}

std::uint32_t RouteWriter::port() const {
    return socket_.port();
}

Result<SetAbility> RouteWriter::read(const SetName& /*set*/) {
    if (const auto opened = open(); !opened) return opened.error();
    return SetAbility{.timeouts = false, .prefixes = true, .removal = true};
}

Result<bool> RouteWriter::has(const SetName& /*set*/, const matchers::Prefix& /*prefix*/) {
    return Error{"routes are not asked for one by one"};
}

// Only the last message asks for an acknowledgement: the kernel handles them in order, and always reports errors.
Result<std::vector<RouteWriter::Refused>> RouteWriter::change(
    const SetName& set, std::uint16_t type, std::span<const matchers::Prefix> elements) {
    if (const auto opened = open(); !opened) return opened.error();
    const auto verb =
        static_cast<std::uint16_t>(type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_APPEND : 0);
    std::vector<char> buffer(std::min(elements.size(), kMostPerCall) * kMessageBytes);
    std::vector<Refused> refused;
    for (std::size_t done = 0; done < elements.size();) {
        const auto part = elements.subspan(done, std::min(kMostPerCall, elements.size() - done));
        const std::uint32_t first_seq = seq_ + 1;
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < part.size(); ++i) {
            const bool is_last = i + 1 == part.size();
            char* const at = buffer.data() + bytes;
            put_route(at, type, static_cast<std::uint16_t>(verb | (is_last ? NLM_F_ACK : 0)), set,
                      part[i]);
            auto* const head = reinterpret_cast<nlmsghdr*>(at);
            head->nlmsg_seq = ++seq_;
            bytes += (std::size_t{head->nlmsg_len} + 3) & ~std::size_t{3};  // NLMSG_ALIGN
        }
        if (mnl_socket_sendto(socket_.get(), buffer.data(), bytes) < 0)
            return Error{error_text("routes cannot be sent to the kernel")};
        auto some = replies(first_seq, part.size());
        if (!some) return some.error();
        for (const Refused& one : *some)
            refused.push_back({done + one.index, one.error});
        done += part.size();
    }
    return refused;
}

Result<std::vector<RouteWriter::Refused>> RouteWriter::replies(std::uint32_t first_seq,
                                                               std::size_t count) {
    std::vector<Refused> refused;
    alignas(nlmsghdr) std::array<char, 32 * 1024> buffer{};
    for (;;) {
        const auto bytes = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes < 0) return Error{error_text("the kernel's replies about routes are lost")};
        int left = static_cast<int>(bytes);
        const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
        for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            const std::size_t index = message->nlmsg_seq - first_seq;
            if (message->nlmsg_type != NLMSG_ERROR || index >= count)
                continue;  // of an earlier call
            const auto* const reply = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(message));
            if (reply->error != 0) refused.push_back({index, -reply->error});
            if (index + 1 == count) return refused;
        }
    }
}

Result<void> RouteWriter::add(const SetName& set, std::span<const SetElement> elements) {
    std::vector<matchers::Prefix> prefixes;
    prefixes.reserve(elements.size());
    for (const SetElement& element : elements)
        prefixes.push_back(element.prefix);
    const auto refused = change(set, RTM_NEWROUTE, prefixes);
    if (!refused) return refused.error();
    std::vector<matchers::Prefix> existing;
    for (const Refused& one : *refused) {
        if (one.error != EEXIST) return Error{std::strerror(one.error)};
        existing.push_back(prefixes[one.index]);
    }
    // For IPv4, EEXIST is returned for a route with the same protocol only.
    if (existing.empty() || !set.v6) return {};
    const auto own = ours(set);
    if (!own) return own.error();
    const auto is_own = [&](const matchers::Prefix& prefix) {
        return std::ranges::find(*own, prefix) != own->end();
    };
    if (std::ranges::all_of(existing, is_own)) return {};
    return Error{"another program has a route with metric " + std::to_string(kRouteMetric)};
}

Result<void> RouteWriter::remove(const SetName& set, std::span<const matchers::Prefix> elements) {
    const auto refused = change(set, RTM_DELROUTE, elements);
    if (!refused) return refused.error();
    for (const Refused& one : *refused) {
        if (one.error != ESRCH && one.error != ENOENT) return Error{std::strerror(one.error)};
    }
    return {};
}

Result<std::vector<matchers::Prefix>> RouteWriter::ours(const SetName& set) {
    if (const auto opened = open(); !opened) return opened.error();
    for (int i = 0; i < kMostDumps; ++i) {
        std::vector<matchers::Prefix> found;
        const auto whole = read_routes(set, found);
        if (!whole) return whole.error();
        if (*whole) return found;
    }
    return Error{"routes cannot be read: others change them all the time"};
}

Result<bool> RouteWriter::read_routes(const SetName& set, std::vector<matchers::Prefix>& found) {
    alignas(nlmsghdr) std::array<char, kMessageBytes> request{};
    put_head(request.data(), RTM_GETROUTE, NLM_F_DUMP, set);
    auto* const head = reinterpret_cast<nlmsghdr*>(request.data());
    head->nlmsg_seq = ++seq_;
    if (mnl_socket_sendto(socket_.get(), head, head->nlmsg_len) < 0)
        return Error{error_text("routes cannot be read")};
    alignas(nlmsghdr) std::array<char, 32 * 1024> buffer{};
    bool is_whole = true;
    for (;;) {
        const auto bytes = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes < 0) return Error{error_text("routes cannot be read")};
        int left = static_cast<int>(bytes);
        const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
        for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            if (message->nlmsg_seq != seq_) continue;  // of an earlier call
            is_whole = is_whole && (message->nlmsg_flags & NLM_F_DUMP_INTR) == 0;
            if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
                // Both begin with the error.
                int error = 0;
                if (mnl_nlmsg_get_payload_len(message) >= sizeof error)
                    std::memcpy(&error, mnl_nlmsg_get_payload(message), sizeof error);
                if (error == 0 || error == -ENOENT) return is_whole;  // ENOENT: there is no table
                return Error{std::string("routes cannot be read: ") + std::strerror(-error)};
            }
            take_route(*message, number_of(set), set.v6, found);
        }
    }
}

}  // namespace steer::sets
