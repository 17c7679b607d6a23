#include "control/api/rpc/api_part.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "control/api/http/http_server.h"
#include "control/api/metrics/metrics.h"
#include "control/api/rpc/peer.h"
#include "control/host/kernel/addresses.h"
#include "control/host/process/files_as.h"
#include "control/host/process/rights.h"
#include "control/parts.h"

namespace steer {

namespace {

constexpr std::uint64_t kPollPageMs = 60'000;

// For the page's own certificate, and for the Host of its requests.
stream::CertificateNames names_of_machine() {
    stream::CertificateNames all;
    std::array<char, 256> room{};
    std::string name = ::gethostname(room.data(), room.size() - 1) == 0 ? room.data() : "";
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool is_name = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '.';
    });
    if (is_name && name != "localhost") {
        all.names.push_back(name);
        if (name.find('.') == std::string::npos) all.names.push_back(name + ".local");
    }
    all.names.emplace_back("localhost");
    for (const char* const loopback : {"127.0.0.1", "::1"})
        all.addresses.push_back(*IpAddress::parse(loopback));
    auto netlink = kernel::Netlink::open();
    if (!netlink) return all;
    for (const kernel::Address& one : kernel::read_interfaces(**netlink).addresses) {
        if (!one.ip.is_loopback() && !one.ip.is_link_local()) all.addresses.push_back(one.ip);
    }
    return all;
}

}  // namespace

Parts::Maker api_part() {
    return Parts::maker<ApiPart>();
}

ApiPart::ApiPart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      events_(needs.get<Events>()),
      page_(main_.io(), events_.rpc(), main_.clock(),
            {.audit = events_.audit(),
             .subscriptions = events_.subscriptions(),
             .machine = names_of_machine,
             .warn = [this](const std::string& sentence) {
                 events_.tell(ops::EventKind::certificate, ops::EventLevel::warning, sentence);
             }}) {}

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
                                    .users = ops::UserNames::load(),
                                    .subscriptions = events_.subscriptions()});
    const FilesAs files(settings_.is_socket_given() || is_nobody(settings_.given_user())
                            ? ""
                            : settings_.given_user());
    return socket_->listen(settings.control.socket);
}

Result<void> ApiPart::open_server() {
    const config::Settings& settings = settings_.get();
    const FilesAs files(settings_.user(), sources_of(settings));
    if (auto done = page_.start(settings.control.rpc); !done)
        return Error{done.error().text, settings.file, done.error().line};
    return {};
}

void ApiPart::read_again(const config::Settings& settings, const build::Built* built,
                         std::vector<Error>& warnings) {
    page_.renew(built != nullptr ? &settings.control.rpc : nullptr, warnings);
}

void ApiPart::poll() {
    const std::uint64_t now_ms = main_.now_ms();
    if (polled_ms_ != 0 && now_ms - polled_ms_ < kPollPageMs) return;
    polled_ms_ = now_ms;
    page_.poll();
}

void ApiPart::add_problems(Problems& problems) {
    if (!page_.password_error().empty()) problems.push_back({"page", page_.password_error()});
}

void ApiPart::write_metrics(ops::MetricWriter& writer) {
    writer.family("steerdns_control_sessions");
    writer.sample({{"transport", "socket"}}, std::uint64_t{socket_->sessions()});
    const ops::RpcServer* const server = page_.server();
    if (server == nullptr) return;
    writer.sample({{"transport", "http"}}, std::uint64_t{server->http().sessions()});
    writer.family("steerdns_http_handshakes");
    writer.sample({}, std::uint64_t{server->http().handshakes()});
    writer.family("steerdns_http_refused");
    for (const auto& refusal : ops::kHttpRefusals)
        writer.sample({{"reason", refusal.label}},
                      server->http().refusals().counts()[static_cast<std::size_t>(refusal.which)]);
}

void ApiPart::stop() {
    if (socket_) socket_->close();
    page_.close();
}

}  // namespace steer
