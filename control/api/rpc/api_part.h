// The control socket, and the same methods over HTTP and HTTPS.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "control/api/rpc/control_socket.h"
#include "control/api/rpc/events.h"
#include "control/api/rpc/rpc_server.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"

namespace steer {

class ApiPart final : public Part {
  public:
    static constexpr std::string_view kName = "api";
    using Needs = steer::Needs<MainLoop, StartSettings, Events>;
    explicit ApiPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          events_(needs.get<Events>()) {}

    // Called while root may still read keys and tokens.
    Result<void> open() override;
    void read_again(const config::Settings& settings, const build::Built* built,
                    std::vector<Error>& warnings) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void stop() override;

    // The server over HTTPS; nullptr if `http` of `control` is not a map.
    [[nodiscard]] const ops::RpcServer* server() const { return server_.get(); }

  private:
    Result<void> open_socket();
    Result<void> open_server();

    MainLoop& main_;
    const StartSettings& settings_;
    Events& events_;
    std::unique_ptr<ops::ControlSocket> socket_;
    std::unique_ptr<ops::RpcServer> server_;
};

}  // namespace steer
