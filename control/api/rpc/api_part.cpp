#include "control/api/rpc/api_part.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "control/api/http/http_server.h"
#include "control/api/metrics/metrics.h"
#include "control/api/page/page_files.h"
#include "control/api/rpc/peer.h"
#include "control/host/process/files_as.h"
#include "control/host/process/rights.h"
#include "control/parts.h"

namespace steer {

Parts::Maker api_part() {
    return Parts::maker<ApiPart>();
}

Result<void> ApiPart::open() {
    if (auto done = open_socket(); !done) return done;
    return open_server();
}

Result<void> ApiPart::open_socket() {
    const config::Settings& settings = settings_.get();
    auto roles = ops::PeerRoles::resolve(settings.control.roles);
    if (!roles) return Error{roles.error().text, settings.file, roles.error().line};
    socket_ = std::make_unique<ops::ControlSocket>(
        main_.io(), events_.rpc(),
        ops::ControlSocket::Options{.audit = events_.audit(),
                                    .roles = std::move(*roles),
                                    .subscriptions = events_.subscriptions()});
    const FilesAs files(
        settings_.is_socket_given() || is_nobody(settings_.user()) ? "" : settings_.user());
    return socket_->listen(settings.control.socket);
}

Result<void> ApiPart::open_server() {
    const config::Settings& settings = settings_.get();
    if (!settings.control.rpc) return {};
    server_ = std::make_unique<ops::RpcServer>(
        main_.io(), events_.rpc(), main_.clock(),
        ops::RpcServer::Options{.settings = *settings.control.rpc,
                                .audit = events_.audit(),
                                .subscriptions = events_.subscriptions(),
                                .files = page::files()});
    const FilesAs files(settings_.user(), sources_of(settings));
    if (auto done = server_->listen(); !done)
        return Error{done.error().text, settings.file, done.error().line};
    return {};
}

void ApiPart::read_again(const config::Settings& settings, const build::Built* built,
                         std::vector<Error>& warnings) {
    if (!server_) return;
    const auto& rpc = settings.control.rpc;
    for (Error& error : server_->renew(built != nullptr && rpc ? &*rpc : nullptr))
        warnings.push_back(std::move(error));
}

void ApiPart::write_metrics(ops::MetricWriter& writer) {
    writer.family("steerdns_control_sessions");
    writer.sample({{"transport", "socket"}}, std::uint64_t{socket_->sessions()});
    if (!server_) return;
    writer.sample({{"transport", "http"}}, std::uint64_t{server_->http().sessions()});
    writer.family("steerdns_http_handshakes");
    writer.sample({}, std::uint64_t{server_->http().handshakes()});
    writer.family("steerdns_http_refused");
    for (const auto& refusal : ops::kHttpRefusals)
        writer.sample({{"reason", refusal.label}},
                      server_->http().refusals().counts()[static_cast<std::size_t>(refusal.which)]);
}

void ApiPart::stop() {
    if (socket_) socket_->close();
    if (server_) server_->close();
}

}  // namespace steer
