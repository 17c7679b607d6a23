#include "control/host/process/file_rules.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "dataplane/port/descriptor.h"

namespace steer {
namespace {

namespace fs = std::filesystem;
using Use = FileRules::Use;

// Debian 12's headers do not have them.
constexpr std::uint64_t kTruncate = 1ULL << 14U;  // LANDLOCK_ACCESS_FS_TRUNCATE, version 3
constexpr std::uint64_t kRefer = 1ULL << 13U;     // LANDLOCK_ACCESS_FS_REFER, version 2

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kChange = kRead | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
constexpr std::uint64_t kWrite =
    kChange | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | kRefer;
constexpr std::uint64_t kHandled = kWrite | LANDLOCK_ACCESS_FS_EXECUTE |
                                   LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;
constexpr std::uint64_t kOfFiles = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                   LANDLOCK_ACCESS_FS_READ_FILE | kTruncate;

// The rights among these that this version of the interface knows.
std::uint64_t known(std::uint64_t rights, int version) {
    if (version < 3) rights &= ~kTruncate;
    if (version < 2) rights &= ~kRefer;
    return rights;
}

std::uint64_t rights_of(Use use) {
    switch (use) {
        case Use::read:
            return kRead;
        case Use::change:
            return kChange;
        case Use::write:
            return kWrite;
    }
    return 0;
}

// The path without links. The part that does not exist stays as it is.
std::string resolved(const std::string& path) {
    std::error_code error;
    const auto whole = fs::weakly_canonical(fs::absolute(path, error), error);
    return error ? path : whole.string();
}

bool is_below(const std::string& path, const std::string& folder) {
    return folder == "/" || path == folder || path.starts_with(folder + "/");
}

// A descriptor of the rules, for threads that began before them; -1: none are in force.
std::atomic<int> rules_fd{-1};
FileRules& rules_in_force() {
    static FileRules& one = *new FileRules;
    return one;
}

Result<void> enforce_set(int set) {
    if (::syscall(SYS_landlock_restrict_self, set, 0) == 0) return {};
    return Error{std::string("Landlock rules are refused: ") + std::strerror(errno)};
}

}  // namespace

void FileRules::allow(const std::string& path, Use use) {
    std::error_code error;
    if (path.empty() || !fs::exists(path, error)) return;
    Rule rule{resolved(path), use};
    const auto covered = std::ranges::any_of(rules_, [&](const Rule& other) {
        return other.use >= rule.use && is_below(rule.path, other.path);
    });
    if (!covered) rules_.push_back(std::move(rule));
}

void FileRules::allow_running(const std::string& path) {
    std::error_code error;
    if (fs::exists(path, error)) rules_.push_back({resolved(path), Use::read, true});
}

void FileRules::allow_folder_of(const std::string& path, Use use) {
    if (path.empty()) return;
    std::error_code error;
    // Where it is, and where a link at its end leads.
    for (const fs::path& one : {fs::absolute(path, error), fs::path(resolved(path))}) {
        fs::path folder = one.parent_path();
        while (folder.has_relative_path() && !fs::is_directory(folder, error))
            folder = folder.parent_path();
        if (folder.has_relative_path()) allow(folder.string(), use);
    }
}

int FileRules::kernel_version() {
    const long version =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? static_cast<int>(version) : 0;
}

Result<Descriptor> FileRules::make() const {
    const int version = FileRules::kernel_version();
    landlock_ruleset_attr handled{};
    handled.handled_access_fs = known(kHandled, version);
    Descriptor set(
        static_cast<int>(::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0)));
    if (set.get() < 0) return Error{std::string("no Landlock rules: ") + std::strerror(errno)};
    for (const auto& [path, use, runs] : rules_) {
        const Descriptor at(::open(path.c_str(), O_PATH | O_CLOEXEC));
        struct stat is {};
        if (at.get() < 0 || ::fstat(at.get(), &is) != 0) continue;
        landlock_path_beneath_attr rule{};
        rule.parent_fd = at.get();
        rule.allowed_access =
            known(rights_of(use) | (runs ? LANDLOCK_ACCESS_FS_EXECUTE : 0), version);
        if (!S_ISDIR(is.st_mode)) rule.allowed_access &= kOfFiles;
        if (::syscall(SYS_landlock_add_rule, set.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
            return Error{"no Landlock rule for " + path + ": " + std::strerror(errno)};
    }
    return {boost::system::in_place_value, std::move(set)};
}

Result<void> FileRules::enforce() const {
    auto set = make();
    if (!set) return set.error();
    return enforce_set(set->get());
}

bool FileRules::covers(const std::string& path, Use use) const {
    const std::string whole = resolved(path);
    return std::ranges::any_of(
        rules_, [&](const Rule& rule) { return rule.use >= use && is_below(whole, rule.path); });
}

Result<void> enforce_file_rules(FileRules rules) {
    auto set = rules.make();
    if (!set) return set.error();
    if (auto done = enforce_set(set->get()); !done) return done;
    rules_in_force() = std::move(rules);
    rules_fd.store(set->take(), std::memory_order_release);
    return {};
}

void restrict_this_thread() noexcept {
    const int set = rules_fd.load(std::memory_order_acquire);
    if (set >= 0) (void)::syscall(SYS_landlock_restrict_self, set, 0);
}

bool file_rules_cover(const std::string& path, Use use) {
    return !has_file_rules() || rules_in_force().covers(path, use);
}

bool has_file_rules() {
    return rules_fd.load(std::memory_order_acquire) >= 0;
}

}  // namespace steer
