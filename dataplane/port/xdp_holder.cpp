#include "dataplane/port/xdp_holder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "dataplane/port/folder.h"

namespace steer {
namespace {

namespace fs = std::filesystem;

// The contents of fdinfo for a descriptor of the program, or of a link to it.
bool names_program(const fs::path& fdinfo, std::uint32_t program_id) {
    const std::string wanted = "prog_id:\t" + std::to_string(program_id);
    std::ifstream file(fdinfo);
    for (std::string line; std::getline(file, line);) {
        if (line == wanted) return true;
    }
    return false;
}

bool holds(const fs::path& process, std::uint32_t program_id) {
    const std::vector<std::string> descriptors = names_in(process / "fdinfo");
    return std::any_of(descriptors.begin(), descriptors.end(), [&](const std::string& fd) {
        return names_program(process / "fdinfo" / fd, program_id);
    });
}

}  // namespace

// A process that ended, or that we may not inspect, counts as holding nothing.
std::optional<ProgramHolder> find_program_holder(std::uint32_t program_id) {
    const fs::path proc = "/proc";
    for (const std::string& pid : other_processes(proc)) {
        if (holds(proc / pid, program_id))
            return ProgramHolder{std::stoi(pid), read_word(proc / pid / "comm")};
    }
    return std::nullopt;
}

}  // namespace steer
