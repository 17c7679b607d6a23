// A port's way to the kernel: its exception interface, what is between the two, and its queues with that way
// before them. Made with the ports. Either thread `exception` moves the frames by rings, or vhost-net and the workers
// do (dataplane/port/exception.h).
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "control/config/settings.h"
#include "control/kernel/exception_device.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/port/exception.h"
#include "matchers/result.h"

namespace steer {

class ExceptionPath {
  public:
    // For the device whose `queues` these are, in order. Errors: the interface cannot be made.
    static Result<std::unique_ptr<ExceptionPath>> open(const std::string& interface,
                                                       const config::PortSettings& port,
                                                       const Ports& queues);

    // The same queues, with the way before them. They must be gone before this object.
    Ports add_to(Ports queues);

    // For thread `exception`: the kernel's interface has a carrier while the port's wire has one.
    void follow_link();
    // ... and after somebody removed it.
    Result<void> make_again();
    // How often the interface was made; any thread.
    [[nodiscard]] unsigned times_made() const { return made_.load(std::memory_order_acquire); }

    [[nodiscard]] const kernel::ExceptionDevice& device() const { return *device_; }
    // nullptr: vhost-net and the workers move the frames.
    [[nodiscard]] ExceptionLink* link() { return link_.get(); }
    [[nodiscard]] const ExceptionCounters& counters() const {
        return link_ ? link_->counters() : *counters_;
    }
    // "steer0 by vhost-net".
    [[nodiscard]] std::string describe() const;
    // Why vhost-net, which is there, is not the way; "": nothing to be said.
    [[nodiscard]] const std::string& warning() const { return warning_; }

  private:
    explicit ExceptionPath(const Port& wire) : wire_(wire) {}
    static Result<std::unique_ptr<ExceptionPath>> by_rings(
        const kernel::ExceptionDeviceOptions& options, const ExceptionRates& rates,
        const Ports& queues);
    static Result<std::unique_ptr<ExceptionPath>> by_vhost(
        const kernel::ExceptionDeviceOptions& options, const ExceptionRates& rates,
        const Ports& queues);

    std::unique_ptr<kernel::ExceptionDevice> device_;
    std::shared_ptr<ExceptionLink> link_;  // by rings
    Ports kernel_queues_;                  // by vhost-net: virtio-user's, until add_to()
    std::unique_ptr<ExceptionCounters> counters_;
    ExceptionRates rates_{};
    std::string warning_;
    const Port& wire_;     // the device's first queue
    bool carrier_ = true;  // as an interface has it that was just made
    std::atomic<unsigned> made_{1};
    BootClock clock_;  // reading it changes nothing: one for all queues
};

}  // namespace steer
