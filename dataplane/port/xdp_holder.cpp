#include "dataplane/port/xdp_holder.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

namespace steer {
namespace {

namespace fs = std::filesystem;

// What fdinfo says of a descriptor of the program, or of a link to it.
bool names_program(const fs::path& fdinfo, std::uint32_t program_id) {
    const std::string wanted = "prog_id:\t" + std::to_string(program_id);
    std::ifstream file(fdinfo);
    for (std::string line; std::getline(file, line);) {
        if (line == wanted) return true;
    }
    return false;
}

bool holds(const fs::path& process, std::uint32_t program_id) {
    std::error_code failed;  // it may end while we look, or not be ours to look at
    for (fs::directory_iterator at(process / "fdinfo", failed), end; !failed && at != end;
         at.increment(failed)) {
        if (names_program(at->path(), program_id)) return true;
    }
    return false;
}

bool is_number(const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(),
                                        [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

std::optional<ProgramHolder> find_program_holder(std::uint32_t program_id) {
    std::error_code failed;
    for (fs::directory_iterator at("/proc", failed), end; !failed && at != end;
         at.increment(failed)) {
        const std::string pid = at->path().filename();
        if (!is_number(pid) || std::stoi(pid) == ::getpid()) continue;
        if (!holds(at->path(), program_id)) continue;
        ProgramHolder holder{std::stoi(pid), {}};
        std::ifstream(at->path() / "comm") >> holder.name;
        return holder;
    }
    return std::nullopt;
}

}  // namespace steer
