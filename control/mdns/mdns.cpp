#include "control/mdns/mdns.h"

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <utility>

#include "control/host/kernel/addresses.h"
#include "control/mdns/link_socket.h"
#include "control/mdns/repeater.h"

namespace steer::mdns {
namespace {

using boost::asio::posix::stream_descriptor;
using namespace std::chrono_literals;

constexpr auto kSettle = 100ms;         // changes come in bursts
constexpr auto kTryAgain = 10s;         // where the kernel refused
constexpr unsigned kPacketsATurn = 64;  // then others of the thread have their turn

struct SocketKey {
    int if_index = 0;
    bool v6 = false;
    auto operator<=>(const SocketKey&) const = default;
};

}  // namespace

struct Mdns::Impl : std::enable_shared_from_this<Mdns::Impl>, Outlet {
    Impl(boost::asio::io_context& on, Clock clock, Warn say)
        : main_io(on), now_ms(std::move(clock)), warn(std::move(say)), check_timer(on) {}

    struct Place {
        std::string name;
        int if_index = 0;  // 0: it is not there
        bool v4 = false, v6 = false;
        std::string error;
    };

    boost::asio::io_context& main_io;
    Clock now_ms;
    Warn warn;
    boost::asio::steady_timer check_timer;
    std::chrono::steady_clock::time_point
        check_at{};  // when the timer ends; the epoch: it does not run
    std::unique_ptr<kernel::Netlink> netlink;
    Options options;
    std::vector<Place> places;  // in the order of the configured interfaces
    std::map<SocketKey, std::shared_ptr<stream_descriptor>> sockets;
    Repeater repeater{*this};
    std::array<std::uint8_t, kPacketRoom> room;

    // ---- what is there

    void check();
    void schedule_check(std::chrono::steady_clock::duration after);
    [[nodiscard]] kernel::Interfaces interfaces();
    Place find_place(const std::string& name, const kernel::Interfaces& all);
    bool open(Place& place, bool v6);
    void close_all_but(const std::vector<SocketKey>& wanted);
    void update_repeater(const kernel::Interfaces& all);

    // ---- packets

    void wait(const SocketKey& key, const std::shared_ptr<stream_descriptor>& socket);
    void receive(const SocketKey& key, stream_descriptor& socket);
    bool send(int if_index, bool v6, std::span<const std::uint8_t> bytes) override;
    bool send_to(const LegacyQuerier& querier, std::span<const std::uint8_t> bytes) override;
};

void Mdns::Impl::schedule_check(std::chrono::steady_clock::duration after) {
    const auto at = std::chrono::steady_clock::now() + after;
    if (check_at != std::chrono::steady_clock::time_point{} && check_at <= at) return;
    check_at = at;
    check_timer.expires_at(at);
    check_timer.async_wait([self = weak_from_this()](const boost::system::error_code& failed) {
        const auto me = self.lock();
        if (failed || me == nullptr) return;
        me->check_at = {};
        me->check();
    });
}

kernel::Interfaces Mdns::Impl::interfaces() {
    if (!netlink) {
        auto opened = kernel::Netlink::open();
        if (!opened) {
            warn(opened.error().sentence());
            return {};
        }
        netlink = std::move(*opened);
    }
    return kernel::read_interfaces(*netlink);
}

void Mdns::Impl::check() {
    const auto all = options.interfaces.empty() ? kernel::Interfaces{} : interfaces();
    std::vector<Place> found;
    std::vector<SocketKey> wanted;
    bool refused = false;
    for (const std::string& name : options.interfaces) {
        Place& place = found.emplace_back(find_place(name, all));
        for (const bool v6 : {false, true}) {
            bool& on = v6 ? place.v6 : place.v4;
            if (on) wanted.push_back({place.if_index, v6});
        }
    }
    close_all_but(wanted);
    for (std::size_t i = 0; i < found.size(); ++i) {
        Place& place = found[i];
        for (const bool v6 : {false, true}) {
            bool& on = v6 ? place.v6 : place.v4;
            if (on && !open(place, v6)) {
                on = false;
                refused = true;
            }
        }
        const bool was_reported =
            i < places.size() && places[i].name == place.name && places[i].error == place.error;
        if (!place.error.empty() && !was_reported) warn("mdns: " + place.error);
    }
    places = std::move(found);
    update_repeater(all);
    if (refused) schedule_check(kTryAgain);
}

Mdns::Impl::Place Mdns::Impl::find_place(const std::string& name, const kernel::Interfaces& all) {
    Place place{.name = name};
    const auto link = std::find_if(all.links.begin(), all.links.end(),
                                   [&](const kernel::Link& l) { return l.name == name; });
    if (link == all.links.end()) {
        place.error = name + " does not exist";
        return place;
    }
    place.if_index = link->if_index;
    if (!link->up) {
        place.error = name + " is down";
        return place;
    }
    for (const kernel::Address& address : all.addresses) {
        if (address.if_index != link->if_index) continue;
        place.v4 |= address.ip.is_v4() && options.v4;
        place.v6 |= address.ip.is_link_local() && options.v6;
    }
    if (options.v4 && !place.v4) place.error = name + " has no IPv4 address";
    if (options.v6 && !place.v6)
        place.error = place.error.empty() ? name + " has no link-local IPv6 address"
                                          : place.error + ", no link-local IPv6 address";
    return place;
}

bool Mdns::Impl::open(Place& place, bool v6) {
    const SocketKey key{place.if_index, v6};
    if (sockets.contains(key)) return true;
    const auto opened = open_link_socket(place.if_index, place.name, v6);
    if (!opened) {
        place.error = opened.error().text;
        return false;
    }
    const auto socket = std::make_shared<stream_descriptor>(main_io, *opened);
    sockets.emplace(key, socket);
    wait(key, socket);
    return true;
}

void Mdns::Impl::close_all_but(const std::vector<SocketKey>& wanted) {
    std::erase_if(sockets, [&](const auto& s) {
        return std::find(wanted.begin(), wanted.end(), s.first) == wanted.end();
    });
}

void Mdns::Impl::update_repeater(const kernel::Interfaces& all) {
    std::vector<Link> links;
    for (const Place& place : places) {
        if (!place.v4 && !place.v6) continue;
        Link& link = links.emplace_back(
            Link{.if_index = place.if_index, .name = place.name, .v4 = place.v4, .v6 = place.v6});
        for (const kernel::Address& address : all.addresses) {
            if (address.if_index == place.if_index)
                link.networks.push_back(matchers::Prefix::masked(address.ip, address.length));
        }
    }
    std::vector<IpAddress> own;
    for (const kernel::Address& address : all.addresses)
        own.push_back(address.ip);
    repeater.set_links(std::move(links), std::move(own), now_ms());
}

void Mdns::Impl::wait(const SocketKey& key, const std::shared_ptr<stream_descriptor>& socket) {
    socket->async_wait(
        stream_descriptor::wait_read,
        [self = weak_from_this(), key, held = std::weak_ptr(socket)](const auto& failed) {
            const auto me = self.lock();
            const auto here = held.lock();
            if (failed || me == nullptr || here == nullptr) return;
            me->receive(key, *here);
            me->wait(key, here);
        });
}

void Mdns::Impl::receive(const SocketKey& key, stream_descriptor& socket) {
    Arrival arrival{.if_index = key.if_index};
    for (unsigned n = 0; n < kPacketsATurn; ++n) {
        if (!read_packet(socket.native_handle(), room, arrival)) return;
        repeater.receive(arrival, now_ms());
    }
}

bool Mdns::Impl::send(int if_index, bool v6, std::span<const std::uint8_t> bytes) {
    const auto socket = sockets.find({if_index, v6});
    return socket != sockets.end() &&
           write_to_group(socket->second->native_handle(), if_index, v6, bytes);
}

bool Mdns::Impl::send_to(const LegacyQuerier& querier, std::span<const std::uint8_t> bytes) {
    const auto socket = sockets.find({querier.if_index, !querier.address.is_v4()});
    return socket != sockets.end() && write_to(socket->second->native_handle(), querier, bytes);
}

// ---- the outside

Mdns::Mdns(boost::asio::io_context& main_io, Clock now_ms, Warn warn)
    : impl_(std::make_shared<Impl>(main_io, std::move(now_ms), std::move(warn))) {}

Mdns::~Mdns() = default;

void Mdns::configure(Options options) {
    impl_->repeater.set_services(options.services);
    impl_->options = std::move(options);
    impl_->check();
}

void Mdns::network_changed() {
    if (!impl_->options.interfaces.empty()) impl_->schedule_check(kSettle);
}

void Mdns::each_host(const std::function<void(const NamedHost&)>& visit) const {
    impl_->repeater.hosts().each(impl_->now_ms(), visit);
}

std::vector<InterfaceReport> Mdns::report() const {
    std::vector<InterfaceReport> all;
    for (const Impl::Place& place : impl_->places) {
        InterfaceReport& one = all.emplace_back(InterfaceReport{
            .name = place.name, .v4 = place.v4, .v6 = place.v6, .error = place.error});
        const auto counters = impl_->repeater.counters().find(place.name);
        if (counters != impl_->repeater.counters().end()) one.counters = counters->second;
    }
    return all;
}

}  // namespace steer::mdns
