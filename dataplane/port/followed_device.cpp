#include "dataplane/port/followed_device.h"

#include <net/if.h>

#include <utility>

#include "dataplane/port/kernel_device.h"

namespace steer {
namespace {

constexpr unsigned kPassesAfterError = 10;

}  // namespace

void FollowedDevice::set_ports(std::vector<std::unique_ptr<Port>> ports) {
    owned_ = std::move(ports);
    for (const auto& port : owned_)
        ports_.push_back(port.get());
}

std::optional<std::string> FollowedDevice::follow() {
    switch (state_) {
        case State::serving:
            if (has_device()) return check_mtu();
            state_ = release() ? State::gone : State::releasing;
            return name() + " was removed: queries there are not served until it is back";
        case State::releasing:
            if (release()) state_ = State::gone;
            return std::nullopt;
        case State::gone:
            break;
    }
    return find_device();
}

std::optional<std::string> FollowedDevice::find_device() {
    if (if_nametoindex(name().c_str()) == 0) {
        error_.clear();
        passes_ = 0;
        return std::nullopt;
    }
    if (passes_ != 0) {
        --passes_;
        return std::nullopt;
    }
    const Result<void> done = reopen();
    if (done) {
        error_.clear();
        state_ = State::serving;
        return name() + " is back and is served again (" + describe() + ")";
    }
    passes_ = kPassesAfterError;
    std::string sentence = name() + " is back and cannot be served: " + done.error().text;
    if (sentence == error_) return std::nullopt;
    error_ = std::move(sentence);
    return error_;
}

// The sockets stay when the MTU changes, if the driver allows the change.
std::optional<std::string> FollowedDevice::check_mtu() {
    const Result<KernelDevice> device = find_kernel_device(name());
    const unsigned most = largest_mtu();
    const bool too_large = device && device->mtu > most;
    if (too_large == mtu_too_large_) return std::nullopt;
    mtu_too_large_ = too_large;
    if (!too_large) return std::nullopt;
    return device->name + " has an MTU of " + std::to_string(device->mtu) +
           " now: DNS packets above " + std::to_string(most) +
           " bytes are dropped there until steerdnsd is restarted, or `ip link set dev " +
           device->name + " mtu " + std::to_string(most) + "`";
}

}  // namespace steer
