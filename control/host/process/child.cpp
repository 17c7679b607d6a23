#include "control/host/process/child.h"

#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace steer {

pid_t start_child(const std::string& path, std::vector<std::string> words,
                  std::initializer_list<GivenDescriptor> descriptors) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    int last = STDERR_FILENO;
    for (const GivenDescriptor& one : descriptors) {
        ::posix_spawn_file_actions_adddup2(&actions, one.own, one.childs);
        last = std::max(last, one.childs);
    }
    ::posix_spawn_file_actions_addclosefrom_np(&actions, last + 1);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t pid = 0;
    const int error =
        ::posix_spawn(&pid, path.c_str(), &actions, &attributes, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    errno = error;
    return error == 0 ? pid : 0;
}

}  // namespace steer
