#include "setup.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace steerctl {
namespace {

namespace fs = std::filesystem;

// Installed in one folder; in a build tree two above.
std::string find_daemon() {
    std::error_code failed;
    const fs::path folder = fs::read_symlink("/proc/self/exe", failed).parent_path();
    for (const fs::path& path : {folder / "steerdnsd", folder / "../../steerdnsd"})
        if (::access(path.c_str(), X_OK) == 0) return path.string();
    return "steerdnsd";
}

std::string become(const char* option, const std::vector<std::string>& options) {
    std::vector<std::string> words{find_daemon(), option};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execvp(argv.front(), argv.data());
    return words.front() + " cannot be started: " + std::strerror(errno) +
           "; install it beside steerctl, or in a folder of PATH";
}

}  // namespace

std::string become_setup(const std::vector<std::string>& options) {
    return become("--setup-machine", options);
}

std::string become_doctor(const std::vector<std::string>& options) {
    return become("--doctor-routers", options);
}

}  // namespace steerctl
