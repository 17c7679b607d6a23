#include "control/program/reload/host_servers.h"

#include <net/if.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "control/host/process/regular_file.h"
#include "control/host/resolver/interface_zone.h"
#include "control/host/resolver/server_text.h"

namespace steer {
namespace {

namespace fs = std::filesystem;
using resolver::NamedServer;

constexpr std::size_t kMaxServers = 8;

std::string read_file(const std::string& path) {
    auto text = read_regular(path);
    return text && *text ? **std::move(text) : std::string();
}

void add_files_of(const std::string& folder, std::string_view prefix, std::string_view suffix,
                  std::vector<std::string>& to) {
    std::error_code error;
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename();
        if (name.starts_with(prefix) && name.ends_with(suffix)) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    to.insert(to.end(), found.begin(), found.end());
}

bool may_be_asked(const NamedServer& server, std::span<const IpAddress> own) {
    const bool has_scope = server.interface.empty() != server.address.is_link_local();
    return has_scope && server.interface.size() < IF_NAMESIZE && !server.address.is_loopback() &&
           std::find(own.begin(), own.end(), server.address) == own.end();
}

std::vector<std::string> files_of(const config::Forward& forward) {
    if (!forward.resolv_file.empty()) return {forward.resolv_file};
    return where_host_servers_stand();
}

struct Found {
    std::string file;  // empty: no file has servers
    std::vector<NamedServer> servers;
};

Found find_servers(const config::Forward& forward, std::span<const IpAddress> own) {
    for (const std::string& file : files_of(forward)) {
        auto servers = resolver::read_servers(read_file(file));
        for (NamedServer& server : servers)
            server.interface = resolver::interface_name(server.interface);
        std::erase_if(servers, [&](const NamedServer& s) { return !may_be_asked(s, own); });
        if (servers.size() > kMaxServers) servers.resize(kMaxServers);
        if (!servers.empty()) return {file, std::move(servers)};
    }
    return {};
}

std::string why_without(const config::Settings& settings, const config::Forward& forward) {
    if (forward.servers_of)
        return "router '" + settings.routers[*forward.servers_of].name +
               "' has no DNS servers of its own, or was not read yet";
    if (forward.resolv_file.empty()) return "this host's network announced no DNS server";
    return forward.resolv_file + " names no server";
}

template <class Plugins, class Do>
void for_each_host_forward(Plugins& plugins, Do&& work) {
    for (auto& plugin : plugins) {
        auto* const forward = std::get_if<config::Forward>(&plugin.args);
        if (forward != nullptr && forward->of_host) work(plugin, *forward);
    }
}

}  // namespace

std::vector<std::string> where_host_servers_stand(const std::string& root) {
    static constexpr std::array kFiles{"etc/resolv.conf", "run/systemd/resolve/resolv.conf",
                                       "run/NetworkManager/no-stub-resolv.conf",
                                       "run/NetworkManager/resolv.conf", "run/rdnssd/resolv.conf"};
    std::vector<std::string> all;
    all.reserve(kFiles.size());
    for (const auto* file : kFiles)
        all.push_back(root + file);
    add_files_of(root + "run/systemd/netif/leases", "", "", all);
    add_files_of(root + "var/lib/dhcp", "dhclient", ".leases", all);
    return all;
}

std::vector<Error> fill_host_servers(config::Settings& settings, std::span<const IpAddress> own) {
    std::vector<Error> warnings;
    for_each_host_forward(
        settings.plugins, [&](const config::Plugin& plugin, config::Forward& forward) {
            const Found found = find_servers(forward, own);
            forward.upstreams.clear();
            for (const NamedServer& server : found.servers) {
                config::UpstreamSettings upstream;
                upstream.addr = server.address.to_string();
                if (!server.interface.empty()) upstream.addr += "%" + server.interface;
                upstream.address = server.address;
                upstream.line = plugin.line;
                upstream.reach = forward.reach;
                if (!server.interface.empty()) upstream.reach.device = server.interface;
                forward.upstreams.push_back(std::move(upstream));
            }
            if (!found.servers.empty()) return;
            warnings.push_back(
                {"forward '" + plugin.tag + "' has no upstreams, and " +
                     why_without(settings, forward) +
                     " (this host itself does not count): until there is one, its queries end as "
                     "SERVFAIL; write one, as in 'upstreams: [{addr: 192.0.2.1}]'",
                 settings.file, plugin.line});
        });
    return warnings;
}

std::vector<std::string> host_server_files(const config::Settings& settings) {
    std::vector<std::string> files;
    for_each_host_forward(settings.plugins,
                          [&](const config::Plugin&, const config::Forward& forward) {
                              for (std::string& file : files_of(forward)) {
                                  std::error_code error;
                                  if (fs::is_directory(fs::path(file).parent_path(), error))
                                      files.push_back(std::move(file));
                              }
                          });
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
}

bool host_servers_are_as(const config::Settings& settings, std::span<const IpAddress> own) {
    bool same = true;
    for_each_host_forward(settings.plugins, [&](const config::Plugin&,
                                                const config::Forward& forward) {
        const auto found = find_servers(forward, own).servers;
        same =
            same &&
            std::equal(
                found.begin(), found.end(), forward.upstreams.begin(), forward.upstreams.end(),
                [](const NamedServer& server, const config::UpstreamSettings& upstream) {
                    return server.address == upstream.address &&
                           (server.interface.empty() || server.interface == upstream.reach.device);
                });
    });
    return same;
}

}  // namespace steer
