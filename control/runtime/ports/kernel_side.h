// The kernel's configuration on the ports' interfaces (`arp`, `neighbours`), and the announcement
// of new addresses there. For the main thread; undone at the end.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/host/kernel/announce.h"
#include "control/host/kernel/arp.h"
#include "control/host/kernel/static_neighbours.h"
#include "control/runtime/ports/port_set.h"
#include "matchers/result.h"

namespace steer {

class KernelSide {
  public:
    // Error: the kernel rejects a sysctl or a neighbour; with the port's line.
    static Result<std::unique_ptr<KernelSide>> apply(boost::asio::io_context& main_io,
                                                     const config::Settings& settings,
                                                     const PortSet& ports);
    ~KernelSide();
    KernelSide(const KernelSide&) = delete;
    KernelSide& operator=(const KernelSide&) = delete;

    // The ports' interfaces changed. At the first call, only addresses of interfaces that we
    // created are new.
    void follow(std::span<const kernel::DeviceState> devices);

    // Configures exception interfaces that were created again since the last call. Returns errors
    // as sentences for the log. Call it periodically.
    std::vector<std::string> follow_interfaces();

    [[nodiscard]] const kernel::Announcer& announcer() const { return announcer_; }
    [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  private:
    explicit KernelSide(boost::asio::io_context& main_io)
        : announcer_(main_io), learned_fd_(main_io) {}
    // The settings of one port's interface.
    struct Given {
        config::PortSettings port;
        int if_index = 0;
        const ExceptionPath* path = nullptr;  // if we created the interface
        unsigned made = 0;                    // its times_made() when the settings were applied
        std::unique_ptr<kernel::ArpSetting> arp = {};
        std::unique_ptr<kernel::StaticNeighbours> neighbours = {};
    };
    Result<void> give(Given& given);
    Result<void> keep_unlearned(std::vector<int> if_indices);
    void watch_learned();

    kernel::Announcer announcer_;
    std::vector<int> made_by_us_;
    bool followed_ = false;
    std::vector<Given> given_;
    std::unique_ptr<kernel::LearnedNeighbours> learned_;
    boost::asio::posix::stream_descriptor learned_fd_;
    std::vector<std::string> warnings_;
};

}  // namespace steer
