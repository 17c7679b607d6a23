// Gives files to the unprivileged user, and switches to it.
#include "control/daemon.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include "control/host/process/files_as.h"
#include "control/host/process/rights.h"
#include "control/program/reload/certificates.h"
#include "control/sources/rules/rule_file.h"

namespace steer {
namespace {

bool is_below_state_folder(const std::string& file) {
    return std::filesystem::path(file).parent_path() == kStateFolder;
}

// Reports files that a reload cannot read with the remaining privileges. For a certificate, the reload keeps
// the previous one; for another file, it is rejected.
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

}  // namespace

std::vector<std::string> Daemon::dump_folders() const {
    std::vector<std::string> folders;
    if (!cache_service_) return folders;
    for (const CacheOf& one : cache_service_->caches()) {
        if (!one.dump_file.empty())
            folders.push_back(std::filesystem::absolute(one.dump_file).parent_path().string());
    }
    return folders;
}

// Folders that are given to the unprivileged user; created if missing.
std::vector<std::string> Daemon::own_folders() const {
    std::vector<std::string> folders;
    std::error_code no_folder;  // then the writer reports it
    const auto dumps = dump_folders();
    if (std::find(dumps.begin(), dumps.end(), kStateFolder) != dumps.end()) {
        std::filesystem::create_directories(kStateFolder, no_folder);
        if (!no_folder) folders.emplace_back(kStateFolder);
    }
    if (std::filesystem::is_directory(settings_.control.images, no_folder))
        folders.push_back(settings_.control.images);
    const bool has_static = std::ranges::any_of(settings_.plugins, [](const config::Plugin& p) {
        return std::holds_alternative<config::StaticRecords>(p.args);
    });
    const bool keeps_records = has_static && is_below_state_folder(settings_.control.static_file);
    const bool keeps_leases =
        !built_.leases.plugins.empty() && is_below_state_folder(settings_.control.leases);
    const bool keeps_lists = !built_.router_lists.routers.empty() &&
                             is_below_state_folder(settings_.control.router_lists);
    const bool keeps_queries = std::ranges::any_of(settings_.plugins, [](const config::Plugin& p) {
        const auto* const recorder = std::get_if<config::QueryRecorder>(&p.args);
        return recorder != nullptr &&
               (is_below_state_folder(recorder->path) ||
                (recorder->json && is_below_state_folder(recorder->json->file)));
    });
    if (keeps_leases || keeps_records || keeps_lists || keeps_queries)
        std::filesystem::create_directories(kStateFolder, no_folder);
    const bool keeps = is_below_state_folder(settings_.control.findings) ||
                       is_below_state_folder(settings_.control.leases) || keeps_records ||
                       keeps_lists || keeps_queries;
    if (keeps && std::filesystem::is_directory(kStateFolder, no_folder))
        folders.emplace_back(kStateFolder);
    if (!settings_.remote_lists.empty()) {
        std::filesystem::create_directories(settings_.control.lists, no_folder);
        if (!no_folder) folders.push_back(settings_.control.lists);
    }
    return folders;
}

// Creates missing files and folders, and gives them to the unprivileged user.
std::vector<std::string> Daemon::make_rule_files() {
    std::vector<std::string> handed;
    for (const auto& rules : settings_.rule_files) {
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

// With --user the configuration may belong to the user that root becomes, so root gives away only what is in our own
// folders, wherever the configuration wants its files.
void Daemon::keep_to_own_folders(std::vector<std::string>& handed) const {
    if (unit_user_.empty()) return;
    std::erase_if(handed, [](const std::string& path) {
        return path.empty() ||
               (!is_at_or_below(path, kStateFolder) && !is_at_or_below(path, kRunFolder));
    });
}

Result<void> Daemon::give_up_rights() {
    auto user = resolve_user(settings_.control.user);
    if (!user) return user.error();
    const auto folder = std::filesystem::path(settings_.control.socket).parent_path();
    // With the user `nobody`, the socket belongs to root. Otherwise every process of `nobody` could control the appliance.
    std::vector<std::string> handed;
    if (!is_nobody(*user)) {
        handed = {settings_.control.socket, folder == kRunFolder ? folder.string() : ""};
    }
    const auto dumps = dump_folders();
    {
        const FilesAs files(unit_user_);
        const auto folders = own_folders();
        handed.insert(handed.end(), folders.begin(), folders.end());
        const auto rule_files = make_rule_files();
        handed.insert(handed.end(), rule_files.begin(), rule_files.end());
    }
    keep_to_own_folders(handed);
    const auto lacking = ports_->any_frames() ? lacking_capabilities() : std::vector<std::string>{};
    for (const auto& capability : lacking) {
        spdlog::warn(
            "{} is missing: addresses and interfaces that change may not be followed; give it to "
            "steerdnsd",
            capability);
    }
    if (auto done = drop_rights(*user, handed); !done) return done;
    ::umask(S_IRWXG | S_IRWXO);  // from here on, files for others need an explicit mode
    for (const auto& dump : dumps) {
        if (::access(dump.c_str(), W_OK) == 0) continue;
        spdlog::warn(
            "dump_file: {} is not a folder that {} can write to: the cache is lost at a restart; "
            "make it, "
            "or name another",
            dump, user->empty() ? "this user" : *user);
    }
    warn_of_unreadable_files(settings_);
    for (const auto& rules : settings_.rule_files) {
        if (const auto why = rules::why_not_writable(rules); !why.empty()) spdlog::warn("{}", why);
    }
    return {};
}

}  // namespace steer
