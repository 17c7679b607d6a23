// A port's path to the kernel: its exception interface, the transfer between the two, and its
// queues wrapped with that path. Created with the ports. Frames are moved by rings and thread
// `exception`, or by vhost-net and the workers (dataplane/port/exception.h).
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "control/config/settings.h"
#include "control/host/kernel/exception_device.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/port/exception.h"
#include "matchers/result.h"

namespace steer {

class ExceptionPath {
  public:
    // Opens the path for the device of `queues`, in order. Error: the interface cannot be created.
    static Result<std::unique_ptr<ExceptionPath>> open(const std::string& interface,
                                                       const config::PortSettings& port,
                                                       const Ports& queues);

    // Returns the same queues, wrapped. They must be destroyed before this object.
    Ports add_to(Ports queues);

    // For thread `exception`: sets the carrier of the kernel's interface to the port's link state.
    void follow_link();
    // Creates the interface again after another program removed it.
    Result<void> make_again();
    // Number of times that the interface was created; any thread.
    [[nodiscard]] unsigned times_made() const { return made_.load(std::memory_order_acquire); }

    [[nodiscard]] const kernel::ExceptionDevice& device() const { return *device_; }
    // nullptr: vhost-net and the workers move the frames.
    [[nodiscard]] ExceptionLink* link() { return link_.get(); }
    [[nodiscard]] const ExceptionCounters& counters() const {
        return link_ ? link_->counters() : *counters_;
    }
    // "steer0 by vhost-net".
    [[nodiscard]] std::string describe() const;
    // Why vhost-net exists but is not used; "": no warning.
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
    std::shared_ptr<ExceptionLink> link_;  // for rings
    Ports kernel_queues_;                  // for vhost-net: virtio-user's, until add_to()
    std::unique_ptr<ExceptionCounters> counters_;
    ExceptionRates rates_{};
    std::string warning_;
    const Port& wire_;     // the device's first queue
    bool carrier_ = true;  // the state of a new interface
    std::atomic<unsigned> made_{1};
    BootClock clock_;  // a read changes nothing; one for all queues
};

}  // namespace steer
