// The control socket, and the same methods over HTTP and HTTPS.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "control/api/rpc/control_socket.h"
#include "control/api/rpc/events.h"
#include "control/api/rpc/page_service.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"

namespace steer {

class ApiPart final : public Part {
  public:
    static constexpr std::string_view kName = "api";
    using Needs = steer::Needs<MainLoop, StartSettings, Events>;
    explicit ApiPart(const Needs& needs);

    void add_methods(ops::Methods& methods) override { page_.add_methods(methods); }
    // Called while root may still read keys and tokens.
    Result<void> open() override;
    void read_again(const config::Settings& settings, const build::Built* built,
                    std::vector<Error>& warnings) override;
    void poll() override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void stop() override;

    // The server over HTTPS; nullptr if the page is off.
    [[nodiscard]] const ops::RpcServer* server() const { return page_.server(); }

  private:
    Result<void> open_socket();
    Result<void> open_server();

    MainLoop& main_;
    const StartSettings& settings_;
    Events& events_;
    std::unique_ptr<ops::ControlSocket> socket_;
    ops::PageService page_;
    std::uint64_t polled_ms_ = 0;  // 0: not yet
};

}  // namespace steer
