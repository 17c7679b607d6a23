// The meaning of our programs' exit codes, once. The programs return these, and
// docs/reference/exit-codes.md is generated from the rows (`steerdnsd --reference exit-codes`).
// Header only, for every module, as safe_text.h.
#pragma once

#include <array>
#include <string_view>

namespace steer {

enum ExitCode : int {
    kExitDone = 0,
    kExitFailed = 1,    // a cause outside of what the operator wrote
    kExitRejected = 2,  // the operator's text: a command line, a configuration, an input
};

struct ExitRow {
    std::string_view program;
    ExitCode code;
    std::string_view when;    // when it is returned
    std::string_view action;  // what to do; empty: nothing
};

inline constexpr std::array kExitRows{
    ExitRow{"steerdnsd", kExitDone,
            "the daemon was stopped by SIGTERM or SIGINT, or the command succeeded", ""},
    ExitRow{"steerdnsd", kExitFailed,
            "the start failed: a port is in use, or a CPU, privilege or memory is missing",
            "read the last error line; `steerdnsd --ports` shows the ports"},
    ExitRow{"steerdnsd", kExitFailed, "`--dry-run`: a router could not be read within 10 seconds",
            "check address, user and API service of the router"},
    ExitRow{"steerdnsd", kExitFailed, "`--init`: a file exists already or cannot be written",
            "use `--force` to replace files, or name another file"},
    ExitRow{"steerdnsd", kExitRejected, "the configuration or the command line is invalid",
            "correct the reported lines; `steerdnsd --check` reads the file again"},
    ExitRow{"steerdnsd", kExitRejected, "the configuration needs more memory than the machine has",
            "lower the sizes that the error names"},
    ExitRow{"steerctl", kExitDone, "the command succeeded", ""},
    ExitRow{"steerctl", kExitFailed, "the daemon is unreachable, or it rejected the request",
            "check `systemctl status steerdnsd` and `--socket`"},
    ExitRow{"steerctl", kExitFailed,
            "the request was not completed: a list not fetched, a router not in sync, output not "
            "written",
            "read the error line; repeat the command after that"},
    ExitRow{"steerctl", kExitFailed,
            "`doctor`: a router could not be read, or a problem is left on it",
            "`steerctl doctor --fix` carries out the commands that it printed"},
    ExitRow{"steerctl", kExitFailed, "`setup`: a problem is left, or a command failed",
            "read the lines of `steerctl setup --check`"},
    ExitRow{"steerctl", kExitRejected, "the command line is invalid",
            "`steerctl COMMAND --help` shows the usage"},
    ExitRow{"steerctl", kExitRejected,
            "`reload`: the new configuration is invalid; the active one stays in use",
            "correct the reported lines and reload again"},
    ExitRow{"steerctl", kExitRejected, "`setup`: the configuration is invalid, or root is needed",
            "correct the reported lines, or run it as root"},
    ExitRow{"steerctl", kExitRejected, "`import`: the input cannot be read",
            "correct the reported line of the input"},
    ExitRow{"steerctl", kExitRejected,
            "`replay`: the capture cannot be read, or has no queries; the configuration is invalid",
            "name a pcap or pcapng file; correct the reported lines"},
};

// The cause of a failure, as `code` of the error object that `steerctl --json` writes to standard
// error, with its exit code.
#define STEER_ERROR_CODES(X)                                                                     \
    X(bad_answer, kExitFailed, "the answer is not one of steerdnsd")                             \
    X(bad_input, kExitRejected, "`import`, `replay`: the input cannot be read")                  \
    X(forbidden, kExitFailed, "the user may not open the control socket, or the token is wrong") \
    X(incomplete, kExitFailed, "the daemon answered, and not all of the request was done")       \
    X(invalid_configuration, kExitRejected, "`reload`: the new configuration is invalid")        \
    X(not_started, kExitFailed, "`setup`, `doctor`: steerdnsd cannot be started")                \
    X(output, kExitFailed, "standard output or a file cannot be written")                        \
    X(rejected, kExitFailed, "the daemon rejected the request; `rpc_code` is its JSON-RPC code") \
    X(timeout, kExitFailed, "the daemon did not answer in time")                                 \
    X(unreachable, kExitFailed, "nothing listens on the control socket or at `--url`")           \
    X(untrusted, kExitFailed, "the certificate at `--url` is not trusted")                       \
    X(usage, kExitRejected, "the command line is invalid")

enum class ErrorCode {
#define X(name, code, when) name,
    STEER_ERROR_CODES(X)
#undef X
};

struct ErrorRow {
    std::string_view name;
    ExitCode code;
    std::string_view when;
};
inline constexpr ErrorRow kErrorRows[] = {
#define X(name, code, when) {#name, code, when},
    STEER_ERROR_CODES(X)
#undef X
};
constexpr const ErrorRow& row_of(ErrorCode code) {
    return kErrorRows[static_cast<unsigned>(code)];
}

}  // namespace steer
