// A device with AF_XDP ports over its whole life. It may be removed and return under its name.
//
// One thread of control calls follow() periodically, and on every change of the kernel's
// interfaces. While the device is removed, its ports stay with their workers and carry no packets.
// When it returns, program and sockets are attached again. Each event returns one sentence for the
// log.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/port/af_xdp.h"
#include "dataplane/port/port.h"
#include "dataplane/port/xdp_steering.h"
#include "matchers/result.h"

namespace steer {

class XdpDevice {
  public:
    // Errors: XdpSteering::attach()'s and open_af_xdp()'s.
    static Result<std::unique_ptr<XdpDevice>> open(const std::string& device,
                                                   const AfXdpOptions& options);
    // The ports. Call it once. Destroy them after their worker and before this object.
    std::vector<std::unique_ptr<Port>> take_ports() { return std::move(owned_); }

    std::optional<std::string> follow();

    [[nodiscard]] XdpSteering& steering() { return *steering_; }
    // The queues of its ports, fixed at the start.
    [[nodiscard]] int if_index() const { return ports_.front()->if_index(); }
    [[nodiscard]] bool serves() const { return state_ == State::serving; }
    [[nodiscard]] std::string describe() const {
        return describe_af_xdp(*steering_, ports_, options_);
    }

  private:
    enum class State : std::uint8_t { serving, releasing, gone };

    XdpDevice(std::unique_ptr<XdpSteering> steering, const AfXdpOptions& options)
        : steering_(std::move(steering)), options_(options) {}
    std::optional<std::string> check_mtu();
    std::optional<std::string> find_device();

    std::unique_ptr<XdpSteering> steering_;
    AfXdpOptions options_;
    std::vector<std::unique_ptr<Port>> owned_;
    std::vector<Port*> ports_;
    State state_ = State::serving;
    bool mtu_too_large_ = false;
    std::string error_;    // why a device that returned has no sockets
    unsigned passes_ = 0;  // calls of follow() until the next try
};

}  // namespace steer
