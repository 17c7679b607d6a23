// An interface with AF_XDP ports (followed_device.h): the XDP program and the sockets.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "dataplane/port/af_xdp.h"
#include "dataplane/port/followed_device.h"
#include "dataplane/port/xdp_steering.h"
#include "matchers/result.h"

namespace steer {

class XdpDevice final : public FollowedDevice {
  public:
    // Errors: XdpSteering::attach()'s and open_af_xdp()'s.
    static Result<std::unique_ptr<XdpDevice>> open(const std::string& device,
                                                   const AfXdpOptions& options);

    [[nodiscard]] XdpSteering& steering() { return *steering_; }
    [[nodiscard]] std::string describe() const override {
        return describe_af_xdp(*steering_, ports(), options_);
    }

  private:
    XdpDevice(std::unique_ptr<XdpSteering> steering, const AfXdpOptions& options)
        : steering_(std::move(steering)), options_(options) {}
    [[nodiscard]] const std::string& name() const override { return steering_->device(); }
    [[nodiscard]] bool has_device() const override { return steering_->has_device(); }
    bool release() override { return release_af_xdp(ports()); }
    Result<void> reopen() override;
    [[nodiscard]] unsigned largest_mtu() const override {
        return steer::largest_mtu(*ports().front());
    }

    std::unique_ptr<XdpSteering> steering_;
    AfXdpOptions options_;
};

}  // namespace steer
