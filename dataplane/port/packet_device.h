// An interface with AF_PACKET ports (followed_device.h).
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "dataplane/port/af_packet.h"
#include "dataplane/port/followed_device.h"
#include "matchers/result.h"

namespace steer {

class PacketDevice final : public FollowedDevice {
  public:
    // Errors: open_af_packet()'s.
    static Result<std::unique_ptr<PacketDevice>> open(const std::string& interface,
                                                      const AfPacketOptions& options);
    [[nodiscard]] std::string describe() const override;

  private:
    PacketDevice(std::string interface, const AfPacketOptions& options)
        : name_(std::move(interface)), options_(options) {}
    [[nodiscard]] const std::string& name() const override { return name_; }
    [[nodiscard]] bool has_device() const override { return is_bound_af_packet(*ports().front()); }
    bool release() override { return release_af_packet(ports()); }
    Result<void> reopen() override { return reopen_af_packet(name_, ports(), options_); }
    [[nodiscard]] unsigned largest_mtu() const override {
        return largest_packet_mtu(*ports().front());
    }

    const std::string name_;
    const AfPacketOptions options_;
};

}  // namespace steer
