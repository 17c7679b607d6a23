#include "control/program/reload/file_access.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include "control/host/process/rights.h"
#include "matchers/quote.h"

namespace steer {
namespace {

using Use = FileRules::Use;

constexpr const char* kReadFolders[] = {"/etc", "/usr", "/lib", "/lib64", "/opt",
                                        "/srv", "/sys", "/run", "/var"};
constexpr const char* kChangedFolders[] = {"/dev", "/proc"};
constexpr const char* kWrittenFolders[] = {kStateFolder, kRunFolder, "/tmp", "/var/tmp"};

// Every path that the configuration names, with its use.
std::vector<std::pair<std::string, Use>> named_files(const config::Settings& settings) {
    std::set<std::string> read(settings.opened.begin(), settings.opened.end());
    read.insert(settings.files.begin(), settings.files.end());
    for (const auto& rules : settings.rule_files)
        read.erase(rules.file);
    for (const auto& secret : settings.secrets)
        read.insert(secret.file);
    read.erase(settings.file);
    read.erase(settings.control.static_file);
    std::vector<std::pair<std::string, Use>> all;
    for (const std::string& path : read)
        all.emplace_back(path, Use::read);
    std::set<std::string> others(settings.named.begin(), settings.named.end());
    others.insert({settings.file, settings.control.socket, settings.log.file});
    for (const config::PortSettings& port : settings.dataplane.ports) {
        // Sockets of DPDK's devices, as in "net_vhost0,iface=/run/vhost.sock".
        for (std::size_t at = 0; (at = port.device.find("=/", at)) != std::string::npos; ++at)
            others.insert(port.device.substr(at + 1, port.device.find(',', at) - at - 1));
    }
    for (const std::string& path : others) {
        if (!path.empty() && !read.contains(path)) all.emplace_back(path, Use::write);
    }
    return all;
}

}  // namespace

FileRules file_rules_of(const config::Settings& settings) {
    FileRules rules;
    for (const char* const folder : kWrittenFolders)
        rules.allow(folder, Use::write);
    for (const char* const folder : kChangedFolders)
        rules.allow(folder, Use::change);
    for (const char* const folder : kReadFolders)
        rules.allow(folder, Use::read);
    rules.allow("/proc/self/exe", Use::read);  // the symbols of stack traces
    std::error_code error;
    for (const auto& [path, use] : named_files(settings)) {
        if (std::filesystem::is_directory(path, error)) {
            rules.allow(path, use);
        } else {
            rules.allow_folder_of(path, use);
        }
    }
    return rules;
}

std::vector<Error> files_outside_rules(const config::Settings& settings) {
    std::vector<Error> found;
    if (!has_file_rules()) return found;
    for (const auto& [path, use] : named_files(settings)) {
        if (file_rules_cover(path, use)) continue;
        found.emplace_back(
            matchers::quoted_path(path) + " is outside the folders that steerdnsd may " +
                (use == Use::read ? "read" : "write") +
                " since its start (`landlock` of `control`): restart it, or move the "
                "file beside one that the configuration named then",
            settings.file, 0);
    }
    return found;
}

}  // namespace steer
