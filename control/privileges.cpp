#include "control/privileges.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include "control/host/process/call_filters.h"
#include "control/host/process/confinement.h"
#include "control/host/process/file_rules.h"
#include "control/host/process/files_as.h"
#include "control/host/process/rights.h"
#include "control/program/engine/folders.h"
#include "control/program/engine/plans.h"
#include "control/program/reload/certificates.h"
#include "control/program/reload/file_access.h"
#include "control/sources/rules/rule_file.h"

namespace steer {
namespace {

bool is_below_state_folder(const std::string& file) {
    return std::filesystem::path(file).parent_path() == kStateFolder;
}

// Reports files that a reload cannot read with the remaining privileges. For a certificate, the
// reload keeps the previous one; for another file, it is rejected.
void warn_of_unreadable_files(const config::Settings& settings) {
    constexpr const char* kRemedy =
        ", unless the user that serves may read it (`user` of `control`)";
    const auto certificates = unreadable_certificates(settings);
    for (const auto& file : certificates)
        spdlog::warn("{} can be read at the start only: when it is renewed, a restart is needed{}",
                     file, kRemedy);
    std::set<std::string> others(settings.opened.begin(), settings.opened.end());
    others.insert(settings.file);
    for (const auto& file : others) {
        if (certificates.contains(file) || ::access(file.c_str(), R_OK) == 0 || errno != EACCES)
            continue;
        spdlog::warn("{} can be read at the start only: a reload will be refused{}", file, kRemedy);
    }
}

// Folders that are given to the unprivileged user; created if missing.
std::vector<std::string> own_folders(const config::Settings& settings, const build::Built& built,
                                     const std::vector<std::string>& dumps) {
    std::vector<std::string> folders;
    std::error_code no_folder;  // then the writer reports it
    if (std::find(dumps.begin(), dumps.end(), kStateFolder) != dumps.end()) {
        std::filesystem::create_directories(kStateFolder, no_folder);
        if (!no_folder) folders.emplace_back(kStateFolder);
    }
    if (std::filesystem::is_directory(settings.control.images, no_folder))
        folders.push_back(settings.control.images);
    const bool has_static = std::ranges::any_of(settings.plugins, [](const config::Plugin& p) {
        return std::holds_alternative<config::StaticRecords>(p.args);
    });
    const bool keeps_records = has_static && is_below_state_folder(settings.control.static_file);
    if (settings.control.rpc &&
        std::filesystem::is_directory(settings.control.rpc->folder, no_folder)) {
        // What it holds by now: an own certificate, a password.
        folders.push_back(settings.control.rpc->folder);
        for (const auto& entry :
             std::filesystem::directory_iterator(settings.control.rpc->folder, no_folder)) {
            if (entry.is_regular_file(no_folder)) folders.push_back(entry.path());
        }
    }
    const bool keeps_leases =
        !built.leases.plugins.empty() && is_below_state_folder(settings.control.leases);
    const bool keeps_lists =
        !built.router_lists.routers.empty() && is_below_state_folder(settings.control.router_lists);
    const bool keeps_queries = std::ranges::any_of(settings.plugins, [](const config::Plugin& p) {
        const auto* const recorder = std::get_if<config::QueryRecorder>(&p.args);
        return recorder != nullptr &&
               (is_below_state_folder(recorder->path) ||
                (recorder->json && is_below_state_folder(recorder->json->file)));
    });
    const bool keeps_rules = is_below_state_folder(settings.control.rules_file());
    if (keeps_leases || keeps_records || keeps_lists || keeps_queries || keeps_rules)
        std::filesystem::create_directories(kStateFolder, no_folder);
    const bool keeps = is_below_state_folder(settings.control.findings) ||
                       is_below_state_folder(settings.control.leases) || keeps_records ||
                       keeps_lists || keeps_queries;
    if (keeps && std::filesystem::is_directory(kStateFolder, no_folder))
        folders.emplace_back(kStateFolder);
    const bool has_zones = !built.secondaries.zones.empty() && !settings.control.lists.empty();
    if (!settings.remote_lists.empty() || has_zones) {
        std::filesystem::create_directories(settings.control.lists, no_folder);
        if (!no_folder) folders.push_back(settings.control.lists);
    }
    return folders;
}

// Creates missing files and folders, and gives them to the unprivileged user.
std::vector<std::string> make_rule_files(const StartSettings& start) {
    const config::Settings& settings = start.get();
    std::vector<std::string> handed;
    for (const auto& rules : settings.rule_files) {
        const bool is_of_layer =
            settings.may_be_managed(rules.file) || settings.may_be_managed(rules.origins_file);
        const FilesAs files(is_of_layer ? start.user() : std::string());
        const auto folder = std::filesystem::absolute(rules.file).parent_path();
        std::error_code error;
        const bool ours = folder == kStateFolder || !std::filesystem::exists(folder, error);
        if (!rules.origins_file.empty()) {
            const auto beside = std::filesystem::absolute(rules.origins_file).parent_path();
            const bool is_new = std::filesystem::create_directories(beside, error);
            if (is_new || beside == kStateFolder) handed.push_back(beside);
        }
        const auto made = rules::make_rule_file(rules);
        if (!made) spdlog::warn("{}", made.error().sentence());
        if (ours && std::filesystem::is_directory(folder, error)) handed.push_back(folder);
        if (made && *made) handed.push_back(rules.file);
    }
    return handed;
}

// With --user the configuration may belong to the user that root becomes, so root gives away only
// what is in our own folders, wherever the configuration wants its files.
void keep_to_own_folders(std::vector<std::string>& handed) {
    std::erase_if(handed, [](const std::string& path) {
        return path.empty() ||
               (!is_at_or_below(path, kStateFolder) && !is_at_or_below(path, kRunFolder));
    });
}

// What an interface of a port needs while it serves. Sockets of the kernel need none of them.
KeptCapabilities needed_capabilities(const config::Settings& settings, const PortSet& ports) {
    const bool has_kernel_side =
        std::ranges::any_of(settings.dataplane.ports, [](const config::PortSettings& port) {
            return port.arp != config::Arp::as_it_is || !port.neighbours.empty();
        });
    const int map = ports.xdp_map();
    return {.net_admin = ports.any_frames() || has_kernel_side,
            .bpf = map >= 0 && !maps_need_no_capability(map)};
}

// The service goes on without what the kernel lacks.
void confine(const config::Settings& settings) {
    Confinement& now = confinement();
    now.files = "off";
    if (settings.control.landlock) {
        if (FileRules::kernel_version() == 0) {
            now.files = "off: the kernel has no Landlock";
        } else if (auto done = enforce_file_rules(file_rules_of(settings)); done) {
            now.files = "on";
        } else {
            now.files = "off: " + done.error().text;
        }
    }
    constexpr CallFilterMode kModes[] = {CallFilterMode::on, CallFilterMode::log,
                                         CallFilterMode::off};
    constexpr const char* kNames[] = {"on", "log", "off"};
    const auto wanted = static_cast<std::size_t>(settings.control.seccomp);
    const std::string why = begin_call_filters(kModes[wanted]);
    now.system_calls = why.empty() ? kNames[wanted] : "off: " + why;
    for (const auto& [subject, state] :
         {std::pair("system calls", now.system_calls), std::pair("files", now.files)}) {
        if (state.starts_with("off: "))
            spdlog::info("{} are not confined: {}", subject, state.substr(5));
    }
}

}  // namespace

Result<void> give_up_rights(const StartSettings& start, const build::Built& built,
                            const std::vector<std::string>& dumps, const PortSet& ports) {
    const config::Settings& settings = start.get();
    auto user = resolve_user(settings.control.user);
    if (!user) return user.error();
    const auto folder = std::filesystem::path(settings.control.socket).parent_path();
    // With the user `nobody`, the socket belongs to root. Otherwise every process of `nobody` could
    // control the appliance.
    std::vector<std::string> handed;
    if (!is_nobody(*user)) {
        handed = {settings.control.socket, folder == kRunFolder ? folder.string() : ""};
    }
    {
        const FilesAs files(start.given_user());
        const auto folders = own_folders(settings, built, dumps);
        handed.insert(handed.end(), folders.begin(), folders.end());
        const auto rule_files = make_rule_files(start);
        handed.insert(handed.end(), rule_files.begin(), rule_files.end());
    }
    if (!start.given_user().empty()) keep_to_own_folders(handed);
    const auto lacking = ports.any_frames() ? lacking_capabilities() : std::vector<std::string>{};
    for (const auto& capability : lacking) {
        spdlog::warn(
            "{} is missing: addresses and interfaces that change may not be followed; give it to "
            "steerdnsd",
            capability);
    }
    // Files and sockets of its engine are its group's.
    std::vector<gid_t> groups;
    if (const auto engine = recursion::engine_user(*user); engine.is_own)
        groups.push_back(engine.gid);
    if (auto done = drop_rights(*user, handed, needed_capabilities(settings, ports), groups); !done)
        return done;
    ::umask(S_IRWXG | S_IRWXO);  // from here on, files for others need an explicit mode
    for (const auto& dump : dumps) {
        if (::access(dump.c_str(), W_OK) == 0) continue;
        spdlog::warn(
            "dump_file: {} is not a folder that {} can write to: the cache is lost at a restart; "
            "make it, "
            "or name another",
            dump, user->empty() ? "this user" : *user);
    }
    warn_of_unreadable_files(settings);
    for (const auto& rules : settings.rule_files) {
        if (const auto why = rules::why_not_writable(rules); !why.empty()) spdlog::warn("{}", why);
    }
    confine(settings);
    return {};
}

}  // namespace steer
