#include "dataplane/port/xdp_device.h"

#include <net/if.h>

#include "dataplane/port/kernel_device.h"

namespace steer {
namespace {

constexpr unsigned kPassesAfterError = 10;

}  // namespace

Result<std::unique_ptr<XdpDevice>> XdpDevice::open(const std::string& device,
                                                   const AfXdpOptions& options) {
    auto steering = XdpSteering::attach(device);
    if (!steering) return steering.error();
    std::unique_ptr<XdpDevice> opened(new XdpDevice(std::move(*steering), options));
    auto ports = open_af_xdp(*opened->steering_, options);
    if (!ports) return ports.error();
    opened->owned_ = std::move(*ports);
    for (const auto& port : opened->owned_)
        opened->ports_.push_back(port.get());
    return opened;
}

std::optional<std::string> XdpDevice::follow() {
    switch (state_) {
        case State::serving:
            if (steering_->has_device()) return check_mtu();
            state_ = State::releasing;
            release_af_xdp(ports_);
            return steering_->device() +
                   " was removed: queries there are not served until it is back";
        case State::releasing:
            if (release_af_xdp(ports_)) state_ = State::gone;
            return std::nullopt;
        case State::gone:
            break;
    }
    return find_device();
}

std::optional<std::string> XdpDevice::find_device() {
    const std::string& name = steering_->device();
    if (if_nametoindex(name.c_str()) == 0) {
        error_.clear();
        passes_ = 0;
        return std::nullopt;
    }
    if (passes_ != 0) {
        --passes_;
        return std::nullopt;
    }
    Result<void> done = steering_->reattach();
    if (done) done = reopen_af_xdp(*steering_, ports_, options_);
    if (done) {
        error_.clear();
        state_ = State::serving;
        return name + " is back and is served again (" + describe() + ")";
    }
    passes_ = kPassesAfterError;
    std::string sentence = name + " is back and cannot be served: " + done.error().text;
    if (sentence == error_) return std::nullopt;
    error_ = std::move(sentence);
    return error_;
}

// The program stays attached when the MTU changes, if the driver allows the change.
std::optional<std::string> XdpDevice::check_mtu() {
    const Result<KernelDevice> device = find_kernel_device(steering_->device());
    const unsigned most = largest_mtu(*ports_.front());
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
