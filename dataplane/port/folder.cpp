#include "dataplane/port/folder.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <system_error>

namespace steer {

std::vector<std::string> names_in(const std::filesystem::path& folder) {
    std::vector<std::string> names;
    std::error_code failed;
    for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end;
         at.increment(failed))
        names.push_back(at->path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::string read_word(const std::filesystem::path& file) {
    std::string word;
    std::ifstream(file) >> word;
    return word;
}

std::vector<std::string> other_processes(const std::filesystem::path& proc) {
    std::vector<std::string> numbers = names_in(proc);
    std::erase_if(numbers, [own = std::to_string(::getpid())](const std::string& name) {
        return name == own || name.find_first_not_of("0123456789") != name.npos;
    });
    return numbers;
}

bool runs_elsewhere(const std::string& name, const std::filesystem::path& proc) {
    return std::ranges::any_of(other_processes(proc), [&](const std::string& process) {
        return read_word(proc / process / "comm") == name;
    });
}

}  // namespace steer
