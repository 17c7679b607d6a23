#include "control/program/engine/control_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "control/program/engine/engine.h"
#include "control/program/engine/last_error.h"

namespace steer::recursion {
namespace {

constexpr std::array<std::string_view, 3> kControllers = {"cpu", "memory", "pids"};
constexpr unsigned kWeight = 50;  // of the CPU; the daemon has 100
// An instance is one process, and each may be checked and replaced at the same time.
constexpr unsigned kMostProcesses = 4 * config::Recursion::kMostInstances;

// "0::/system.slice/steerdnsd.service" is the line of cgroup v2.
std::optional<std::string> own_group(const std::string& file) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("0::")) return line.substr(3);
    }
    return std::nullopt;
}

// systemd marks a group that it does not manage itself any more. The group at the top of a
// container has no mark. It has a type, which that of a machine does not have.
bool is_delegated(const std::string& folder, const std::string& path) {
    for (const char* const mark : {"user.delegate", "trusted.delegate"}) {
        std::array<char, 2> value{};
        if (::getxattr(folder.c_str(), mark, value.data(), value.size()) == 1 && value[0] == '1')
            return true;
    }
    return path == "/" && ::access((folder + "/cgroup.type").c_str(), F_OK) == 0;
}

Result<Descriptor> open_to_write(const std::string& file) {
    Descriptor to(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (to.get() < 0) return last_error(file + " cannot be opened");
    return {boost::system::in_place_value, std::move(to)};
}

bool write_text(const Descriptor& to, std::string_view text) {
    return ::pwrite(to.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

Result<void> write_file(const std::string& file, std::string_view text) {
    const auto to = open_to_write(file);
    if (!to) return to.error();
    if (!write_text(*to, text)) return last_error(file + " cannot be written");
    return {};
}

Result<void> make_group(const std::string& folder) {
    if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST)
        return last_error(folder + " cannot be made");
    return {};
}

// "PPid:" of its status; 0: it has ended.
pid_t parent_of(pid_t pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("PPid:")) return std::atoi(line.c_str() + std::strlen("PPid:"));
    }
    return 0;
}

// Which of the controllers this group was not given.
std::string missing_controllers(const std::string& group) {
    std::ifstream in(group + "/cgroup.controllers");
    std::vector<std::string> given;
    for (std::string word; in >> word;)
        given.push_back(word);
    std::string missing;
    for (const std::string_view controller : kControllers) {
        if (std::find(given.begin(), given.end(), controller) != given.end()) continue;
        if (!missing.empty()) missing += ", ";
        missing += controller;
    }
    return missing;
}

// The members of a group, which are this process and its children.
Result<std::vector<pid_t>> own_members(const std::string& group) {
    std::ifstream in(group + "/cgroup.procs");
    const pid_t self = ::getpid();
    std::vector<pid_t> members;
    for (pid_t pid = 0; in >> pid;) {
        // The kernel shows a process of another PID namespace as 0.
        if (pid == 0)
            return Error{"a process outside of this container is in the same control group"};
        if (pid != self && parent_of(pid) != self)
            return Error{"process " + std::to_string(pid) + " is in the same control group"};
        members.push_back(pid);
    }
    return {boost::system::in_place_value, std::move(members)};
}

Result<void> move_to(const std::string& group, const std::vector<pid_t>& members) {
    for (const pid_t pid : members) {
        if (auto moved = write_file(group + "/cgroup.procs", std::to_string(pid));
            !moved && parent_of(pid) != 0)
            return moved;
    }
    return {};
}

Result<void> share_controllers(const std::string& group) {
    std::string text;
    for (const std::string_view controller : kControllers) {
        if (!text.empty()) text += ' ';
        text.append("+").append(controller);
    }
    return write_file(group + "/cgroup.subtree_control", text);
}

}  // namespace

Result<ControlGroup> ControlGroup::make(const ControlGroupPaths& paths) {
    const auto own = own_group(paths.own);
    if (!own) return Error{"this kernel has no cgroup v2"};
    const std::string below = *own == "/" ? "" : *own;
    const std::string base = paths.mount + below;
    const std::string daemon = base + "/daemon", engines = base + "/recursion";
    if (!is_delegated(base, *own)) return Error{*own + " is not delegated to steerdnsd"};
    if (const std::string missing = missing_controllers(base); !missing.empty())
        return Error{*own + " was not given these controllers: " + missing};
    const auto members = own_members(base);
    if (!members) return members.error();
    // A group with processes of its own cannot share its controllers out.
    if (auto made = make_group(daemon); !made) return made.error();
    if (auto moved = move_to(daemon, *members); !moved) return moved.error();
    if (auto shared = share_controllers(base); !shared) return shared.error();
    if (auto made = make_group(engines); !made) return made.error();
    for (const auto& [file, value] :
         {std::pair{"/cpu.weight", kWeight}, std::pair{"/pids.max", kMostProcesses}}) {
        if (auto set = write_file(engines + file, std::to_string(value)); !set) return set.error();
    }
    auto procs = open_to_write(engines + "/cgroup.procs");
    if (!procs) return procs.error();
    auto memory = open_to_write(engines + "/memory.max");
    if (!memory) return memory.error();
    return {boost::system::in_place_value,
            ControlGroup(below + "/recursion", std::move(*procs), std::move(*memory))};
}

Result<void> ControlGroup::limit_memory(std::uint64_t bytes) {
    if (bytes == most_bytes_) return {};
    if (!write_text(memory_, std::to_string(bytes)))
        return last_error("memory.max of " + path_ + " cannot be written");
    most_bytes_ = bytes;
    return {};
}

}  // namespace steer::recursion
