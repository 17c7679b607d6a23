#include "control/host/kernel/next_hops.h"

#include <net/if.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <optional>
#include <utility>

#include "control/host/kernel/hop_table.h"
#include "control/host/kernel/netlink.h"
#include "control/host/kernel/reply_routes.h"

namespace steer::kernel {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// Changes come in bursts (a routing daemon, a flapping link): one check after a burst.
constexpr auto kDebounce = 50ms;
// The kernel asks three times, a second apart, before it gives an entry up.
constexpr auto kPokeMissing = 1s;
constexpr auto kPokeAgeing = 5s;

constexpr std::array<int, 8> kGroups{RTNLGRP_LINK,        RTNLGRP_NEIGH,      RTNLGRP_IPV4_IFADDR,
                                     RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
                                     RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE};

// An id that no upstream has.
constexpr IpAddress kUnused{};

// Which tables of the kernel changed. A route may change with a link, but not the reverse.
enum class Changed : std::uint8_t { nothing, routes, interfaces };

struct Tended {
    Neighbour neighbour;
    Clock::time_point poked{};  // the epoch: never
};

Changed changed_by(std::uint16_t message_type) {
    switch (message_type) {
        case RTM_NEWLINK:
        case RTM_DELLINK:
        case RTM_NEWADDR:
        case RTM_DELADDR:
            return Changed::interfaces;
        default:
            return Changed::routes;
    }
}

bool settled(const Neighbour& n) {
    return n.usable() || n.state == Neighbour::State::failed;
}

}  // namespace

struct NextHops::Impl : std::enable_shared_from_this<NextHops::Impl> {
    Impl(boost::asio::io_context& main_io, std::vector<PortDevice> ports, Publish on_change,
         Log on_log, bool by_route)
        : replies_by_route(by_route),
          devices(std::move(ports)),
          publish_(std::move(on_change)),
          log(std::move(on_log)),
          readable(main_io),
          refresh_timer(main_io),
          tend_again(main_io) {}

    const bool replies_by_route;
    std::vector<PortDevice> devices;
    Publish publish_;
    Log log;
    std::function<void()> notify;
    std::unique_ptr<Netlink> kernel_socket, events;
    boost::asio::posix::stream_descriptor readable;
    boost::asio::steady_timer refresh_timer, tend_again;

    std::vector<IpAddress> upstreams;  // index: Upstream::id
    Interfaces interfaces;
    std::map<IpAddress, HopTarget> targets;  // by upstream
    ReplyPlan replies;
    std::size_t replies_version = 0, published_version = 0;  // of the plan
    bool too_many_routes = false;                            // it was logged
    std::map<NeighbourKey, Tended> neighbours;               // that the targets need
    std::optional<NextHopTable> published;
    std::vector<DeviceState> published_devices;
    std::map<IpAddress, int> published_vrfs;
    Changed refresh_due = Changed::nothing;  // refresh_timer runs, if not nothing
    bool tend_due = false;                   // tend_again runs

    Result<void> open();
    void refresh(Changed what);
    void refresh_replies();
    [[nodiscard]] std::shared_ptr<const ReplyRoutes> reply_routes() const;
    void tend();
    Changed read_events();
    void wait_for_neighbours(Clock::time_point until);
    [[nodiscard]] Route find_route(const IpAddress& upstream) const;
    [[nodiscard]] bool is_local(const IpAddress& address) const;
    [[nodiscard]] NextHopTable build() const;
    void publish();
    void log_changes(const NextHopTable& table) const;

    void watch();
    void schedule_refresh(Changed what);
    void schedule_tend(Clock::duration after);
};

Result<void> NextHops::Impl::open() {
    Result<std::unique_ptr<Netlink>> requests = Netlink::open();
    if (!requests) return requests.error();
    Result<std::unique_ptr<Netlink>> subscription = Netlink::open(kGroups);
    if (!subscription) return subscription.error();
    kernel_socket = std::move(*requests);
    events = std::move(*subscription);
    return {};
}

// Asks again: for the routes, and for the interfaces if they changed. The tracking of a neighbour that is still
// needed goes on from where it was.
void NextHops::Impl::refresh(Changed what) {
    if (what == Changed::interfaces) {
        interfaces = read_interfaces(*kernel_socket);
        find_devices(interfaces, devices);
    }
    targets.clear();
    std::map<NeighbourKey, Tended> needed;
    const auto need = [&](const HopTarget& target) {
        if (!target.neighbour || needed.contains(*target.neighbour)) return;
        Tended tended;
        if (const auto known = neighbours.find(*target.neighbour); known != neighbours.end()) {
            tended = known->second;
        }
        tended.neighbour = ask_neighbour(*kernel_socket, *target.neighbour);
        needed.emplace(*target.neighbour, tended);
    };
    for (const IpAddress& upstream : upstreams) {
        if (targets.contains(upstream)) continue;
        if (upstream == kUnused) {
            targets.emplace(upstream, HopTarget{});
            continue;
        }
        const HopTarget& target =
            targets.emplace(upstream, resolve(upstream, find_route(upstream), interfaces, devices))
                .first->second;
        need(target);
    }
    if (replies_by_route) refresh_replies();
    for (const HopTarget& target : replies.targets)
        need(target);
    neighbours = std::move(needed);
}

// Routes change often where a routing daemon runs. What they need is compared by the table.
void NextHops::Impl::refresh_replies() {
    auto routes = dump_routes(*kernel_socket);
    if (!routes && !too_many_routes)
        log("answers go back to the sender's MAC address: the main tables have more than " +
            std::to_string(kMaxReplyRoutes) + " routes; `reply: reflect` says so");
    too_many_routes = !routes;
    replies = routes ? plan_replies(std::move(*routes), interfaces, devices) : ReplyPlan{};
    ++replies_version;
}

std::shared_ptr<const ReplyRoutes> NextHops::Impl::reply_routes() const {
    if (!replies_by_route) return nullptr;
    std::vector<NextHop> hops;
    for (const HopTarget& target : replies.targets)
        hops.push_back(complete(
            target, target.neighbour ? neighbours.at(*target.neighbour).neighbour : Neighbour{}));
    // The workers keep theirs while nothing changed.
    const bool same = published && published->reply_routes &&
                      published_version == replies_version &&
                      published->reply_routes->hops() == hops;
    if (same) return published->reply_routes;
    return std::make_shared<const ReplyRoutes>(replies.rules, std::move(hops));
}

// An upstream that the main tables do not reach may be one of a port's VRF.
Route NextHops::Impl::find_route(const IpAddress& upstream) const {
    Route route = ask_route(*kernel_socket, upstream);
    for (const PortDevice& device : devices) {
        if (route.kind != Route::Kind::none) break;
        const int vrf = vrf_of(index_of(device), interfaces);
        if (vrf != 0) route = ask_route(*kernel_socket, upstream, vrf);
    }
    return route;
}

// Probes missing and aging neighbours, and runs again while there are some.
void NextHops::Impl::tend() {
    const Clock::time_point now = Clock::now();
    std::optional<Clock::duration> next;
    for (auto& [key, tended] : neighbours) {
        const Neighbour::State state = tended.neighbour.state;
        if (state == Neighbour::State::fresh || state == Neighbour::State::fixed) continue;
        const Clock::duration pause =
            state == Neighbour::State::ageing ? Clock::duration(kPokeAgeing) : kPokeMissing;
        if (now - tended.poked >= pause) {
            poke_neighbour(*kernel_socket, key);
            tended.poked = now;
        }
        const Clock::duration left = tended.poked + pause - now;
        next = next ? std::min(*next, left) : left;
    }
    if (next) schedule_tend(*next);
}

// What to check again. Neighbours are taken from the events themselves.
Changed NextHops::Impl::read_events() {
    Changed changed = Changed::nothing;
    const bool complete = events->read_events([&](const nlmsghdr& message) {
        if (message.nlmsg_type != RTM_NEWNEIGH && message.nlmsg_type != RTM_DELNEIGH) {
            changed = std::max(changed, changed_by(message.nlmsg_type));
            return;
        }
        const auto event = read_neighbour(message);
        if (!event) return;
        if (const auto it = neighbours.find(event->first); it != neighbours.end()) {
            it->second.neighbour = event->second;
        }
    });
    return complete ? changed : Changed::interfaces;  // messages were lost: check everything
}

void NextHops::Impl::wait_for_neighbours(Clock::time_point until) {
    for (;;) {
        const bool all = std::all_of(neighbours.begin(), neighbours.end(), [](const auto& entry) {
            return settled(entry.second.neighbour);
        });
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
        if (all || left <= 0ms) return;
        pollfd ready{events->fd(), POLLIN, 0};
        if (::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return;
        if (const Changed what = read_events(); what != Changed::nothing) refresh(what);
        tend();
    }
}

// An address of an interface, or of a local route (`ip route add local ... dev lo`).
bool NextHops::Impl::is_local(const IpAddress& address) const {
    // Routes of a link-local address need the interface.
    const auto& all = interfaces.addresses;
    return std::any_of(all.begin(), all.end(), [&](const Address& a) { return a.ip == address; }) ||
           ask_route(*kernel_socket, address).kind == Route::Kind::local;
}

NextHopTable NextHops::Impl::build() const {
    NextHopTable table;
    for (const IpAddress& upstream : upstreams) {
        const HopTarget& target = targets.at(upstream);
        table.by_upstream.push_back(complete(
            target, target.neighbour ? neighbours.at(*target.neighbour).neighbour : Neighbour{}));
    }
    table.service_addresses = service_addresses(
        interfaces, devices, [this](const IpAddress& address) { return is_local(address); });
    table.service_ports = {53};  // the daemon puts in those of its listeners
    // Those of local routes too: an address must become a service address no later than our own address.
    std::vector<IpAddress>& own = table.own_addresses;
    own = own_addresses(interfaces);
    table.broadcast_addresses = broadcast_addresses(interfaces);
    table.reply_routes = reply_routes();
    for (const IpAddress& address : table.service_addresses) {
        if (std::binary_search(own.begin(), own.end(), address) || !is_local(address)) continue;
        own.insert(std::upper_bound(own.begin(), own.end(), address), address);
    }
    return table;
}

void NextHops::Impl::log_changes(const NextHopTable& table) const {
    for (std::size_t id = 0; id < upstreams.size(); ++id) {
        if (upstreams[id] == kUnused) continue;
        const NextHop::Via now = table.by_upstream[id].via;
        const bool known = published && id < published->by_upstream.size();
        const NextHop::Via before = known ? published->by_upstream[id].via : NextHop::Via::kernel;
        if ((now == NextHop::Via::nothing) == (before == NextHop::Via::nothing)) continue;
        const std::string upstream = upstreams[id].to_string();
        if (now != NextHop::Via::nothing) {
            log("upstream " + upstream + " can be reached again");
        } else if (const auto& neighbour = targets.at(upstreams[id]).neighbour) {
            const Link* link = interfaces.find(neighbour->if_index);
            log("upstream " + upstream + " cannot be reached: its next hop " +
                neighbour->ip.to_string() + " on " + (link == nullptr ? "?" : link->name) +
                " does not answer ARP or ND");
        } else {
            log("upstream " + upstream + " cannot be reached: there is no route to it");
        }
    }
}

void NextHops::Impl::publish() {
    NextHopTable table = build();
    std::vector<DeviceState> states = device_states(interfaces, devices);
    for (const DeviceState& state : states) {
        OwnDevice& ours = table.devices.emplace_back(OwnDevice{
            .if_index = state.if_index, .mac = state.mac, .promiscuous = state.promiscuous});
        for (const auto& [tags, mac] : state.vlans)
            ours.vlans.push_back({std::uint32_t{tags.outer} << 16 | tags.inner, mac});
    }
    std::map<IpAddress, int> vrfs;
    for (const auto& [upstream, target] : targets) {
        if (target.vrf != 0) vrfs.emplace(upstream, target.vrf);
    }
    if (published == table && published_devices == states && published_vrfs == vrfs) return;
    log_changes(table);
    published = table;
    published_version = replies_version;
    published_devices = states;
    published_vrfs = vrfs;
    publish_({std::make_unique<const NextHopTable>(std::move(table)), std::move(states),
              std::move(vrfs)});
}

// ---- on the main thread

void NextHops::Impl::watch() {
    readable.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                        [self = weak_from_this()](const boost::system::error_code& failed) {
                            const auto me = self.lock();
                            if (failed || me == nullptr) return;
                            me->schedule_refresh(me->read_events());
                            me->publish();
                            me->tend();
                            me->watch();
                        });
}

void NextHops::Impl::schedule_refresh(Changed what) {
    const bool runs = refresh_due != Changed::nothing;
    refresh_due = std::max(refresh_due, what);
    if (runs || what == Changed::nothing) return;
    refresh_timer.expires_after(kDebounce);
    refresh_timer.async_wait([self = weak_from_this()](const boost::system::error_code& failed) {
        const auto me = self.lock();
        if (failed || me == nullptr) return;
        me->refresh(std::exchange(me->refresh_due, Changed::nothing));
        me->publish();
        me->tend();
        if (me->notify) me->notify();
    });
}

void NextHops::Impl::schedule_tend(Clock::duration after) {
    if (tend_due) return;
    tend_due = true;
    tend_again.expires_after(after);
    tend_again.async_wait([self = weak_from_this()](const boost::system::error_code& failed) {
        const auto me = self.lock();
        if (failed || me == nullptr) return;
        me->tend_due = false;
        me->tend();
    });
}

// ---- the outside

NextHops::NextHops(boost::asio::io_context& main_io, std::vector<PortDevice> devices,
                   Publish publish, Log log, bool replies_by_route)
    : impl_(std::make_shared<Impl>(main_io, std::move(devices), std::move(publish), std::move(log),
                                   replies_by_route)) {}

NextHops::~NextHops() {
    if (impl_->readable.is_open()) impl_->readable.release();  // the descriptor is the socket's
}

Result<void> NextHops::start(std::vector<IpAddress> upstreams, std::chrono::milliseconds patience) {
    if (Result<void> opened = impl_->open(); !opened) return opened;
    impl_->upstreams = std::move(upstreams);
    impl_->refresh(Changed::interfaces);
    impl_->tend();
    impl_->wait_for_neighbours(Clock::now() + patience);
    impl_->publish();
    impl_->readable.assign(impl_->events->fd());
    impl_->watch();
    return {};
}

void NextHops::set_upstreams(std::vector<IpAddress> upstreams) {
    impl_->upstreams = std::move(upstreams);
    impl_->refresh(Changed::routes);
    impl_->publish();
    impl_->tend();
}

void NextHops::on_change(std::function<void()> notify) {
    impl_->notify = std::move(notify);
}

Result<std::string> find_default_interface() {
    Result<std::unique_ptr<Netlink>> netlink = Netlink::open();
    if (!netlink) return netlink.error();
    const std::optional<int> if_index = find_default_route_interface(**netlink);
    std::array<char, IF_NAMESIZE> name{};
    if (!if_index || if_indextoname(static_cast<unsigned>(*if_index), name.data()) == nullptr) {
        return Error{
            "there is no default route to take the interface of; name one in dataplane.ports"};
    }
    return Result<std::string>(boost::system::in_place_value, name.data());
}

}  // namespace steer::kernel
