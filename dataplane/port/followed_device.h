// A kernel interface with ports, over its whole life. It may be removed and return under its name,
// with another index.
//
// One thread of control calls follow() periodically, and on every change of the kernel's
// interfaces. While the interface is removed, its ports stay with their workers and carry no
// packets. When it returns, its sockets are opened again. Each event returns one sentence for the
// log.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/port/port.h"
#include "matchers/result.h"

namespace steer {

class FollowedDevice {
  public:
    virtual ~FollowedDevice() = default;
    FollowedDevice(const FollowedDevice&) = delete;
    FollowedDevice& operator=(const FollowedDevice&) = delete;

    // The ports. Call it once. Destroy them after their worker and before this object.
    std::vector<std::unique_ptr<Port>> take_ports() { return std::move(owned_); }

    std::optional<std::string> follow();

    // The index of its interface at the start.
    [[nodiscard]] int if_index() const { return ports_.front()->if_index(); }
    [[nodiscard]] bool serves() const { return state_ == State::serving; }
    // Why an interface that is there has no sockets; empty: it has them, or is not there.
    [[nodiscard]] const std::string& error() const { return error_; }
    // For the log: queues and what the driver offers.
    [[nodiscard]] virtual std::string describe() const = 0;

  protected:
    FollowedDevice() = default;
    // After the sockets were opened.
    void set_ports(std::vector<std::unique_ptr<Port>> ports);
    [[nodiscard]] const std::vector<Port*>& ports() const { return ports_; }

  private:
    enum class State : std::uint8_t { serving, releasing, gone };

    [[nodiscard]] virtual const std::string& name() const = 0;
    // Whether the sockets still belong to the interface.
    [[nodiscard]] virtual bool has_device() const = 0;
    // Closes the sockets. False: a worker still uses one; call it again.
    virtual bool release() = 0;
    // Opens sockets on the interface that has the name now. May be tried again.
    virtual Result<void> reopen() = 0;
    [[nodiscard]] virtual unsigned largest_mtu() const = 0;

    std::optional<std::string> check_mtu();
    std::optional<std::string> find_device();

    std::vector<std::unique_ptr<Port>> owned_;
    std::vector<Port*> ports_;
    State state_ = State::serving;
    bool mtu_too_large_ = false;
    std::string error_;
    unsigned passes_ = 0;  // calls of follow() until the next try
};

}  // namespace steer
