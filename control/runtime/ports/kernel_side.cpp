#include "control/runtime/ports/kernel_side.h"

#include <net/if.h>

#include <algorithm>
#include <array>

namespace steer {
namespace {

kernel::ArpMode mode_of(config::Arp arp) {
    switch (arp) {
        case config::Arp::disabled:
            return kernel::ArpMode::disabled;
        case config::Arp::reply_only:
            return kernel::ArpMode::reply_only;
        case config::Arp::proxy_arp:
            return kernel::ArpMode::proxy_arp;
        case config::Arp::local_proxy_arp:
            return kernel::ArpMode::local_proxy_arp;
        case config::Arp::enabled:
        case config::Arp::as_it_is:
            break;
    }
    return kernel::ArpMode::enabled;
}

}  // namespace

Result<std::unique_ptr<KernelSide>> KernelSide::apply(boost::asio::io_context& main_io,
                                                      const config::Settings& settings,
                                                      const PortSet& ports) {
    std::unique_ptr<KernelSide> side(new KernelSide(main_io));
    const auto paths = ports.exceptions();
    for (const ExceptionPath* path : paths)
        side->made_by_us_.push_back(path->device().if_index());
    // Reports are in the order of the settings' ports; without any there is one report and nothing to apply.
    const auto& wanted = settings.dataplane.ports;
    std::vector<int> silent, unlearned;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const int if_index = ports.devices()[i].if_index;
        Given& given = side->given_.emplace_back(Given{.port = wanted[i], .if_index = if_index});
        const auto path = std::find_if(paths.begin(), paths.end(), [if_index](const auto* p) {
            return p->device().if_index() == if_index;
        });
        if (path != paths.end()) given.path = *path;
        if (auto done = side->give(given); !done)
            return Error{done.error().text, settings.file, wanted[i].line};
        if (given.arp && !given.arp->warning().empty())
            side->warnings_.push_back(given.arp->warning());
        if (wanted[i].arp == config::Arp::disabled) silent.push_back(if_index);
        if (wanted[i].arp == config::Arp::reply_only) unlearned.push_back(if_index);
    }
    side->announcer_.set_quiet(std::move(silent));
    if (auto done = side->keep_unlearned(std::move(unlearned)); !done) return done.error();
    return side;
}

Result<void> KernelSide::give(Given& given) {
    const config::PortSettings& port = given.port;
    if (given.path != nullptr) given.made = given.path->times_made();
    if (port.arp == config::Arp::as_it_is && port.neighbours.empty()) return {};
    std::array<char, IF_NAMESIZE> name{};
    if (::if_indextoname(static_cast<unsigned>(given.if_index), name.data()) == nullptr) {
        return Error{
            "`arp` and `neighbours` are the kernel's, and this port has no interface of it: "
            "give it an `exception` interface, or remove them"};
    }
    if (port.arp != config::Arp::as_it_is) {
        auto set = kernel::ArpSetting::apply(mode_of(port.arp), name.data());
        if (!set) return set.error();
        given.arp = std::move(*set);
    }
    std::vector<kernel::StaticNeighbour> entries;
    for (const auto& n : port.neighbours)
        entries.push_back({.ip = n.ip, .mac = n.mac, .published = n.published});
    auto added = kernel::StaticNeighbours::add(given.if_index, entries);
    if (!added) return added.error();
    given.neighbours = std::move(*added);
    return {};
}

std::vector<std::string> KernelSide::follow_interfaces() {
    std::vector<std::string> sentences;
    for (Given& given : given_) {
        if (given.path == nullptr || given.path->times_made() == given.made) continue;
        given.arp.reset();  // of the interface that went
        given.neighbours.reset();
        if (auto done = give(given); !done) sentences.push_back(done.error().text);
    }
    return sentences;
}

Result<void> KernelSide::keep_unlearned(std::vector<int> if_indices) {
    if (if_indices.empty()) return {};
    auto learned = kernel::LearnedNeighbours::open(std::move(if_indices));
    if (!learned) return learned.error();
    learned_ = std::move(*learned);
    learned_->forget();
    learned_fd_.assign(learned_->fd());
    watch_learned();
    return {};
}

void KernelSide::watch_learned() {
    learned_fd_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [this](const boost::system::error_code& failed) {
                               if (failed) return;
                               learned_->remove();
                               watch_learned();
                           });
}

KernelSide::~KernelSide() {
    if (learned_fd_.is_open()) learned_fd_.release();  // the descriptor is the socket's
}

void KernelSide::follow(std::span<const kernel::DeviceState> devices) {
    if (!followed_) {
        std::vector<kernel::DeviceState> others(devices.begin(), devices.end());
        std::erase_if(others, [&](const kernel::DeviceState& d) {
            return std::find(made_by_us_.begin(), made_by_us_.end(), d.if_index) !=
                   made_by_us_.end();
        });
        announcer_.assume(others);
        followed_ = true;
    }
    announcer_.follow(devices);
}

}  // namespace steer
