// A port's way to the kernel: its exception interface, the rings between the two, and its queues with that way
// before them. Made with the ports; thread `exception` moves the frames.
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
    // For the device of `first`, one of its `queues`. Errors: the interface cannot be made.
    static Result<std::unique_ptr<ExceptionPath>> open(const std::string& interface,
                                                       const config::PortSettings& port,
                                                       const Port& first, unsigned queues);

    // All queues of the device, in order. They must be gone before this object.
    Ports add_to(Ports queues);

    // For the thread that moves its frames: the kernel's interface has a carrier while the port's wire has one.
    void follow_link();
    // ... and after somebody removed it.
    Result<void> make_again();
    // How often the interface was made; any thread.
    [[nodiscard]] unsigned times_made() const { return made_.load(std::memory_order_acquire); }

    [[nodiscard]] const kernel::ExceptionDevice& device() const { return *device_; }
    [[nodiscard]] ExceptionLink& link() { return *link_; }
    [[nodiscard]] const ExceptionLink& link() const { return *link_; }

  private:
    ExceptionPath(std::unique_ptr<kernel::ExceptionDevice> device,
                  std::shared_ptr<ExceptionLink> link, const Port& wire)
        : device_(std::move(device)), link_(std::move(link)), wire_(wire) {}
    std::unique_ptr<kernel::ExceptionDevice> device_;
    std::shared_ptr<ExceptionLink> link_;
    const Port& wire_;     // the device's first queue
    bool carrier_ = true;  // as an interface has it that was just made
    std::atomic<unsigned> made_{1};
    BootClock clock_;  // reading it changes nothing: one for all queues
};

}  // namespace steer
