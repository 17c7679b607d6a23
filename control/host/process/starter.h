// Starts other programs for this process, which then needs neither execve(2) nor fork(2).
//
// A Starter is a small process that is forked before the first thread, and before anything is read.
// It executes only the programs of its table, with the arguments of that table. What it starts are
// children of this process (CLONE_PARENT): this process waits for them and may kill them. They
// inherit nothing by chance: no signal is blocked or ignored, and they have only the standard
// descriptors (the input is /dev/null) and those that are given to them. Their environment is made
// (starter_process.h): that of this process may have passwords, and the starter has none of it.
//
// The starter ends when this process ends. Any thread. Cost of start(): two messages and an
// execve(2), about 1 ms.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/host/process/sequenced_socket.h"
#include "control/host/process/thread_kind.h"

namespace steer {

// A descriptor for a child.
struct GivenDescriptor {
    int own;     // of this process
    int target;  // its number in the child: 0..63
};

class Starter {
  public:
    struct Program {
        std::string name;
        // Files; the first one that exists is used. It is opened when the starter begins, and stays
        // open, so a program that was replaced still starts in its old version. One that is missing
        // then is opened by each start.
        std::vector<std::string> files;
        std::vector<std::string> words;  // its name and its arguments
        bool is_self = false;            // /proc/self/exe; no `files`
        bool gets_net_admin = false;     // CAP_NET_ADMIN, if the starter has it; else no capability
        bool is_opened_by_start = false;  // by each start: it starts in its new version
        bool ends_with_daemon = false;    // killed with it: the program does not see to that itself
        bool never_as_root = false;       // start() fails with EPERM while the starter is root
        mode_t umask = 077;               // of the files that it makes
        // Its system calls, if it does not filter itself: rules that execute once, so it executes
        // no other program. The starter's own kind allows all of them.
        std::optional<ThreadKind> filter{};
    };
    // Of one start.
    struct Limits {
        std::uint64_t most_bytes = 0;  // of its address space; 0: no limit
        int file_rules = -1;           // which files it opens (FileRules::make()); -1: no rules
    };

    // Forks. Call harden_process() before, so that CAP_NET_ADMIN can be lent. `kind`: whose system
    // calls the starter and its programs may use. `name`: of the process.
    explicit Starter(std::vector<Program> programs, ThreadKind kind = ThreadKind::starter,
                     const char* name = "steerdns-start");
    // Ends the starter's process. Programs that it started go on, except those with
    // `ends_with_daemon`.
    ~Starter();
    Starter(const Starter&) = delete;
    Starter& operator=(const Starter&) = delete;

    // Starts the program of that name, which is in the table. It runs on the CPUs of the calling
    // thread. 0: it could not be started, errno says why; ECHILD: the starter has ended.
    pid_t start(std::string_view name, std::initializer_list<GivenDescriptor> descriptors,
                Limits limits);
    pid_t start(std::string_view name, std::initializer_list<GivenDescriptor> descriptors) {
        return start(name, descriptors, {});
    }
    // Why the last program with a filter may execute others, as errno; 0: it may not.
    [[nodiscard]] int unguarded() const;

    // Sends a signal to a program that it started and that has not ended: for programs of another
    // user than this process. False: there is none with this process id.
    bool signal(pid_t pid, int number);

    // The starter's process becomes this user and keeps only CAP_NET_ADMIN, if a program gets it.
    // False: see errno.
    bool become(uid_t uid, gid_t gid);

    // Programs that it starts from now on join a control group: a descriptor of its cgroup.procs,
    // which root has opened. One that cannot join starts without it. False: see errno.
    bool use_group(int members);

    // Whether it can start programs.
    [[nodiscard]] bool is_alive() const;
    [[nodiscard]] pid_t pid() const { return pid_; }

    struct Request;  // messages (starter_messages.h)
    struct Reply;

  private:
    Reply ask(const Request& request, std::initializer_list<GivenDescriptor> descriptors,
              int file_rules = -1);

    const std::vector<Program> programs_;
    mutable std::mutex mutex_;
    SequencedSocket socket_;  // closed: it has ended, or could not begin
    pid_t pid_ = 0;           // 0: it could not begin, for `error_`
    int error_ = 0;
    int unguarded_ = 0;
};

// The starter of this process, which main() sets; nullptr: none.
void use_starter(Starter* starter);
Starter* starter_in_use();

}  // namespace steer
