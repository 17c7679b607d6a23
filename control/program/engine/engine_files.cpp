#include "control/program/engine/engine_files.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "control/program/engine/engine.h"

namespace steer::recursion {
namespace {

namespace fs = std::filesystem;
using Use = FileRules::Use;

constexpr std::array kPrograms{"/usr", "/lib", "/lib32", "/lib64", "/libx32"};
// Of the C library and of OpenSSL, and certificates.
constexpr std::array kRead{
    "/etc/ssl",           "/etc/pki",       "/etc/crypto-policies",   "/etc/ld.so.cache",
    "/etc/ld.so.preload", "/etc/localtime", "/etc/nsswitch.conf",     "/etc/hosts",
    "/etc/host.conf",     "/etc/gai.conf",  "/etc/resolv.conf",       "/etc/services",
    "/etc/protocols",     "/proc",          "/sys/devices/system/cpu"};
constexpr std::array kDevices{"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"};

enum class Wanted : std::uint8_t { unknown, yes, no };
std::atomic<Wanted> wanted{Wanted::unknown};

}  // namespace

FileRules rules_for(const EngineStart& how) {
    const fs::path state(kStateFolder), home = state.parent_path();
    FileRules rules;
    for (const std::string_view path : kPrograms)
        rules.allow_running(std::string(path));
    for (const std::string_view path : kRead)
        rules.allow(std::string(path), Use::read);
    for (const std::string_view path : kDevices)
        rules.allow(std::string(path), Use::change);
    rules.allow(how.folder, Use::write);
    // Other instances have theirs below `state`.
    std::error_code error;
    for (const fs::directory_entry& one : fs::directory_iterator(home, error)) {
        if (one.path() != state && one.is_directory(error)) rules.allow(one.path(), Use::write);
    }
    rules.allow(home, Use::read);
    for (const std::string& file : how.files)
        rules.allow_folder_of(file, Use::read);
    return rules;
}

void use_file_rules(bool are_wanted) {
    Wanted before = Wanted::unknown;
    wanted.compare_exchange_strong(before, are_wanted ? Wanted::yes : Wanted::no);
}

std::string file_rules_state() {
    if (wanted == Wanted::no) return "off";
    return FileRules::kernel_version() > 0 ? "on" : "off: the kernel has no Landlock";
}

}  // namespace steer::recursion
