// In the place of unbound, for recursion_faults_e2e.py: tries what code inside of it might
// (hostile_program.h), writes the results as lines of unbound, and waits for its end.
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "support/hostile_program.h"

namespace {

// Of its configuration: `directory: "…"`.
std::string own_folder() {
    std::ifstream file("/proc/self/fd/5");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::string key = "directory: \"";
    const auto at = text.find(key);
    if (at == std::string::npos) return "/nowhere";
    const auto begin = at + key.size();
    return text.substr(begin, text.find('"', begin) - begin);
}

}  // namespace

int main() {
    steer::test::HostileProgram(STDOUT_FILENO, "[1] unbound[1:0] error: attempts: ")
        .run(own_folder());
    for (;;)
        ::pause();
}
