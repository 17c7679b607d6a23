#include "tools/import/command.h"

#include <fcntl.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "matchers/text.h"
#include "routeros/password_input.h"
#include "routeros/transport.h"
#include "tools/import/adguardhome_import.h"
#include "tools/import/corefile_import.h"
#include "tools/import/dnsmasq_import.h"
#include "tools/import/kresd_import.h"
#include "tools/import/pihole_import.h"
#include "tools/import/policy_import.h"
#include "tools/import/ros_import.h"
#include "tools/import/ros_live.h"
#include "tools/import/technitium_import.h"
#include "tools/import/unbound_import.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

std::optional<std::string> environment(const std::string& name) {
    const char* const value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

bool is_file(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored);
}

// ---- what is read

std::optional<std::string> read_input(const std::string& path) {
    std::ifstream file;
    if (path != "-") {
        file.open(path, std::ios::binary);
        if (!file) return std::nullopt;
    }
    std::istream& in = path == "-" ? std::cin : file;
    std::string out;
    std::array<char, 65'536> part{};
    while (out.size() <= kMaxBytes) {
        in.read(part.data(), part.size());
        out.append(part.data(), static_cast<std::size_t>(in.gcount()));
        if (!in) break;
    }
    if (in.bad()) return std::nullopt;
    return out;
}

// The folder of a path, with its slash; empty: the current one.
std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

// Files that a configuration of unbound includes; relative ones are beside it.
std::vector<IncludedText> read_included(const std::string& folder, const std::string& pattern) {
    const std::string base = pattern.starts_with('/') ? "" : folder;
    std::vector<IncludedText> out;
    glob_t found{};
    if (::glob((base + pattern).c_str(), 0, nullptr, &found) == 0) {
        for (std::size_t i = 0; i < found.gl_pathc; ++i) {
            const std::string path = found.gl_pathv[i];
            auto text = is_file(path) ? read_input(path) : std::nullopt;
            if (text && text->size() > kMaxBytes) text.reset();
            out.push_back({path.substr(base.size()), std::move(text)});
        }
    }
    ::globfree(&found);
    return out;
}

bool is_folder(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_directory(path, ignored);
}

// The files of a folder, three folders deep; a file by itself stands for such a folder. `reads`:
// whether the import reads a file of that name. Nothing: one of these cannot be read, or is too large.
std::optional<std::vector<FolderFile>> read_folder(const std::string& path,
                                                   bool (*reads)(std::string_view name)) {
    constexpr int kDepth = 3;
    constexpr std::size_t kMostFiles = 10'000;
    namespace fs = std::filesystem;
    std::vector<fs::path> paths;
    std::error_code error;
    if (is_folder(path)) {
        fs::recursive_directory_iterator at(path, error);
        for (; !error && at != fs::recursive_directory_iterator() && paths.size() < kMostFiles;
             at.increment(error)) {
            if (at.depth() >= kDepth) at.disable_recursion_pending();
            if (at->is_regular_file(error)) paths.push_back(at->path());
        }
        if (error) return std::nullopt;
        std::ranges::sort(paths);
    } else {
        paths.emplace_back(path);
    }
    std::vector<FolderFile> out;
    std::size_t bytes = 0;
    for (const fs::path& one : paths) {
        FolderFile file{one.filename().string(), {}, {}, fs::absolute(one, error).string()};
        if (is_folder(path)) file.path = one.lexically_relative(path).string();
        if (reads(file.name)) {
            auto text = read_input(one.string());
            if (!text || (bytes += text->size()) > kMaxBytes) return std::nullopt;
            file.text = *std::move(text);
        }
        out.push_back(std::move(file));
    }
    return out;
}

Imported import_folder(const ImportOptions& options) {
    const bool is_pihole = options.kind == "pihole";
    const auto files = read_folder(options.file, is_pihole ? is_pihole_file : is_technitium_file);
    if (!files) return {{}, {}, Failure{0, "cannot be read, or has more than 64 MiB"}};
    std::string name = options.file;
    while (name.size() > 1 && name.ends_with('/'))
        name.pop_back();
    name = std::filesystem::path(name).filename().string();
    return is_pihole ? import_pihole(*files, name, is_file)
                     : import_technitium(*files, name, is_file);
}

Imported import_file(const ImportOptions& options) {
    if (options.kind == "pihole" || options.kind == "technitium") return import_folder(options);
    const auto text = read_input(options.file);
    if (!text) return {{}, {}, Failure{0, "cannot be read"}};
    if (text->size() > kMaxBytes) return {{}, {}, Failure{0, "is larger than 64 MiB"}};
    const auto slash = options.file.rfind('/');
    const std::string name =
        options.file == "-" ? "standard input" : options.file.substr(slash + 1);
    if (options.kind == "routeros") return import_routeros(*text, name);
    if (options.kind == "corefile") return import_corefile(*text, name, environment, is_file);
    if (options.kind == "forgedns") return import_policy(*text, name, PolicySource::forgedns);
    if (options.kind == "mosdns") return import_policy(*text, name, PolicySource::mosdns);
    if (options.kind == "adguardhome") return import_adguardhome(*text, name, is_file);
    if (options.kind == "kresd") return import_kresd(*text, name, is_file);
    if (options.kind == "unbound") {
        const std::string folder = folder_of(options.file);
        const auto include = [&folder](const std::string& pattern) {
            return read_included(folder, pattern);
        };
        std::vector<IncludedText> more;
        for (const std::string& path : options.more_files) {
            auto other = read_input(path);
            if (!other || other->size() > kMaxBytes)
                return {{}, {}, Failure{0, "and " + path + " cannot be read"}};
            more.push_back({std::filesystem::absolute(path).string(), std::move(other)});
        }
        return import_unbound(*text, name, include, is_file, more);
    }
    return import_dnsmasq(*text, name);
}

// ---- a router

// Nothing: no person is there to ask.
std::optional<std::string> ask_password(const std::string& what) {
    if (::isatty(STDIN_FILENO) == 0) return std::nullopt;
    return routeros::read_password(what);
}

std::optional<std::string> find_password(const ImportOptions& options) {
    if (!options.password_file.empty()) {
        std::ifstream file(options.password_file);
        std::string line;
        if (!std::getline(file, line)) return std::nullopt;
        if (line.ends_with('\r')) line.pop_back();
        return std::string(steer::matchers::without_marks(line));
    }
    if (auto value = environment("STEERDNS_PASSWORD")) return value;
    return ask_password("Password of " + options.user + " at " + options.router + ": ");
}

Imported import_live(const ImportOptions& options) {
    const auto refuse = [](std::string why) {
        return Imported{{}, {}, Failure{0, std::move(why)}};
    };
    routeros::TlsConfig tls{options.tls, options.ca, options.pin, options.anonymous};
    tls.enabled = tls.enabled || tls.anonymous || !tls.ca_file.empty() || !tls.pin_sha256.empty();
    if (const std::string error = routeros::check_tls(tls); !error.empty())
        return refuse("cannot be read: " + error);
    RouterLogin login{
        options.router, routeros::parse_router_address(options.router, tls), options.user, {}};
    if (login.to.host.empty()) return refuse("is not an address: expected HOST or HOST:PORT");
    const auto password = find_password(options);
    if (!password)
        return refuse("needs a password: write --password-file FILE, or set STEERDNS_PASSWORD");
    login.password = *password;
    Imported out;
    const RosDns dns = read_router(login, out.failure);
    return out.failure ? out : import_routeros(dns);
}

// "FILE:12" of "line 12", and of "line 12 of OTHER" the same of a file beside it.
std::string place_in(const std::string& file, const std::string& place) {
    constexpr std::string_view kLine = "line ", kOf = " of ";
    if (!place.starts_with(kLine)) return file + (place.empty() ? "" : ", " + place);
    const auto of = place.find(kOf);
    const std::string line = place.substr(kLine.size(), of - kLine.size());
    if (of == std::string::npos) return file + ":" + line;
    const std::string other = place.substr(of + kOf.size());
    return (other.starts_with('/') ? "" : folder_of(file)) + other + ":" + line;
}

// ---- what is written

// Empty: success.
std::string write_file(const ImportOptions& options, const std::string& yaml) {
    constexpr mode_t kMode = 0640;  // the operator may add a password
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (options.force ? O_TRUNC : O_EXCL);
    const int file = ::open(options.output.c_str(), flags, kMode);
    if (file < 0)
        return errno == EEXIST ? options.output + " exists: write --force to replace it"
                               : "cannot write " + options.output;
    std::size_t done = 0;
    while (done < yaml.size()) {
        const auto n = ::write(file, yaml.data() + done, yaml.size() - done);
        if (n <= 0) break;
        done += static_cast<std::size_t>(n);
    }
    return ::close(file) == 0 && done == yaml.size() ? "" : "cannot write " + options.output;
}

}  // namespace

ImportResult run_import(const ImportOptions& options) {
    std::string what = options.router.empty() ? options.file : options.router;
    Imported made = options.router.empty() ? import_file(options) : import_live(options);
    ImportResult result;
    if (made.failure) {
        const int line = made.failure->line;
        result.code = kExitRejected;
        result.error =
            what + (line > 0 ? ":" + std::to_string(line) + ": " : " ") + made.failure->text;
        return result;
    }
    if (options.output.empty()) {
        result.yaml = std::move(made.yaml);
    } else if (result.error = write_file(options, made.yaml); !result.error.empty()) {
        result.code = kExitFailed;
        return result;
    }
    if (options.router.empty() && is_folder(what) && !what.ends_with('/')) what += '/';
    for (Note& note : made.notes)
        result.notes.push_back({place_in(what, note.place), std::move(note.text)});
    return result;
}

}  // namespace steer::importing
