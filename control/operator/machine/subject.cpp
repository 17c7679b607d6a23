#include "control/operator/machine/subject.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <utility>
#include <variant>

#include "dataplane/port/folder.h"

namespace steer::machine {
namespace {

using config::Driver;

// Ports as they are served: without any, the interface of the default route.
std::vector<config::PortSettings> ports_of(const Subject& subject) {
    if (!subject.settings.dataplane.ports.empty()) return subject.settings.dataplane.ports;
    if (subject.host.default_interface.empty()) return {};
    config::PortSettings port;
    port.device = subject.host.default_interface;
    return {port};
}

bool asks_by_tls(const config::Plugin& plugin) {
    const auto* const forward = std::get_if<config::Forward>(&plugin.args);
    if (forward == nullptr) return false;
    return std::ranges::any_of(forward->upstreams, [](const config::UpstreamSettings& upstream) {
        return upstream.addr.starts_with("tls") || upstream.addr.starts_with("https");
    });
}

}  // namespace

std::string Subject::read(const std::string& path) const {
    std::ostringstream text;  // an iterator would throw where reading fails, as in /sys
    text << std::ifstream(root + path, std::ios::binary).rdbuf();
    return std::move(text).str();
}

std::string Subject::word(const std::string& path) const {
    return read_word(root + path);
}

std::optional<std::uint64_t> Subject::number(const std::string& path) const {
    const std::string text = word(path);
    std::uint64_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{})
        return std::nullopt;
    return value;
}

bool Subject::exists(const std::string& path) const {
    std::error_code ignored;
    return std::filesystem::exists(root + path, ignored);
}

std::vector<std::string> Subject::names(const std::string& folder) const {
    return names_in(root + folder);
}

std::vector<std::string> Subject::xdp_interfaces() const {
    std::vector<std::string> out;
    for (const auto& port : ports_of(*this))
        if (port.pci.empty() && (port.driver == Driver::automatic || port.driver == Driver::af_xdp))
            out.push_back(port.device);
    return out;
}

std::vector<std::string> Subject::kernel_interfaces() const {
    std::vector<std::string> out;
    for (const auto& port : ports_of(*this))
        if (port.kernel_backed()) out.push_back(port.device);
    return out;
}

std::vector<const config::PortSettings*> Subject::pci_ports() const {
    std::vector<const config::PortSettings*> out;
    for (const auto& port : settings.dataplane.ports)
        if (!port.pci.empty()) out.push_back(&port);
    return out;
}

bool Subject::uses_tls() const {
    const bool routers = std::ranges::any_of(settings.routers, [](const config::Router& router) {
        return router.tls && !router.tls_anonymous;
    });
    return routers || !settings.remote_lists.empty() ||
           std::ranges::any_of(settings.plugins, [](const config::Plugin& plugin) {
               const auto* const server = config::stream_server_of(plugin);
               return asks_by_tls(plugin) || (server != nullptr && !server->tls.cert.empty());
           });
}

std::string format_cpu_list(const std::vector<unsigned>& cpus) {
    std::vector<unsigned> sorted = cpus;
    std::ranges::sort(sorted);
    std::string out;
    for (std::size_t i = 0; i < sorted.size();) {
        std::size_t last = i;
        while (last + 1 < sorted.size() && sorted[last + 1] <= sorted[last] + 1)
            ++last;
        out += (out.empty() ? "" : ",") + std::to_string(sorted[i]);
        if (sorted[last] != sorted[i]) out += "-" + std::to_string(sorted[last]);
        i = last + 1;
    }
    return out;
}

}  // namespace steer::machine
